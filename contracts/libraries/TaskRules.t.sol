// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITrainingMarket, TaskSpec} from "../interfaces/ITrainingMarket.sol";
import {Check} from "../test/Check.sol";
import {TaskRules} from "./TaskRules.sol";

contract TaskRulesTest {
    uint96 private constant SEAT_STAKE = 6_400;

    function check(TaskSpec calldata spec) external view {
        TaskRules.check(spec, SEAT_STAKE);
    }

    function testFuzz_segments_coverEveryStepOnce(uint32 steps, uint32 interval) public pure {
        uint256 length = uint256(interval) + 1;
        uint256 segments = TaskRules.segments(steps, length);
        Check.isTrue(segments * length >= steps, "every step");
        Check.isTrue(segments == 0 || (segments - 1) * length < steps, "no segment is empty");
    }

    function test_check_takesTheBounds() public view {
        this.check(_spec());
        TaskSpec memory spec = _spec();
        (spec.challengerBond, spec.verifierFee, spec.draws) = (spec.solverBond / 4, SEAT_STAKE / 64, 32);
        (spec.sampleRate, spec.beaconDelay, spec.challengeWindow) = (65_536, 255, 60 days);
        spec.training.interval = spec.training.steps;
        this.check(spec);
        spec.training.steps = type(uint32).max;
        spec.training.interval = type(uint32).max / 2;
        spec.training.schedule.width = 1;
        this.check(spec);
        (spec.draws, spec.challengerBond, spec.solverBond, spec.price) = (0, 1, 127, 63);
        this.check(spec);
        spec.receiver = address(this);
        this.check(spec);
    }

    function test_check_namesTheFieldThatIsOutOfBounds() public view {
        TaskSpec memory spec = _spec();
        spec.training.program.operatorCount = 0;
        _refused(spec, "operatorCount");
        spec = _spec();
        spec.training.program.stateCount = 0;
        _refused(spec, "stateCount");
        spec = _spec();
        spec.training.steps = 0;
        _refused(spec, "steps");
        spec = _spec();
        spec.training.interval = 0;
        _refused(spec, "interval");
        spec.training.interval = spec.training.steps + 1;
        _refused(spec, "interval");
        (spec.training.steps, spec.training.interval) = (type(uint32).max, type(uint32).max / 2 + 1);
        _refused(spec, "interval");
        spec = _spec();
        (spec.training.steps, spec.training.schedule.width) = (1 << 16, 1 << 16);
        _refused(spec, "width");
        spec = _spec();
        spec.training.initialStateRoot = 0;
        _refused(spec, "initialStateRoot");
        spec = _spec();
        // A wallet cannot be told anything.
        spec.receiver = address(0xbeef);
        _refused(spec, "receiver");
    }

    function test_check_namesTheTermThatIsOutOfBounds() public view {
        TaskSpec memory spec = _spec();
        spec.draws = 33;
        _refused(spec, "draws");
        spec = _spec();
        spec.sampleRate = 65_537;
        _refused(spec, "sampleRate");
        spec = _spec();
        spec.beaconDelay = 0;
        _refused(spec, "beaconDelay");
        spec.beaconDelay = 256;
        _refused(spec, "beaconDelay");
        spec = _spec();
        spec.checkpointTime = 0;
        _refused(spec, "checkpointTime");
        spec = _spec();
        spec.replayTime = 0;
        _refused(spec, "replayTime");
        spec = _spec();
        spec.sealWindow = 0;
        _refused(spec, "sealWindow");
        spec = _spec();
        spec.revealWindow = 0;
        _refused(spec, "revealWindow");
        spec = _spec();
        spec.clock = 5 minutes - 1;
        _refused(spec, "clock");
        spec = _spec();
        spec.answerGrace = 1 minutes - 1;
        _refused(spec, "answerGrace");
    }

    /// A lying solver that convicts itself through friends gets at most half of its bond and the price back.
    function testFuzz_check_theBurnedHalfIsNeverLessThanThePrice(uint96 price, uint96 bond) public view {
        TaskSpec memory spec = _spec();
        (spec.price, spec.solverBond, spec.draws) = (price, bond, 0);
        spec.challengerBond = bond / 4;
        if (bond < 2 * uint256(price)) _refused(spec, "solverBond");
        else if (bond < 4) _refused(spec, "challengerBond");
        else this.check(spec);
    }

    function testFuzz_check_boundsTheChallengersBond(uint96 solverBond, uint96 bond, bool draws) public view {
        TaskSpec memory spec = _spec();
        (spec.price, spec.solverBond, spec.challengerBond, spec.draws) = (0, solverBond, bond, draws ? 1 : 0);
        uint256 worth = draws && SEAT_STAKE > solverBond ? SEAT_STAKE : solverBond;
        if (bond == 0 || bond < worth / 64 || bond > solverBond / 4) _refused(spec, "challengerBond");
        else this.check(spec);
    }

    function testFuzz_check_aSeatsFeesAreAtMostAQuarterOfIt(uint96 fee) public view {
        TaskSpec memory spec = _spec();
        spec.verifierFee = fee;
        if (fee > SEAT_STAKE / 64) {
            _refused(spec, "verifierFee");
        } else {
            this.check(spec);
            Check.isTrue(uint256(fee) * TaskRules.MAX_LIVE <= SEAT_STAKE / 4, "fees of a seat");
        }
    }

    function testFuzz_check_aReplayFitsBehindTheLastReveal(
        uint32 sealing,
        uint32 revealing,
        uint32 replaying,
        uint32 window
    ) public view {
        TaskSpec memory spec = _spec();
        // Where about half of them fit.
        (sealing, revealing, replaying) = (sealing % 10 days, revealing % 10 days, replaying % 10 days);
        window %= 64 days;
        (spec.sealWindow, spec.revealWindow, spec.replayTime) = (sealing, revealing, replaying);
        spec.challengeWindow = window;
        if (replaying == 0) _refused(spec, "replayTime");
        else if (sealing == 0) _refused(spec, "sealWindow");
        else if (revealing == 0) _refused(spec, "revealWindow");
        else if (window > 60 days || uint256(sealing) + revealing + replaying > window)
            _refused(spec, "challengeWindow");
        else this.check(spec);
    }

    function _refused(TaskSpec memory spec, string memory field) private view {
        (bool done, bytes memory answer) = address(this).staticcall(abi.encodeCall(this.check, (spec)));
        Check.isTrue(!done, field);
        bytes memory expected = abi.encodeWithSelector(ITrainingMarket.SpecInvalid.selector, field);
        Check.equal(keccak256(answer), keccak256(expected), field);
    }

    function _spec() private pure returns (TaskSpec memory spec) {
        spec.training.program.operatorCount = 1;
        spec.training.program.stateCount = 1;
        (spec.training.steps, spec.training.interval, spec.training.schedule.width) = (10, 3, 2);
        spec.training.initialStateRoot = bytes32(uint256(1));
        (spec.price, spec.solverBond, spec.challengerBond, spec.verifierFee) = (3_000, 6_000, 100, 10);
        (spec.draws, spec.sampleRate, spec.beaconDelay) = (2, 1_000, 1);
        (spec.checkpointTime, spec.replayTime) = (100, 50);
        (spec.sealWindow, spec.revealWindow, spec.challengeWindow) = (20, 30, 100);
        (spec.clock, spec.answerGrace) = (5 minutes, 1 minutes);
    }
}
