// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Reason} from "../interfaces/IDisputable.sol";
import {DescriptorProof, IDisputeGame, PartialChoice, StepProof} from "../interfaces/IDisputeGame.sol";
import {IReferee, StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {ChessClock, ChessClockLib, Side} from "../libraries/ChessClock.sol";
import {Descriptor} from "../libraries/Descriptor.sol";
import {Evidence} from "../libraries/Evidence.sol";
import {Partials} from "../libraries/Partials.sol";
import {Subject} from "../libraries/Subject.sol";
import {Tile} from "../libraries/Tile.sol";
import {Level, Walk, WalkLib} from "../libraries/Walk.sol";
import {Descent} from "./Descent.sol";

/// @notice Partials: a reduction too long to recompute is claimed in parts, and one part of it is walked down.
abstract contract PartialResults is Descent {
    using ChessClockLib for ChessClock;
    using WalkLib for Walk;

    bytes32 private constant PARTIALS_TYPEHASH = keccak256(
        "Partials(bytes32 disputeId,uint32 lo,uint32 hi,bytes32 claim,int256 exponent,bytes32 valuesRoot)"
    );

    /// @inheritdoc IDisputeGame
    IReferee public immutable referee;

    constructor(IReferee referee_) {
        referee = referee_;
    }

    /// @inheritdoc IDisputeGame
    function demandPartials(
        bytes32 disputeId,
        uint8 element,
        bytes calldata words,
        Subject calldata subject,
        DescriptorProof calldata descriptor
    ) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        _checkLevel(walk, Level.Tile);
        if (walk.ofState) revert PartialsUnsplittable();
        _checkSubject(disputeId, stored, subject);
        _checkTile(stored, words);
        uint32 word = Tile.word(words, element);
        Evidence.checkDescriptor(subject.training.program, descriptor, walk.tensor, false);
        walk.element = element;
        uint256 count = Descriptor.countOf(descriptor.descriptor);
        if (_elementIndex(walk) >= count) revert ElementOutside(_elementIndex(walk), count);
        uint256 length = Descriptor.lengthOf(descriptor.descriptor);
        if (length < 2) revert PartialsUnsplittable();
        walk.level = Level.Partials;
        walk.lo = 0;
        // SAFETY: a field of 32 bits.
        walk.hi = uint32(length);
        stored.range = walk.packRange();
        emit PartialsDemanded(disputeId, element, word, walk.hi);
        _moveTo(stored, bytes32(uint256(word)), walk, clock);
    }

    /// @inheritdoc IDisputeGame
    function claimPartials(
        bytes32 disputeId,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        int256 exponent,
        int256[16] calldata values
    ) external {
        if (msg.sender != subject.defendant) revert DisputeSender(msg.sender, subject.defendant);
        _claimPartials(disputeId, subject, descriptor, exponent, values, Partials.root(values));
    }

    /// @inheritdoc IDisputeGame
    function claimPartialsFor(
        bytes32 disputeId,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        int256 exponent,
        int256[16] calldata values,
        bytes calldata signature
    ) external {
        bytes32 valuesRoot = Partials.root(values);
        _checkSignature(subject.defendant, _partialsHash(disputeId, exponent, valuesRoot), signature);
        _claimPartials(disputeId, subject, descriptor, exponent, values, valuesRoot);
    }

    /// @inheritdoc IDisputeGame
    function choosePartial(bytes32 disputeId, PartialChoice calldata choice) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        _choosePart(stored, walk, choice);
        // A single product is adjudicated, not split.
        if (walk.hi - walk.lo == 1) revert PartialsRange(choice.part, walk.lo, walk.hi);
        stored.range = walk.packRange();
        emit PartialChosen(disputeId, choice.part, choice.value, walk.lo, walk.hi);
        _moveTo(stored, bytes32(uint256(choice.value)), walk, clock);
    }

    /// @inheritdoc IDisputeGame
    function adjudicatePartial(
        bytes32 disputeId,
        PartialChoice calldata choice,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        StepProof calldata step,
        TileWitness[] calldata witness
    ) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        _checkSubject(disputeId, stored, subject);
        clock.checkTime(block.timestamp);
        _choosePart(stored, walk, choice);
        Evidence.checkDescriptor(subject.training.program, descriptor, walk.tensor, false);
        StepRoots memory roots = Evidence.stepRoots(subject, step, walk.step, _segmentRoot(stored, subject));
        (int256 value, int256 exponent) = _partialValue(walk, descriptor.descriptor, roots, witness);
        _resolve(disputeId, value != choice.value || exponent != walk.exponent, Reason.Partial);
    }

    /// Row-major index of the walk's element in its tensor.
    function _elementIndex(Walk memory walk) internal pure returns (uint256) {
        return uint256(walk.index) * Tile.WORDS + walk.element;
    }

    function _claimPartials(
        bytes32 disputeId,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        int256 exponent,
        int256[16] calldata values,
        bytes32 valuesRoot
    ) private {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _load(disputeId, Side.Defendant);
        _checkLevel(walk, Level.Partials);
        _checkSubject(disputeId, stored, subject);
        Evidence.checkDescriptor(subject.training.program, descriptor, walk.tensor, false);
        for (uint256 part = Partials.used(walk.lo, walk.hi); part < Partials.PARTS; ++part) {
            if (values[part] != 0) revert PartialsUnused(part);
        }
        _checkClaim(stored, walk, descriptor.descriptor, exponent, values);
        // SAFETY: _checkClaim has bounded it.
        walk.exponent = int16(exponent);
        stored.node = valuesRoot;
        stored.range = walk.packRange();
        emit PartialsClaimed(disputeId, exponent, values);
        _pass(stored, walk, clock, Side.Challenger);
    }

    /// The values must combine to the claim that they refine: the element's word at first, then the chosen part's value.
    function _checkClaim(
        Stored storage stored,
        Walk memory walk,
        bytes calldata descriptor,
        int256 exponent,
        int256[16] calldata values
    ) private view {
        uint256 length = Descriptor.lengthOf(descriptor);
        int256 claim = int256(uint256(stored.node));
        int256 total = referee.combine(descriptor, values);
        if (walk.lo == 0 && walk.hi == length) {
            if (exponent != int16(exponent)) revert PartialsExponent(exponent);
            int256 word = int256(uint256(referee.finish(descriptor, total, exponent)));
            if (word != claim) revert PartialsMismatch(claim, word);
        } else {
            if (exponent != walk.exponent) revert PartialsExponent(exponent);
            if (total != claim) revert PartialsMismatch(claim, total);
        }
    }

    function _partialValue(
        Walk memory walk,
        bytes calldata descriptor,
        StepRoots memory roots,
        TileWitness[] calldata witness
    ) private view returns (int256 value, int256 exponent) {
        return referee.partialValue(descriptor, _elementIndex(walk), walk.lo, walk.hi, roots, witness);
    }

    /// Narrows the walk to a part whose claimed value is proved; only in the challenger's turn, when the node is a claim's root.
    function _choosePart(Stored storage stored, Walk memory walk, PartialChoice calldata choice) private view {
        _checkLevel(walk, Level.Partials);
        Partials.verify(stored.node, choice.part, choice.value, choice.siblings);
        (uint256 lo, uint256 hi) = Partials.range(walk.lo, walk.hi, choice.part);
        if (lo == hi) revert PartialsRange(choice.part, lo, hi);
        // SAFETY: both lie within the uint32 range being split.
        walk.lo = uint32(lo);
        walk.hi = uint32(hi);
    }

    function _partialsHash(bytes32 disputeId, int256 exponent, bytes32 valuesRoot) private view returns (bytes32) {
        Stored storage stored = _disputes[disputeId];
        Walk memory walk;
        walk.unpackRange(stored.range);
        return keccak256(abi.encode(PARTIALS_TYPEHASH, disputeId, walk.lo, walk.hi, stored.node, exponent, valuesRoot));
    }
}
