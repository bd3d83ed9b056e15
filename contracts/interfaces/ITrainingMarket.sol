// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Subject, Training} from "../libraries/Subject.sol";
import {IDisputable} from "./IDisputable.sol";
import {IDisputeGame} from "./IDisputeGame.sol";

/// @notice What a requester asks for. Amounts are in the market's token, windows in seconds of block time.
struct TaskSpec {
    Training training;
    /// Content id (SHA-256) of the task's package: where the program, the data and the initial state are described.
    bytes32 manifest;
    /// Contract told of the outcome (`ITrainingReceiver`), or zero.
    address receiver;
    /// Paid to the solver when the task settles.
    uint96 price;
    /// Staked by the solver. At least 2 · price, so that the burned half alone exceeds what cheating could gain.
    uint96 solverBond;
    /// Staked by a challenger, times one more than the defendant's live disputes. Between a 64th and a quarter of
    /// solverBond and, in a task that draws verifiers, at least a 64th of the seat stake.
    uint96 challengerBond;
    /// Paid for one attestation. At most a 64th of the seat stake.
    uint96 verifierFee;
    /// Seats drawn for a sampled segment, at most 32.
    uint16 draws;
    /// A segment is sampled with probability sampleRate / 65536.
    uint32 sampleRate;
    /// The solver's progress clock: seconds from one checkpoint to the next.
    uint32 checkpointTime;
    /// Declared seconds to replay the whole run from its start.
    uint32 replayTime;
    /// Blocks from a checkpoint to the block whose hash draws its verifiers; 1 to 255.
    uint16 beaconDelay;
    /// Seconds from a checkpoint to the end of sealing, from there to the end of revealing, and from the checkpoint to the end
    /// of challenging. challengeWindow ≥ sealWindow + revealWindow + replayTime.
    uint32 sealWindow;
    uint32 revealWindow;
    uint32 challengeWindow;
    /// Seconds of a side's chess clock in a dispute, at least 5 minutes; the defendant's grace, for each of its live
    /// disputes, at least 1 minute; the challenger's grace.
    uint24 clock;
    uint24 answerGrace;
    uint24 choiceGrace;
}

enum TaskStatus {
    None,
    /// Waits for a solver.
    Posted,
    /// Trains and commits.
    Accepted,
    /// All windows over, solver paid.
    Settled,
    /// The solver was convicted, or its progress clock ran out.
    Failed,
    /// Withdrawn by the requester before anyone accepted.
    Cancelled
}

/// @notice A task as the market stores it.
/// @dev Ordered so that a challenge reads four slots of it.
struct Task {
    address requester;
    uint96 price;
    address solver;
    uint96 challengerBond;
    address receiver;
    uint96 solverBond;
    bytes32 trainingHash;
    uint96 verifierFee;
    uint32 steps;
    uint32 interval;
    /// Checkpoints committed so far.
    uint32 committed;
    /// Attestations sealed so far; each has its fee reserved.
    uint32 attested;
    /// Open disputes against the solver.
    uint32 openDisputes;
    TaskStatus status;
    /// Whether the receiver has taken the outcome.
    bool notified;
    uint16 draws;
    uint16 beaconDelay;
    uint32 checkpointTime;
    uint32 sealWindow;
    uint32 revealWindow;
    uint32 challengeWindow;
    uint24 clock;
    uint24 answerGrace;
    uint24 choiceGrace;
    uint32 sampleRate;
    /// Block time of the acceptance or of the last checkpoint.
    uint40 progressAt;
    /// Block time at which the last challenge window ends.
    uint40 finalAt;
}

/// @notice A committed checkpoint.
struct Segment {
    bytes32 stateRoot;
    /// The draw's randomness; zero until `draw`.
    bytes32 beacon;
    uint40 committedAt;
    uint40 committedBlock;
    /// Seats that were active when the block before the checkpoint's ended.
    uint32 seats;
    /// Whether a drawn verifier reported the checkpoint unavailable, which extends the challenge window once.
    bool extended;
}

enum AttestationStatus {
    None,
    Sealed,
    Revealed,
    Unavailable,
    Convicted,
    Closed
}

/// @notice A drawn verifier's claim to have replayed a segment.
struct Attestation {
    /// The seal, then the revealed digestRoot.
    bytes32 commitment;
    /// The seat that it was drawn for, and that stands for it.
    uint32 seat;
    /// Open disputes against the verifier about this segment.
    uint32 openDisputes;
    AttestationStatus status;
}

/// @notice One unit of verifier stake.
struct Seat {
    address verifier;
    /// Block time of leaving or of the conviction; 0 while active.
    uint40 leftAt;
    /// Attestations that the seat stands for.
    uint16 live;
    /// Whether the stake has been withdrawn or forfeited.
    bool empty;
    /// Where an active seat stands in the list that draws take from.
    uint32 place;
}

