// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITrainingMarket, TaskSpec} from "../interfaces/ITrainingMarket.sol";
import {Training} from "./Subject.sol";

/// @notice What a task's parameters must keep to, so that its disputes can be played and its bonds mean something.
library TaskRules {
    uint256 internal constant MAX_DRAWS = 32;
    uint256 internal constant MAX_BEACON_DELAY = 255;
    uint256 internal constant MAX_WINDOW = 60 days;
    /// @dev A defendant makes up to 30 moves, each in a block of its own, and has MIN_GRACE besides, so 360 seconds for 30 blocks: with
    /// less time an honest one could be convicted of nothing but being asked.
    uint256 internal constant MIN_CLOCK = 5 minutes;
    /// @dev Added for each dispute that the defendant has to play at the same time.
    uint256 internal constant MIN_GRACE = 1 minutes;
    /// @dev Of what a conviction is worth, so that nobody can bury a defendant under disputes that cost nothing.
    uint256 internal constant BOND_SHARE = 64;
    uint256 internal constant SAMPLE_ALWAYS = 65536;
    /// @dev A seat may stand for so many attestations; their fees together are then at most a quarter of its stake.
    uint256 internal constant MAX_LIVE = 16;
    uint256 internal constant FEE_SHARE = 64;

    function segments(uint256 steps, uint256 interval) internal pure returns (uint256) {
        return (steps + interval - 1) / interval;
    }

    /// @notice Reverts with the name of the first field that is out of bounds.
    function check(TaskSpec calldata spec, uint256 seatStake) internal view {
        _checkTraining(spec.training);
        _checkMoney(spec, seatStake);
        _checkTimes(spec);
        _require(spec.receiver == address(0) || spec.receiver.code.length > 0, "receiver");
    }

    function _checkTraining(Training calldata training) private pure {
        _require(training.program.operatorCount > 0, "operatorCount");
        _require(training.program.stateCount > 0, "stateCount");
        _require(training.steps > 0, "steps");
        _require(training.interval > 0 && training.interval <= training.steps, "interval");
        // A segment tree has two leaves a step and its indices are 32 bits.
        _require(training.interval <= type(uint32).max / 2, "interval");
        // The schedule is a tensor, and the words of a tensor are counted in 32 bits.
        _require(uint256(training.steps) * training.schedule.width <= type(uint32).max, "width");
        _require(training.initialStateRoot != 0, "initialStateRoot");
    }

    function _checkMoney(TaskSpec calldata spec, uint256 seatStake) private pure {
        _require(spec.solverBond >= 2 * uint256(spec.price), "solverBond");
        uint256 bond = spec.challengerBond;
        uint256 worth = spec.draws == 0 || spec.solverBond > seatStake ? spec.solverBond : seatStake;
        _require(bond > 0 && bond >= worth / BOND_SHARE && bond <= spec.solverBond / 4, "challengerBond");
        _require(spec.verifierFee <= seatStake / FEE_SHARE, "verifierFee");
    }

    function _checkTimes(TaskSpec calldata spec) private pure {
        _require(spec.draws <= MAX_DRAWS, "draws");
        _require(spec.sampleRate <= SAMPLE_ALWAYS, "sampleRate");
        _require(spec.beaconDelay > 0 && spec.beaconDelay <= MAX_BEACON_DELAY, "beaconDelay");
        _require(spec.checkpointTime > 0, "checkpointTime");
        _require(spec.replayTime > 0, "replayTime");
        _require(spec.sealWindow > 0, "sealWindow");
        _require(spec.revealWindow > 0, "revealWindow");
        uint256 needed = uint256(spec.sealWindow) + spec.revealWindow + spec.replayTime;
        _require(spec.challengeWindow >= needed && spec.challengeWindow <= MAX_WINDOW, "challengeWindow");
        _require(spec.clock >= MIN_CLOCK, "clock");
        _require(spec.answerGrace >= MIN_GRACE, "answerGrace");
    }

    /// @dev Names travel as words: literals of type string cost ten times the code.
    function _require(bool condition, bytes32 field) private pure {
        if (condition) return;
        bytes memory name = bytes.concat(field);
        uint256 length = 0;
        while (length < 32 && field[length] != 0) ++length;
        assembly ("memory-safe") {
            mstore(name, length)
        }
        revert ITrainingMarket.SpecInvalid(string(name));
    }
}
