// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITrainingMarket, Segment, Task, TaskSpec, TaskStatus} from "../interfaces/ITrainingMarket.sol";
import {ITrainingReceiver} from "../interfaces/ITrainingReceiver.sol";
import {Payout} from "../libraries/Payout.sol";
import {TaskRules} from "../libraries/TaskRules.sol";
import {Seats} from "./Seats.sol";

/// @notice The life of a task: post, accept, commit, settle or fail (docs/protocol.md, section 2).
abstract contract Tasks is Seats {
    /// @notice Gas that a receiver's callback gets.
    uint256 public constant CALLBACK_GAS = 200_000;
    /// @dev For the call itself, beside the gas that it passes on.
    uint256 private constant CALL_OVERHEAD = 10_000;

    bytes32 private constant TASK_V1_TYPEHASH = keccak256(
        "TouchstoneTaskV1(uint256 chainId,address market,address requester,uint256 nonce,bytes32 specHash)"
    );

    mapping(bytes32 taskId => Task) internal _tasks;
    mapping(bytes32 taskId => mapping(uint32 segment => Segment)) internal _segments;

    /// @inheritdoc ITrainingMarket
    function post(TaskSpec calldata spec) external nonReentrant returns (bytes32 taskId) {
        TaskRules.check(spec, seatStake);
        uint256 nonce = _accounts[msg.sender].tasks++;
        taskId = keccak256(
            abi.encode(TASK_V1_TYPEHASH, block.chainid, address(this), msg.sender, nonce, keccak256(abi.encode(spec)))
        );
        _store(_tasks[taskId], spec);
        emit TaskPosted(taskId, msg.sender, nonce, spec);
        _take(uint256(spec.price) + _feesUnused(_tasks[taskId]));
    }

    /// @inheritdoc ITrainingMarket
    function cancel(bytes32 taskId) external {
        Task storage stored = _taskIn(taskId, TaskStatus.Posted);
        if (msg.sender != stored.requester) revert SenderNot(stored.requester);
        stored.status = TaskStatus.Cancelled;
        emit TaskCancelled(taskId);
        _credit(stored.requester, stored.price + _feesUnused(stored));
    }

    /// @inheritdoc ITrainingMarket
    function accept(bytes32 taskId) external nonReentrant {
        Task storage stored = _taskIn(taskId, TaskStatus.Posted);
        stored.status = TaskStatus.Accepted;
        stored.solver = msg.sender;
        stored.progressAt = uint40(block.timestamp);
        emit TaskAccepted(taskId, msg.sender);
        _take(stored.solverBond);
    }

    /// @inheritdoc ITrainingMarket
    function appendCheckpoint(bytes32 taskId, uint32 segment, bytes32 stateRoot, bytes32 locator) external {
        Task storage stored = _taskIn(taskId, TaskStatus.Accepted);
        if (msg.sender != stored.solver) revert SenderNot(stored.solver);
        uint32 committed = stored.committed;
        _checkIncomplete(stored);
        if (segment != committed) revert CheckpointOrder(committed, segment);
        if (stateRoot == 0) revert CheckpointEmpty();
        uint256 progressEnd = _progressEnd(stored);
        if (block.timestamp > progressEnd) revert TooLate(progressEnd);
        stored.committed = committed + 1;
        stored.progressAt = uint40(block.timestamp);
        _extendFinal(stored, block.timestamp + stored.challengeWindow);
        Segment storage record = _segments[taskId][segment];
        record.stateRoot = stateRoot;
        record.committedAt = uint40(block.timestamp);
        record.committedBlock = uint40(block.number);
        // The block before: nobody joins or leaves with the commit itself.
        record.seats = uint32(_activeAt(block.number - 1));
        emit CheckpointAppended(taskId, segment, stateRoot, locator);
    }

    /// @inheritdoc ITrainingMarket
    function settle(bytes32 taskId) external nonReentrant {
        Task storage stored = _taskIn(taskId, TaskStatus.Accepted);
        uint256 segments = _segmentCount(stored);
        if (stored.committed != segments) revert CheckpointsMissing(stored.committed, segments);
        if (block.timestamp <= stored.finalAt) revert TooEarly(stored.finalAt);
        // INVARIANT (settledUndisputed): the price leaves escrow only when no claim against the run can still be decided.
        if (stored.openDisputes != 0) revert DisputesOpen(stored.openDisputes);
        stored.status = TaskStatus.Settled;
        emit TaskSettled(taskId, _finalStateRoot(taskId, stored));
        _credit(stored.solver, uint256(stored.price) + stored.solverBond);
        _credit(stored.requester, _feesUnused(stored));
        if (stored.receiver != address(0)) _notify(taskId, stored);
    }

    /// @inheritdoc ITrainingMarket
    function expire(bytes32 taskId) external {
        Task storage stored = _taskIn(taskId, TaskStatus.Accepted);
        _checkIncomplete(stored);
        uint256 progressEnd = _progressEnd(stored);
        if (block.timestamp <= progressEnd) revert TooEarly(progressEnd);
        // INVARIANT (stoppedUndisputed): a solver under dispute cannot save its bond by stopping.
        if (stored.openDisputes != 0) revert DisputesOpen(stored.openDisputes);
        (uint256 burned, uint256 toSolver) = Payout.expiry(stored.solverBond);
        _fail(taskId, stored, 0, false);
        _credit(stored.solver, toSolver);
        _credit(Payout.BURNED, burned);
    }

    /// @inheritdoc ITrainingMarket
    function notify(bytes32 taskId) external nonReentrant {
        Task storage stored = _tasks[taskId];
        if (stored.status != TaskStatus.Settled && stored.status != TaskStatus.Failed) {
            revert TaskStatusWrong(taskId, stored.status);
        }
        if (stored.receiver == address(0)) revert ReceiverMissing(taskId);
        if (stored.notified) revert NotifiedAlready(taskId);
        _notify(taskId, stored);
    }

    /// @inheritdoc ITrainingMarket
    function task(bytes32 taskId) external view returns (Task memory) {
        return _tasks[taskId];
    }

    /// @inheritdoc ITrainingMarket
    function segmentOf(bytes32 taskId, uint32 segment) external view returns (Segment memory) {
        return _segments[taskId][segment];
    }

    /// @inheritdoc ITrainingMarket
    function windowsOf(
        bytes32 taskId,
        uint32 segment
    ) external view returns (uint256 sealEnd, uint256 revealEnd, uint256 challengeEnd) {
        return _windows(_tasks[taskId], _committed(taskId, segment));
    }

    /// @inheritdoc ITrainingMarket
    function finalStateRoot(bytes32 taskId) external view returns (bytes32) {
        Task storage stored = _tasks[taskId];
        return stored.status == TaskStatus.Settled ? _finalStateRoot(taskId, stored) : bytes32(0);
    }

    /// Ends a task without result: the escrow goes back, with the requester's share of the solver's bond.
    function _fail(bytes32 taskId, Task storage stored, uint256 toRequester, bool convicted) internal {
        stored.status = TaskStatus.Failed;
        emit TaskFailed(taskId, stored.solver, convicted);
        _credit(stored.requester, stored.price + _feesUnused(stored) + toRequester);
    }

    /// The later of the task's final second and another.
    function _extendFinal(Task storage stored, uint256 end) internal {
        // SAFETY: block time and windows of at most 2^32 seconds stay below 2^40.
        if (end > stored.finalAt) stored.finalAt = uint40(end);
    }

    function _taskIn(bytes32 taskId, TaskStatus status) internal view returns (Task storage stored) {
        stored = _tasks[taskId];
        if (stored.status != status) revert TaskStatusWrong(taskId, stored.status);
    }

    function _committed(bytes32 taskId, uint32 segment) internal view returns (Segment storage record) {
        record = _segments[taskId][segment];
        if (record.stateRoot == 0) revert SegmentUncommitted(taskId, segment);
    }

    /// Last seconds of sealing, revealing and challenging.
    function _windows(
        Task storage stored,
        Segment storage record
    ) internal view returns (uint256 sealEnd, uint256 revealEnd, uint256 challengeEnd) {
        uint256 start = record.committedAt;
        sealEnd = start + stored.sealWindow;
        revealEnd = sealEnd + stored.revealWindow;
        challengeEnd = start + (record.extended ? 2 : 1) * uint256(stored.challengeWindow);
    }

    // The outcome is recorded before, and kept whatever the receiver does.
    function _notify(bytes32 taskId, Task storage stored) private {
        bool success = stored.status == TaskStatus.Settled;
        address receiver = stored.receiver;
        // INVARIANT (receiverHasItsGas): nobody can starve the receiver and have the failure recorded: it gets its gas, or nothing
        // happens at all (a call passes on at most 63/64 of what is left).
        uint256 available = (gasleft() * 63) / 64;
        if (available < CALLBACK_GAS + CALL_OVERHEAD) revert GasTooLow(available, CALLBACK_GAS + CALL_OVERHEAD);
        bytes memory data = abi.encodeCall(ITrainingReceiver.onTrainingResolved, (taskId, success));
        bool delivered;
        // SAFETY: what the receiver returns is not copied, so its size costs nothing here.
        assembly ("memory-safe") {
            delivered := call(CALLBACK_GAS, receiver, 0, add(data, 0x20), mload(data), 0, 0)
        }
        if (delivered) stored.notified = true;
        emit ReceiverNotified(taskId, receiver, success, delivered);
    }

    function _store(Task storage stored, TaskSpec calldata spec) private {
        stored.requester = msg.sender;
        stored.price = spec.price;
        stored.solverBond = spec.solverBond;
        stored.receiver = spec.receiver;
        stored.challengerBond = spec.challengerBond;
        stored.trainingHash = keccak256(abi.encode(spec.training));
        stored.verifierFee = spec.verifierFee;
        stored.steps = spec.training.steps;
        stored.interval = spec.training.interval;
        stored.status = TaskStatus.Posted;
        stored.draws = spec.draws;
        stored.sampleRate = spec.sampleRate;
        stored.beaconDelay = spec.beaconDelay;
        stored.checkpointTime = spec.checkpointTime;
        stored.sealWindow = spec.sealWindow;
        stored.revealWindow = spec.revealWindow;
        stored.challengeWindow = spec.challengeWindow;
        stored.clock = spec.clock;
        stored.answerGrace = spec.answerGrace;
        stored.choiceGrace = spec.choiceGrace;
    }

    /// Fees escrowed for attestations that were not sealed.
    function _feesUnused(Task storage stored) private view returns (uint256) {
        uint256 most = _segmentCount(stored) * stored.draws;
        return uint256(stored.verifierFee) * (most - stored.attested);
    }

    function _checkIncomplete(Task storage stored) private view {
        uint256 segments = _segmentCount(stored);
        if (stored.committed == segments) revert CheckpointsComplete(segments);
    }

    function _segmentCount(Task storage stored) private view returns (uint256) {
        return TaskRules.segments(stored.steps, stored.interval);
    }

    function _progressEnd(Task storage stored) private view returns (uint256) {
        return uint256(stored.progressAt) + stored.checkpointTime;
    }

    function _finalStateRoot(bytes32 taskId, Task storage stored) private view returns (bytes32) {
        return _segments[taskId][stored.committed - 1].stateRoot;
    }
}
