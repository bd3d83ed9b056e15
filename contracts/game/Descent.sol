// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Reason} from "../interfaces/IDisputable.sol";
import {Choice, DescriptorProof, IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {ChessClock, ChessClockLib, Side} from "../libraries/ChessClock.sol";
import {Descriptor} from "../libraries/Descriptor.sol";
import {Evidence} from "../libraries/Evidence.sol";
import {Opening} from "../libraries/Opening.sol";
import {Subject} from "../libraries/Subject.sol";
import {Tile} from "../libraries/Tile.sol";
import {TreeProof} from "../libraries/TreeProof.sol";
import {Level, Walk, WalkLib} from "../libraries/Walk.sol";
import {Answers} from "./Answers.sol";

/// @notice The way down the trees: openings and choices, from the segment to the words of a tile.
abstract contract Descent is Answers {
    using ChessClockLib for ChessClock;
    using WalkLib for Walk;

    /// @inheritdoc IDisputeGame
    function open(bytes32 disputeId, bytes32[] calldata children) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _load(disputeId, Side.Defendant);
        if (!walk.isInTree()) revert DisputeLevel(walk.level);
        uint256 expected = 1 << walk.span();
        if (children.length != expected) revert OpeningLength(expected, children.length);
        bytes32 folded = Opening.fold(children);
        if (folded != stored.node) revert OpeningMismatch(stored.node, folded);
        emit NodeOpened(disputeId, children);
        _pass(stored, walk, clock, Side.Challenger);
    }

    /// @inheritdoc IDisputeGame
    function choose(bytes32 disputeId, Choice calldata choice) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        _descend(stored, walk, choice);
        if (walk.isPadding()) {
            clock.checkTime(block.timestamp);
            _resolve(disputeId, choice.hash != TreeProof.zero(walk.height), Reason.Opening);
            return;
        }
        if (walk.height == 0) {
            if (walk.level != Level.Tensor) revert ChoiceReachesLeaf(walk.level);
            walk.level = Level.Tile;
        }
        emit ChildChosen(disputeId, choice.child, choice.hash);
        _moveTo(stored, choice.hash, walk, clock);
    }

    /// @inheritdoc IDisputeGame
    function enterStep(bytes32 disputeId, Choice calldata choice, Subject calldata subject) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        _checkLevel(walk, Level.Segment);
        _checkSubject(disputeId, stored, subject);
        _descendToLeaf(stored, walk, choice);
        walk.step = walk.index >> 1;
        if (walk.index & 1 == 0) walk.enter(Level.Trace, subject.training.program.operatorCount);
        else walk.enter(Level.State, subject.training.program.stateCount);
        emit StepEntered(disputeId, choice.child, choice.hash, walk.level, walk.step);
        _moveTo(stored, choice.hash, walk, clock);
    }

    /// @inheritdoc IDisputeGame
    function enterTensor(
        bytes32 disputeId,
        Choice calldata choice,
        Subject calldata subject,
        DescriptorProof calldata descriptor
    ) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        if (walk.level != Level.Trace && walk.level != Level.State) revert DisputeLevel(walk.level);
        _checkSubject(disputeId, stored, subject);
        _descendToLeaf(stored, walk, choice);
        walk.tensor = walk.index;
        walk.ofState = walk.level == Level.State;
        Evidence.checkDescriptor(subject.training.program, descriptor, walk.tensor, walk.ofState);
        uint256 count =
            walk.ofState
                ? Descriptor.decodeState(descriptor.descriptor).count
                : Descriptor.decode(descriptor.descriptor).count;
        walk.enter(Level.Tensor, Tile.tiles(count));
        if (walk.height == 0) walk.level = Level.Tile;
        emit TensorEntered(disputeId, choice.child, choice.hash, walk.tensor, walk.ofState, count);
        _moveTo(stored, choice.hash, walk, clock);
    }

    /// @inheritdoc IDisputeGame
    function openTile(bytes32 disputeId, bytes calldata words) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _load(disputeId, Side.Defendant);
        _checkLevel(walk, Level.Tile);
        _checkTile(stored, words);
        emit TileOpened(disputeId, words);
        _pass(stored, walk, clock, Side.Challenger);
    }

    function _descendToLeaf(Stored storage stored, Walk memory walk, Choice calldata choice) internal view {
        _descend(stored, walk, choice);
        if (walk.height != 0) revert ChoiceReachesNoLeaf(walk.height);
        if (walk.isPadding()) revert ChoiceInPadding(walk.index, walk.leaves);
    }

    /// Words of the tensor that the walk has entered, by its proved descriptor.
    function _tensorCount(
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        Walk memory walk
    ) internal pure returns (uint256 count) {
        Evidence.checkDescriptor(subject.training.program, descriptor, walk.tensor, walk.ofState);
        if (walk.ofState)
            count = Descriptor.decodeState(descriptor.descriptor).count;
            // INVARIANT (decodedOnEntry): a walk is in a tensor only after `enterTensor` has decoded this descriptor.
        else count = Descriptor.countOf(descriptor.descriptor);
    }

    function _checkTile(Stored storage stored, bytes calldata words) internal view {
        bytes32 actual = Tile.hash(words);
        if (actual != stored.node) revert OpeningMismatch(stored.node, actual);
    }

    function _descend(Stored storage stored, Walk memory walk, Choice calldata choice) private view {
        if (!walk.isInTree()) revert DisputeLevel(walk.level);
        uint256 levels = walk.span();
        if (choice.child >> levels != 0) revert ChoiceChild(choice.child, 1 << levels);
        TreeProof.verify(stored.node, choice.hash, choice.child, choice.siblings, levels);
        walk.descend(choice.child);
    }
}
