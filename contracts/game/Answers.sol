// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {ChessClock, Side} from "../libraries/ChessClock.sol";
import {Subject} from "../libraries/Subject.sol";
import {SubjectHash} from "../libraries/SubjectHash.sol";
import {TreeProof} from "../libraries/TreeProof.sol";
import {Level, Walk, WalkLib} from "../libraries/Walk.sol";
import {Disputes} from "./Disputes.sol";

/// @notice Answer and Fork: the defendant commits to its segment, and a verifier's challenger says which of its trees to walk.
abstract contract Answers is Disputes, EIP712 {
    using WalkLib for Walk;

    bytes32 private constant ANSWER_TYPEHASH = keccak256(
        "Answer(address market,bytes32 subjectHash,bytes32 segmentRoot)"
    );

    constructor() EIP712("Touchstone DisputeGame", "1") {}

    /// @inheritdoc IDisputeGame
    function answer(
        bytes32 disputeId,
        Subject calldata subject,
        bytes32 segmentRoot,
        bytes32[] calldata siblings
    ) external {
        if (msg.sender != subject.defendant) revert DisputeSender(msg.sender, subject.defendant);
        _answer(disputeId, subject, segmentRoot, siblings);
    }

    /// @inheritdoc IDisputeGame
    function answerFor(
        bytes32 disputeId,
        Subject calldata subject,
        bytes32 segmentRoot,
        bytes32[] calldata siblings,
        bytes calldata signature
    ) external {
        _checkSignature(
            subject.defendant,
            keccak256(
                abi.encode(ANSWER_TYPEHASH, _marketOf(_disputes[disputeId]), SubjectHash.hash(subject), segmentRoot)
            ),
            signature
        );
        _answer(disputeId, subject, segmentRoot, siblings);
    }

    /// @inheritdoc IDisputeGame
    function adopt(bytes32 disputeId, Subject calldata subject) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _load(disputeId, Side.Defendant);
        _checkLevel(walk, Level.Answer);
        _checkSubject(disputeId, stored, subject);
        bytes32 segmentRoot = _segmentRoot(stored, subject);
        if (segmentRoot == 0) revert DisputeUnanswered(disputeId);
        _takeAnswer(disputeId, stored, clock, subject, segmentRoot);
    }

    /// @inheritdoc IDisputeGame
    function enterTree(bytes32 disputeId, Subject calldata subject, bool digest) external {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _loadForChallenger(disputeId);
        _checkLevel(walk, Level.Fork);
        _checkSubject(disputeId, stored, subject);
        bytes32 node;
        if (digest) {
            walk.enter(Level.Digest, subject.stepCount);
            node = subject.digestRoot;
        } else {
            walk.enter(Level.Segment, 2 * uint256(subject.stepCount));
            node = _segmentRoot(stored, subject);
        }
        emit TreeEntered(disputeId, walk.level, node);
        _moveTo(stored, node, walk, clock);
    }

    function _checkSignature(address defendant, bytes32 structHash, bytes calldata signature) internal view {
        if (!SignatureChecker.isValidSignatureNowCalldata(defendant, _hashTypedDataV4(structHash), signature)) {
            revert DisputeSignature(defendant);
        }
    }

    function _answer(
        bytes32 disputeId,
        Subject calldata subject,
        bytes32 segmentRoot,
        bytes32[] calldata siblings
    ) private {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _load(disputeId, Side.Defendant);
        _checkLevel(walk, Level.Answer);
        _checkSubject(disputeId, stored, subject);
        mapping(bytes32 => bytes32) storage answers = _answers[_marketOf(stored)];
        // INVARIANT (oneAnswer): a subject has one answer, so that every dispute about it walks the same tree.
        bytes32 subjectHash = SubjectHash.hash(subject);
        if (answers[subjectHash] != 0) revert DisputeAnswered(disputeId);
        uint256 leaves = 2 * uint256(subject.stepCount);
        TreeProof.verify(segmentRoot, subject.endRoot, leaves - 1, siblings, TreeProof.depth(leaves));
        answers[subjectHash] = segmentRoot;
        _takeAnswer(disputeId, stored, clock, subject, segmentRoot);
    }
}
