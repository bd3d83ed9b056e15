// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IDisputable, Reason} from "./interfaces/IDisputable.sol";
import {IDisputeGame} from "./interfaces/IDisputeGame.sol";
import {
    Attestation,
    AttestationStatus,
    DisputeRecord,
    ITrainingMarket,
    Segment,
    Task,
    TaskStatus
} from "./interfaces/ITrainingMarket.sol";
import {Payout} from "./libraries/Payout.sol";
import {Subject, Training} from "./libraries/Subject.sol";
import {TrainingHash} from "./libraries/TrainingHash.sol";
import {Attestations} from "./market/Attestations.sol";
import {Credits} from "./market/Credits.sol";
import {Seats} from "./market/Seats.sol";

/// @notice The market, and its side of a dispute: who may be challenged, at what bond, and what a verdict costs.
/// @dev The rest is in contracts/market: Credits (money), Seats (stake), Tasks (life of a task), Attestations (replays).
contract TrainingMarket is Attestations {
    /// @inheritdoc ITrainingMarket
    IDisputeGame public immutable game;

    mapping(bytes32 disputeId => DisputeRecord) private _disputes;

    constructor(IERC20 token_, IDisputeGame game_, uint96 seatStake_) Credits(token_) Seats(seatStake_) {
        game = game_;
    }

    /// @inheritdoc ITrainingMarket
    function challenge(
        bytes32 taskId,
        uint32 segment,
        address defendant,
        Training calldata training
    ) external nonReentrant returns (bytes32 disputeId) {
        Subject memory subject = subjectOf(taskId, segment, defendant, training);
        Task storage stored = _tasks[taskId];
        (, , uint256 challengeEnd) = _windows(stored, _segments[taskId][segment]);
        if (block.timestamp > challengeEnd) revert TooLate(challengeEnd);
        uint32 live = _countDispute(taskId, segment, defendant);
        uint256 bond = uint256(live) * stored.challengerBond;
        _take(bond);
        disputeId = game.openDispute(
            subject,
            msg.sender,
            _accounts[msg.sender].challenges++,
            _seconds(stored.clock + uint256(live) * stored.answerGrace),
            _seconds(uint256(stored.clock) + stored.choiceGrace)
        );
        _disputes[disputeId] = DisputeRecord({taskId: taskId, defendant: defendant, segment: segment, bonds: live});
        emit Challenged(taskId, segment, defendant, disputeId, msg.sender, bond);
    }

    /// @inheritdoc IDisputable
    function onDisputeResolved(
        bytes32 disputeId,
        address challenger,
        bool defendantConvicted,
        Reason
    ) external nonReentrant {
        if (msg.sender != address(game)) revert SenderNot(address(game));
        DisputeRecord memory record = _disputes[disputeId];
        // Closed as moot before the walk ended.
        if (record.bonds == 0) return;
        bool moot = _isMoot(record);
        uint256 bond = _forget(disputeId, record);
        if (moot) {
            _returnBond(disputeId, challenger, bond);
        } else if (defendantConvicted) {
            emit Convicted(record.taskId, record.segment, record.defendant, disputeId);
            _convict(record, challenger, bond);
        } else {
            emit Upheld(record.taskId, record.segment, record.defendant, disputeId);
            (uint256 toDefendant, uint256 burned) = Payout.upheld(bond);
            _credit(record.defendant, toDefendant);
            _credit(Payout.BURNED, burned);
        }
    }

    /// @inheritdoc ITrainingMarket
    function closeMoot(bytes32 disputeId) external nonReentrant {
        DisputeRecord memory record = _disputes[disputeId];
        if (record.bonds == 0 || !_isMoot(record)) revert DisputeNotMoot(disputeId);
        // SAFETY: a record lives no longer than the game's dispute, whose verdict would have deleted it.
        _returnBond(disputeId, game.challengerOf(disputeId), _forget(disputeId, record));
    }

    /// @inheritdoc ITrainingMarket
    function disputeRecord(bytes32 disputeId) external view returns (DisputeRecord memory) {
        return _disputes[disputeId];
    }

    /// @inheritdoc ITrainingMarket
    function challengeBond(bytes32 taskId, uint32, address defendant) external view returns (uint256) {
        Task storage stored = _tasks[taskId];
        uint256 live = defendant == stored.solver ? stored.openDisputes : _accounts[defendant].disputes;
        return (live + 1) * stored.challengerBond;
    }

    /// @inheritdoc ITrainingMarket
    function subjectOf(
        bytes32 taskId,
        uint32 segment,
        address defendant,
        Training calldata training
    ) public view returns (Subject memory subject) {
        Task storage stored = _tasks[taskId];
        Segment storage record = _committed(taskId, segment);
        bytes32 trainingHash = TrainingHash.hash(training);
        if (trainingHash != stored.trainingHash) revert TrainingMismatch(stored.trainingHash, trainingHash);
        subject.training = training;
        subject.taskId = taskId;
        subject.segment = segment;
        subject.defendant = defendant;
        subject.startRoot = segment == 0 ? training.initialStateRoot : _segments[taskId][segment - 1].stateRoot;
        subject.endRoot = record.stateRoot;
        // SAFETY: a committed segment begins before the last step, and both are uint32.
        subject.firstStep = segment * training.interval;
        uint32 left = training.steps - subject.firstStep;
        subject.stepCount = left < training.interval ? left : training.interval;
        if (defendant != stored.solver) {
            subject.digestRoot = _attestationIn(taskId, segment, defendant, AttestationStatus.Revealed).commitment;
            subject.beacon = record.beacon;
        }
    }

    /// Adds a dispute to its defendant's live ones and returns their number: a solver's about this task, a verifier's about all of
    /// its attestations.
    // SAFETY: a solver's other tasks do not count, where disputes could be cheap: they would raise the bond for this one. No dispute
    // about an attestation is cheap (TaskRules, challengerBond).
    function _countDispute(bytes32 taskId, uint32 segment, address defendant) private returns (uint32) {
        Task storage stored = _tasks[taskId];
        if (defendant != stored.solver) {
            _attestations[taskId][segment][defendant].openDisputes++;
            return ++_accounts[defendant].disputes;
        }
        _taskIn(taskId, TaskStatus.Accepted);
        return ++stored.openDisputes;
    }

    /// Takes a dispute from its defendant's open ones and returns its bond.
    function _forget(bytes32 disputeId, DisputeRecord memory record) private returns (uint256 bond) {
        delete _disputes[disputeId];
        Task storage stored = _tasks[record.taskId];
        if (record.defendant == stored.solver) {
            stored.openDisputes--;
        } else {
            _attestations[record.taskId][record.segment][record.defendant].openDisputes--;
            _accounts[record.defendant].disputes--;
        }
        return uint256(record.bonds) * stored.challengerBond;
    }

    function _convict(DisputeRecord memory record, address challenger, uint256 bond) private {
        Task storage stored = _tasks[record.taskId];
        bool solver = record.defendant == stored.solver;
        uint256 stake = solver ? stored.solverBond : _convictVerifier(record);
        (uint256 toChallenger, uint256 toRequester, uint256 burned) = Payout.conviction(stake);
        _credit(challenger, bond + toChallenger);
        _credit(Payout.BURNED, burned);
        if (solver) _fail(record.taskId, stored, toRequester, true);
        else _credit(stored.requester, toRequester + stored.verifierFee);
    }

    function _convictVerifier(DisputeRecord memory record) private returns (uint256 stake) {
        Attestation storage attestation = _attestations[record.taskId][record.segment][record.defendant];
        attestation.status = AttestationStatus.Convicted;
        return _forfeit(attestation.seat);
    }

    function _returnBond(bytes32 disputeId, address challenger, uint256 bond) private {
        emit DisputeMoot(disputeId);
        _credit(challenger, bond);
    }

    /// Whether the defendant was convicted in another dispute: then this one has nothing left to decide.
    function _isMoot(DisputeRecord memory record) private view returns (bool) {
        Task storage stored = _tasks[record.taskId];
        if (record.defendant == stored.solver) return stored.status == TaskStatus.Failed;
        return _attestations[record.taskId][record.segment][record.defendant].status == AttestationStatus.Convicted;
    }

    /// A chess clock holds 24 bits of seconds.
    function _seconds(uint256 value) private pure returns (uint24) {
        return value > type(uint24).max ? type(uint24).max : uint24(value);
    }
}
