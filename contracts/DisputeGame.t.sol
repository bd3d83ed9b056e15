// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "./DisputeGame.sol";
import {IDisputable, Reason} from "./interfaces/IDisputable.sol";
import {IDisputeGame} from "./interfaces/IDisputeGame.sol";
import {IReferee} from "./interfaces/IReferee.sol";
import {Subject} from "./libraries/Subject.sol";
import {Level} from "./libraries/Walk.sol";
import {Check} from "./test/Check.sol";
import {VM} from "./test/campaign/Vm.sol";

/// A market's view of the game: names, parameters, verdicts. Whole disputes are in Campaign.t.sol and test/contracts.
contract DisputeGameTest is IDisputable {
    DisputeGame private immutable game = new DisputeGame(IReferee(address(0)));
    address private constant CHALLENGER = address(0xc0ffee);

    uint256 private verdicts;
    bool private convicted;

    function onDisputeResolved(bytes32, address, bool defendantConvicted, Reason) external {
        ++verdicts;
        convicted = defendantConvicted;
    }

    function test_openDispute_usesNoNameTwice() public {
        Subject memory subject = _subject();
        bytes32 id = game.openDispute(subject, CHALLENGER, 7, 100, 100);
        _refused(subject, 7, "while the first lives");
        VM.warp(block.timestamp + 101);
        game.claimTimeout(id);
        Check.equal(verdicts, 1, "verdicts");
        Check.isTrue(convicted, "the defendant was to move");
        Check.equal(uint256(game.dispute(id).walk.level), uint256(Level.None), "level");
        _refused(subject, 7, "after the first has ended");
        game.openDispute(subject, CHALLENGER, 8, 100, 100);
    }

    function testFuzz_openDispute_namesByEverything(uint64 nonce, address challenger, uint64 seed) public {
        Subject memory subject = _subject();
        subject.training.seed = seed;
        if (challenger == address(0)) challenger = CHALLENGER;
        bytes32 id = game.openDispute(subject, challenger, nonce, 100, 100);
        unchecked {
            Check.isTrue(game.openDispute(subject, challenger, nonce + 1, 100, 100) != id, "nonce");
        }
        Check.isTrue(game.openDispute(subject, address(~uint160(challenger)), nonce, 100, 100) != id, "challenger");
        subject.training.seed = ~seed;
        Check.isTrue(game.openDispute(subject, challenger, nonce, 100, 100) != id, "subject");
        DisputeGame other = new DisputeGame(IReferee(address(0)));
        subject.training.seed = seed;
        Check.isTrue(other.openDispute(subject, challenger, nonce, 100, 100) != id, "game");
        VM.prank(CHALLENGER);
        Check.isTrue(game.openDispute(subject, challenger, nonce, 100, 100) != id, "market");
    }

    function _refused(Subject memory subject, uint64 nonce, string memory what) private {
        (bool done, bytes memory answer) = address(game).call(
            abi.encodeCall(IDisputeGame.openDispute, (subject, CHALLENGER, nonce, 100, 100))
        );
        Check.isTrue(!done && bytes4(answer) == IDisputeGame.DisputeRepeated.selector, what);
    }

    function _subject() private pure returns (Subject memory subject) {
        subject.stepCount = 2;
        subject.training.steps = 2;
        (subject.training.program.operatorCount, subject.training.program.stateCount) = (1, 1);
    }
}
