// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Attestation,
    AttestationStatus,
    ITrainingMarket,
    Segment,
    Task,
    TaskStatus
} from "../interfaces/ITrainingMarket.sol";
import {Beacon} from "../libraries/Beacon.sol";
import {Tasks} from "./Tasks.sol";

/// @notice The draw of verifiers and what they attest (docs/protocol.md, sections 5 and 6).
abstract contract Attestations is Tasks {
    mapping(bytes32 taskId => mapping(uint32 segment => mapping(address verifier => Attestation)))
        internal _attestations;

    /// @inheritdoc ITrainingMarket
    function draw(bytes32 taskId, uint32 segment) external {
        Segment storage record = _committed(taskId, segment);
        if (record.beacon != 0) revert SegmentDrawnAlready(record.beacon);
        Task storage stored = _tasks[taskId];
        bytes32 beacon = Beacon.read(uint256(record.committedBlock) + stored.beaconDelay, taskId, segment);
        record.beacon = beacon;
        emit SegmentDrawn(taskId, segment, beacon, Beacon.sampled(beacon, stored.sampleRate));
    }

    /// @inheritdoc ITrainingMarket
    function seal(bytes32 taskId, uint32 segment, uint256 draw_, bytes32 seal_) external {
        (Task storage stored, Attestation storage attestation, uint256 seat) = _asDrawn(taskId, segment, draw_);
        if (seal_ == 0) revert DigestEmpty();
        attestation.commitment = seal_;
        attestation.seat = uint32(seat);
        attestation.status = AttestationStatus.Sealed;
        // INVARIANT (feesReserved): a sealed attestation has its fee: at most `draws` a segment, each reserved here.
        stored.attested++;
        _occupy(seat);
        emit AttestationSealed(taskId, segment, msg.sender, seat);
    }

    /// @inheritdoc ITrainingMarket
    function reportUnavailable(bytes32 taskId, uint32 segment, uint256 draw_) external {
        (Task storage stored, Attestation storage attestation, ) = _asDrawn(taskId, segment, draw_);
        attestation.status = AttestationStatus.Unavailable;
        Segment storage record = _segments[taskId][segment];
        if (!record.extended) {
            record.extended = true;
            (, , uint256 challengeEnd) = _windows(stored, record);
            _extendFinal(stored, challengeEnd);
        }
        emit SegmentUnavailable(taskId, segment, msg.sender);
    }

    /// @inheritdoc ITrainingMarket
    function reveal(bytes32 taskId, uint32 segment, bytes32 salt, bytes32 digestRoot) external {
        Attestation storage attestation = _attestationIn(taskId, segment, msg.sender, AttestationStatus.Sealed);
        (uint256 sealEnd, uint256 revealEnd, ) = _windows(_tasks[taskId], _segments[taskId][segment]);
        if (block.timestamp <= sealEnd) revert TooEarly(sealEnd);
        if (block.timestamp > revealEnd) revert TooLate(revealEnd);
        if (digestRoot == 0) revert DigestEmpty();
        bytes32 expected = keccak256(abi.encode(taskId, segment, msg.sender, salt, digestRoot));
        if (expected != attestation.commitment) revert SealMismatch(attestation.commitment, expected);
        attestation.commitment = digestRoot;
        attestation.status = AttestationStatus.Revealed;
        emit AttestationRevealed(taskId, segment, msg.sender, digestRoot);
    }

    /// @inheritdoc ITrainingMarket
    function closeAttestation(bytes32 taskId, uint32 segment, address verifier) external {
        Attestation storage attestation = _attestations[taskId][segment][verifier];
        bool paid = attestation.status == AttestationStatus.Revealed;
        if (!paid && attestation.status != AttestationStatus.Sealed) {
            revert AttestationStatusWrong(attestation.status);
        }
        Task storage stored = _tasks[taskId];
        (, , uint256 challengeEnd) = _windows(stored, _segments[taskId][segment]);
        if (block.timestamp <= challengeEnd) revert TooEarly(challengeEnd);
        if (attestation.openDisputes != 0) revert DisputesOpen(attestation.openDisputes);
        attestation.status = AttestationStatus.Closed;
        _release(attestation.seat);
        emit AttestationClosed(taskId, segment, verifier, paid);
        _credit(paid ? verifier : stored.requester, stored.verifierFee);
    }

    /// @inheritdoc ITrainingMarket
    function attestationOf(
        bytes32 taskId,
        uint32 segment,
        address verifier
    ) external view returns (Attestation memory) {
        return _attestations[taskId][segment][verifier];
    }

    /// @inheritdoc ITrainingMarket
    function isDrawn(
        bytes32 taskId,
        uint32 segment,
        address verifier
    ) external view returns (bool drawn, uint256 draw_) {
        uint256 draws = _tasks[taskId].draws;
        for (; draw_ < draws; ++draw_) {
            (, address holder, bool counts) = drawnSeat(taskId, segment, draw_);
            if (counts && holder == verifier) return (true, draw_);
        }
        return (false, 0);
    }

    /// @inheritdoc ITrainingMarket
    function drawnSeat(
        bytes32 taskId,
        uint32 segment,
        uint256 draw_
    ) public view returns (uint256 seat, address verifier, bool counts) {
        Task storage stored = _tasks[taskId];
        Segment storage record = _segments[taskId][segment];
        if (record.beacon == 0) revert SegmentNotDrawn(taskId, segment);
        if (draw_ >= stored.draws) revert DrawWrong(draw_);
        if (record.seats == 0) return (0, address(0), false);
        uint256 place = Beacon.seat(record.beacon, draw_, record.seats);
        (seat, verifier) = _seatAt(place, uint256(record.committedBlock) - 1);
        counts = Beacon.sampled(record.beacon, stored.sampleRate);
    }

    function _attestationIn(
        bytes32 taskId,
        uint32 segment,
        address verifier,
        AttestationStatus status
    ) internal view returns (Attestation storage attestation) {
        attestation = _attestations[taskId][segment][verifier];
        if (attestation.status != status) revert AttestationStatusWrong(attestation.status);
    }

    /// The sender is drawn, in the seal window, and has not spoken yet.
    function _asDrawn(
        bytes32 taskId,
        uint32 segment,
        uint256 draw_
    ) private view returns (Task storage stored, Attestation storage attestation, uint256 seat) {
        stored = _taskIn(taskId, TaskStatus.Accepted);
        attestation = _attestationIn(taskId, segment, msg.sender, AttestationStatus.None);
        address verifier;
        bool counts;
        (seat, verifier, counts) = drawnSeat(taskId, segment, draw_);
        if (msg.sender != verifier) revert SenderNot(verifier);
        // A solver's word on its own work is worth nothing, and a dispute names its defendant by address alone.
        if (!counts || verifier == stored.solver) revert DrawWrong(draw_);
        (uint256 sealEnd, , ) = _windows(stored, _segments[taskId][segment]);
        if (block.timestamp > sealEnd) revert TooLate(sealEnd);
    }
}