/// @notice What the market keeps of an address, in one slot: whoever may be owed something has written to it before.
struct Account {
    /// Owed, and withdrawn by `withdraw`.
    uint144 credit;
    /// Tasks posted so far; the next one's nonce.
    uint40 tasks;
    /// Challenges made so far; the next dispute's nonce.
    uint40 challenges;
    /// Open disputes about its attestations, all tasks together.
    uint32 disputes;
}

/// @notice A dispute that the market opened.
struct DisputeRecord {
    bytes32 taskId;
    address defendant;
    uint32 segment;
    /// The challenger's bond, in units of the task's challengerBond; 0 when there is no such dispute.
    uint32 bonds;
}

/// @notice Tasks, escrow, checkpoints, the draw of verifiers, attestations, disputes and payouts (docs/protocol.md, sections 2,
/// 5, 6 and 7).
/// @dev No owner. Every amount owed is credited and withdrawn. Windows include their last second.
interface ITrainingMarket is IDisputable {
    event TaskPosted(bytes32 indexed taskId, address indexed requester, uint256 nonce, TaskSpec spec);
    event TaskCancelled(bytes32 indexed taskId);
    event TaskAccepted(bytes32 indexed taskId, address indexed solver);
    /// @param locator Content id (SHA-256) under which the solver publishes the checkpoint.
    event CheckpointAppended(bytes32 indexed taskId, uint32 indexed segment, bytes32 stateRoot, bytes32 locator);
    event TaskSettled(bytes32 indexed taskId, bytes32 finalStateRoot);
    event TaskFailed(bytes32 indexed taskId, address indexed solver, bool convicted);
    event ReceiverNotified(bytes32 indexed taskId, address indexed receiver, bool success, bool delivered);

    event SeatJoined(uint256 indexed seat, address indexed verifier);
    event SeatLeft(uint256 indexed seat);
    event SeatWithdrawn(uint256 indexed seat);
    event SegmentDrawn(bytes32 indexed taskId, uint32 indexed segment, bytes32 beacon, bool sampled);
    event SegmentUnavailable(bytes32 indexed taskId, uint32 indexed segment, address indexed verifier);
    event AttestationSealed(bytes32 indexed taskId, uint32 indexed segment, address indexed verifier, uint256 seat);
    event AttestationRevealed(
        bytes32 indexed taskId,
        uint32 indexed segment,
        address indexed verifier,
        bytes32 digestRoot
    );
    event AttestationClosed(bytes32 indexed taskId, uint32 indexed segment, address indexed verifier, bool paid);

    event Challenged(
        bytes32 indexed taskId,
        uint32 indexed segment,
        address indexed defendant,
        bytes32 disputeId,
        address challenger,
        uint256 bond
    );
    /// @notice The outcome of a dispute, as the market took it.
    event Convicted(bytes32 indexed taskId, uint32 indexed segment, address indexed defendant, bytes32 disputeId);
    event Upheld(bytes32 indexed taskId, uint32 indexed segment, address indexed defendant, bytes32 disputeId);
    event DisputeMoot(bytes32 indexed disputeId);
    event Credited(address indexed account, uint256 amount);
    event Withdrawn(address indexed account, uint256 amount);

    /// @notice `field` of the spec is out of its bounds.
    error SpecInvalid(string field);
    error TaskStatusWrong(bytes32 taskId, TaskStatus status);
    error SenderNot(address expected);
    /// @notice A window is over, or has not ended yet.
    error TooLate(uint256 deadline);
    error TooEarly(uint256 end);
    error CheckpointOrder(uint32 expected, uint32 actual);
    error CheckpointEmpty();
    error CheckpointsMissing(uint256 committed, uint256 segments);
    error CheckpointsComplete(uint256 segments);
    error SegmentUncommitted(bytes32 taskId, uint32 segment);
    error SegmentDrawnAlready(bytes32 beacon);
    error SegmentNotDrawn(bytes32 taskId, uint32 segment);
    error DrawWrong(uint256 draw);
    error SeatWrong(uint256 seat);
    error SeatBusy(uint256 seat, uint256 live);
    error AttestationStatusWrong(AttestationStatus status);
    error SealMismatch(bytes32 expected, bytes32 actual);
    error DigestEmpty();
    error TrainingMismatch(bytes32 expected, bytes32 actual);
    error DisputesOpen(uint256 count);
    error DisputeNotMoot(bytes32 disputeId);
    error NotifiedAlready(bytes32 taskId);
    error ReceiverMissing(bytes32 taskId);
    /// @notice The receiver could not be given its gas.
    error GasTooLow(uint256 available, uint256 needed);
    error NothingToWithdraw(address account);
    error AmountReceived(uint256 expected, uint256 actual);

    function token() external view returns (IERC20);

    function game() external view returns (IDisputeGame);

    /// @notice Stake behind one seat.
    function seatStake() external view returns (uint96);

