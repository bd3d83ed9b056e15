// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Reason} from "./interfaces/IDisputable.sol";
import {Choice, DescriptorProof, IDisputeGame, StepProof} from "./interfaces/IDisputeGame.sol";
import {IReferee, StepRoots, TileWitness} from "./interfaces/IReferee.sol";
import {PartialResults} from "./game/PartialResults.sol";
import {ChessClock, ChessClockLib} from "./libraries/ChessClock.sol";
import {Descriptor} from "./libraries/Descriptor.sol";
import {Digest} from "./libraries/Digest.sol";
import {Evidence} from "./libraries/Evidence.sol";
import {Subject} from "./libraries/Subject.sol";
import {Tile} from "./libraries/Tile.sol";
import {TreeProof} from "./libraries/TreeProof.sol";
import {Level, Walk} from "./libraries/Walk.sol";

/// @notice The walk of docs/protocol.md, section 3, and the verdicts at its end.
/// @dev The rest is in contracts/game: Disputes (storage, clocks, outcome), Answers (the defendant's tree), Descent (down the trees),
/// PartialResults (down a reduction).
contract DisputeGame is PartialResults {
    using ChessClockLib for ChessClock;

    constructor(IReferee referee_) PartialResults(referee_) {}

    /// @inheritdoc IDisputeGame
    function adjudicate(
        bytes32 disputeId,
        uint8 element,
        bytes calldata words,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        StepProof calldata step,
        TileWitness[] calldata witness
    ) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        _checkLevel(walk, Level.Tile);
        _checkSubject(disputeId, stored, subject);
        _checkTile(stored, words);
        clock.checkTime(block.timestamp);
        walk.element = element;
        uint32 word = Tile.word(words, element);
        if (_elementIndex(walk) >= _tensorCount(subject, descriptor, walk)) {
            _resolve(disputeId, word != 0, Reason.Opening);
            return;
        }
        StepRoots memory roots = Evidence.stepRoots(subject, step, walk.step, _segmentRoot(stored, subject));
        bool differs = word != _expectedWord(walk, roots, descriptor.descriptor, witness);
        _resolve(disputeId, differs, walk.ofState ? Reason.Store : Reason.Element);
    }

    /// @inheritdoc IDisputeGame
    function adjudicateDigest(
        bytes32 disputeId,
        Choice calldata choice,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        bytes32 tileHash,
        bytes32[] calldata siblings
    ) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        _checkLevel(walk, Level.Digest);
        _checkSubject(disputeId, stored, subject);
        clock.checkTime(block.timestamp);
        _descendToLeaf(stored, walk, choice);
        uint256 step = walk.index;
        Evidence.checkDescriptor(subject.training.program, descriptor, Digest.tensor(subject, step), true);
        uint256 count = Descriptor.decodeState(descriptor.descriptor).count;
        (uint256 index, uint256 depth) = Digest.placement(subject, step, count);
        TreeProof.verify(_segmentRoot(stored, subject), tileHash, index, siblings, depth);
        _resolve(disputeId, tileHash != choice.hash, Reason.Digest);
    }

    /// What the element must be: its source's word in a state tensor, else the operator's by the referee.
    function _expectedWord(
        Walk memory walk,
        StepRoots memory roots,
        bytes calldata descriptor,
        TileWitness[] calldata witness
    ) private view returns (uint32) {
        if (!walk.ofState) return referee.element(descriptor, _elementIndex(walk), roots, witness);
        if (witness.length != 1) revert StoreWitness(witness.length);
        return Evidence.sourceWord(walk, roots, descriptor, witness[0]);
    }
}