    /// @notice Posts a task and escrows price + verifierFee · draws · segments.
    /// @dev taskId = keccak256(abi.encode(TASK_V1_TYPEHASH, chainId, market, requester, nonce, keccak256(abi.encode(spec)))).
    function post(TaskSpec calldata spec) external returns (bytes32 taskId);

    /// @notice By the requester, before anyone accepted: takes the escrow back.
    function cancel(bytes32 taskId) external;

    /// @notice Takes the task, stakes solverBond and starts the progress clock.
    function accept(bytes32 taskId) external;

    /// @notice By the solver, in order: commits the state after segment `segment`.
    function appendCheckpoint(bytes32 taskId, uint32 segment, bytes32 stateRoot, bytes32 locator) external;

    /// @notice Stakes `count` seats for the sender; numbers them from `firstSeat`.
    function joinSeats(uint256 count) external returns (uint256 firstSeat);

    /// @notice By the seat's verifier: takes the seat out of the draws of later checkpoints.
    function leaveSeat(uint256 seat) external;

    /// @notice By anyone: credits the stake of a seat that left at least EXIT_DELAY ago and stands for no attestation.
    function withdrawSeat(uint256 seat) external;

    /// @notice By anyone: fixes the randomness of a committed segment (docs/protocol.md, section 5).
    function draw(bytes32 taskId, uint32 segment) external;

    /// @notice By a drawn verifier, in the seal window: commits to a digest for the seat of draw `draw_`.
    /// @param seal_ keccak256(abi.encode(taskId, segment, verifier, salt, digestRoot)).
    function seal(bytes32 taskId, uint32 segment, uint256 draw_, bytes32 seal_) external;

    /// @notice By a drawn verifier, in the seal window: the checkpoint cannot be fetched. Extends the challenge window once.
    function reportUnavailable(bytes32 taskId, uint32 segment, uint256 draw_) external;

    /// @notice By a verifier that sealed, in the reveal window.
    function reveal(bytes32 taskId, uint32 segment, bytes32 salt, bytes32 digestRoot) external;

    /// @notice By anyone, after the challenge window: pays a revealed attestation, or returns the fee of one that was not.
    function closeAttestation(bytes32 taskId, uint32 segment, address verifier) external;

    /// @notice By anyone, in the challenge window: disputes a checkpoint (defendant = solver) or a revealed attestation.
    function challenge(
        bytes32 taskId,
        uint32 segment,
        address defendant,
        Training calldata training
    ) external returns (bytes32 disputeId);

    /// @notice By anyone: returns the bond of a dispute whose defendant was convicted in another one.
    function closeMoot(bytes32 disputeId) external;

    /// @notice By anyone, when every checkpoint is in, every window over and no dispute open: pays the solver.
    function settle(bytes32 taskId) external;

    /// @notice By anyone, when the progress clock has run out and no dispute is open against the solver: refunds the requester,
    /// gives the solver three quarters of its bond back and burns the rest.
    function expire(bytes32 taskId) external;

    /// @notice By anyone: tells the receiver of a settled or failed task, if it has not taken the outcome yet.
    function notify(bytes32 taskId) external;

    /// @notice By anyone: pays out what is credited to `account`, to it.
    function withdraw(address account) external;

    /// @notice What `withdraw` would pay to `account`.
    function credit(address account) external view returns (uint256);

    function accountOf(address account) external view returns (Account memory);

    function task(bytes32 taskId) external view returns (Task memory);

    function segmentOf(bytes32 taskId, uint32 segment) external view returns (Segment memory);

    /// @notice Last seconds of the segment's windows.
    function windowsOf(
        bytes32 taskId,
        uint32 segment
    ) external view returns (uint256 sealEnd, uint256 revealEnd, uint256 challengeEnd);

    function attestationOf(bytes32 taskId, uint32 segment, address verifier) external view returns (Attestation memory);

    function seatOf(uint256 seat) external view returns (Seat memory);

    function seatCount() external view returns (uint256);

    function disputeRecord(bytes32 disputeId) external view returns (DisputeRecord memory);

    /// @notice The seat that draw `draw_` of a drawn segment takes, and whether it counts (the segment is sampled).
    function drawnSeat(
        bytes32 taskId,
        uint32 segment,
        uint256 draw_
    ) external view returns (uint256 seat, address verifier, bool counts);

    /// @notice Whether `verifier` is drawn for a segment, and its first draw.
    function isDrawn(
        bytes32 taskId,
        uint32 segment,
        address verifier
    ) external view returns (bool drawn, uint256 draw_);

    /// @notice The bond that the next challenge of this defendant needs.
    function challengeBond(bytes32 taskId, uint32 segment, address defendant) external view returns (uint256);

    /// @notice The subject of a dispute about this defendant and segment.
    function subjectOf(
        bytes32 taskId,
        uint32 segment,
        address defendant,
        Training calldata training
    ) external view returns (Subject memory);

    /// @notice The state after the last step of a settled task; zero before.
    function finalStateRoot(bytes32 taskId) external view returns (bytes32);
}
