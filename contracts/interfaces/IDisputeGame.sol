// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ChessClock, Side} from "../libraries/ChessClock.sol";
import {Subject} from "../libraries/Subject.sol";
import {Level, Walk} from "../libraries/Walk.sol";
import {Reason} from "./IDisputable.sol";
import {IReferee, TileWitness} from "./IReferee.sol";

/// @notice A child of the current node: `hash` is the `child`-th of its descendants `span` levels down (docs/protocol.md, section 1).
/// @dev `siblings` runs from the child up to the node: `span` hashes, none at height 0 (child 0, hash = node).
struct Choice {
    uint8 child;
    bytes32 hash;
    bytes32[] siblings;
}

/// @notice A descriptor and its siblings in `operatorsRoot` or `statesRoot`.
struct DescriptorProof {
    bytes descriptor;
    bytes32[] siblings;
}

/// @notice The disputed step's roots, proved against the defendant's segmentRoot.
/// @dev A root that the witness does not need is left at zero, with no siblings. The state before step 0 of a segment is the
/// subject's startRoot and has no siblings.
struct StepProof {
    bytes32 traceRoot;
    bytes32[] traceSiblings;
    bytes32 stateRoot;
    bytes32[] stateSiblings;
}

/// @notice One of the sixteen claimed values: `value` stands at leaf `part` of the claim's depth-4 tree.
struct PartialChoice {
    uint8 part;
    int256 value;
    bytes32[4] siblings;
}

/// @notice A dispute as the game stores it.
struct Dispute {
    address market;
    address challenger;
    /// The market's name for one of this challenger's disputes; part of the id, as the subject is.
    uint64 nonce;
    /// The current node; at Partials the claimed value itself, or the root over the sixteen claimed values.
    bytes32 node;
    Walk walk;
    ChessClock clock;
}

/// @notice Walks a disagreement from a segment to one number (docs/protocol.md, section 3).
/// @dev Holds no money and has no owner: any contract may open disputes, and is told their outcome (`IDisputable`). Every move
/// emits what the other side needs, so that a player can follow a dispute from the logs alone. A move must be made by the side
/// whose turn it is, except that anyone may make the moves that prove themselves (`adopt`, `open`, `openTile`) in the
/// defendant's turn, and anyone may claim a time-out.
interface IDisputeGame {
    /// @notice A market opened a dispute. At level Answer the defendant must answer; else an earlier answer was taken over.
    event DisputeOpened(
        bytes32 indexed disputeId,
        address indexed market,
        address indexed challenger,
        bytes32 subjectHash,
        Subject subject
    );
    /// @notice The defendant's segmentRoot for this dispute, by its answer or taken over from another dispute about the subject.
    /// At level Segment the defendant's side opens next, at level Fork the challenger enters a tree.
    event Answered(bytes32 indexed disputeId, bytes32 segmentRoot, Level level);
    /// @notice The challenger entered one of a verifier's two trees (Segment or Digest) at its root.
    event TreeEntered(bytes32 indexed disputeId, Level level, bytes32 node);
    /// @notice The descendants of the current node, `span` levels down.
    event NodeOpened(bytes32 indexed disputeId, bytes32[] children);
    /// @notice The challenger's choice. Where it leads follows from the node's position; a leaf of a tensor is its tile.
    event ChildChosen(bytes32 indexed disputeId, uint8 child, bytes32 node);
    /// @notice The choice that left the segment tree: `node` is the trace or state root of `step` (of the segment, from 0).
    event StepEntered(bytes32 indexed disputeId, uint8 child, bytes32 node, Level level, uint32 step);
    /// @notice The choice that left a trace or state tree: `node` is the root of a tensor of `count` words.
    event TensorEntered(
        bytes32 indexed disputeId,
        uint8 child,
        bytes32 node,
        uint32 tensor,
        bool ofState,
        uint256 count
    );
    /// @notice The words of the tile that the walk has reached.
    event TileOpened(bytes32 indexed disputeId, bytes words);
    /// @notice The challenger asks for the partial results of a word of the tile, over [0, length).
    event PartialsDemanded(bytes32 indexed disputeId, uint8 element, uint32 word, uint32 length);
    /// @notice The defendant's claim for the sixteen parts of the current range.
    event PartialsClaimed(bytes32 indexed disputeId, int256 exponent, int256[16] values);
    /// @notice The challenger wants the claimed value of [lo, hi) split further.
    event PartialChosen(bytes32 indexed disputeId, uint8 part, int256 value, uint32 lo, uint32 hi);
    /// @notice The end of a dispute.
    event DisputeResolved(bytes32 indexed disputeId, bool defendantConvicted, Reason reason);

    /// @notice No live dispute has this id.
    error DisputeUnknown(bytes32 disputeId);
    /// @notice The move does not exist at this level.
    error DisputeLevel(Level level);
    /// @notice It is the other side's turn.
    error DisputeTurn(Side turn);
    /// @notice The sender may not make this move.
    error DisputeSender(address sender, address expected);
    /// @notice The signature is not the defendant's on this claim.
    error DisputeSignature(address defendant);
    /// @notice The dispute is not about the subject with this hash.
    error DisputeSubject(bytes32 disputeId, bytes32 subjectHash);
    /// @notice The market has opened this dispute before.
    error DisputeRepeated(bytes32 disputeId);
    /// @notice A market asked for a dispute without time, or a subject that cannot be walked.
    error DisputeParameters();
    /// @notice `adopt` before anyone answered for the subject.
    error DisputeUnanswered(bytes32 disputeId);
    /// @notice The defendant has answered for this subject: `adopt` takes that answer over.
    error DisputeAnswered(bytes32 disputeId);
    /// @notice An opening needs `expected` children and has `actual`.
    error OpeningLength(uint256 expected, uint256 actual);
    /// @notice The children or the words do not hash to the node.
    error OpeningMismatch(bytes32 node, bytes32 actual);
    /// @notice `child` must be below 2^span.
    error ChoiceChild(uint8 child, uint256 children);
    /// @notice The choice reaches a leaf, which `enterStep`, `enterTensor` or `adjudicateDigest` must take.
    error ChoiceReachesLeaf(Level level);
    /// @notice The choice does not reach a leaf of the tree.
    error ChoiceReachesNoLeaf(uint256 height);
    /// @notice The choice lies in the padding, which `choose` decides.
    error ChoiceInPadding(uint32 index, uint32 leaves);
    /// @notice `element` must be below 64, and inside the tensor where its value is needed.
    error ElementOutside(uint256 element, uint256 count);
    /// @notice The element has no partial results: it is of a state tensor or reduces at most one position.
    error PartialsUnsplittable();
    /// @notice The claimed values do not combine to the claim that they refine.
    error PartialsMismatch(int256 expected, int256 actual);
    /// @notice A part beyond the range must be 0.
    error PartialsUnused(uint256 part);
    /// @notice The exponent must fit 16 bits, and stay the same through a dispute.
    error PartialsExponent(int256 exponent);
    /// @notice The part is empty, or cannot be split further.
    error PartialsRange(uint256 part, uint256 lo, uint256 hi);
    /// @notice A state tensor's source takes exactly one tile as witness.
    error StoreWitness(uint256 tiles);
    /// @notice The side to move still has time.
    error TimeoutEarly(uint256 deadline);

    /// @notice What decides an element.
    function referee() external view returns (IReferee);

    /// @notice A live dispute; of a resolved one its market, challenger and nonce remain (level None).
    function dispute(bytes32 disputeId) external view returns (Dispute memory);

    /// @notice The challenger of a dispute, live or resolved; zero when there was none.
    function challengerOf(bytes32 disputeId) external view returns (address);

    /// @notice The last second in which the side to move may move.
    function deadline(bytes32 disputeId) external view returns (uint256);

    /// @notice The segmentRoot that a subject's defendant has answered with in disputes of `market`; zero before.
    function answerOf(address market, bytes32 subjectHash) external view returns (bytes32 segmentRoot);

    /// @notice keccak256(abi.encode(subject)).
    function hashSubject(Subject calldata subject) external pure returns (bytes32);

    /// @notice Opens a dispute; the sender is the market that is told its outcome.
    /// @dev The market vouches for the subject and takes the bonds. The id is keccak256 of the domain, the chain, the game, the
    /// market, the subject's hash, the challenger and the nonce (docs/protocol.md, section 3): the same dispute has the same id
    /// whatever else happens on the chain, and no id is used twice.
    /// @param nonce Tells apart the disputes of one challenger about one subject.
    /// @param defendantClock Seconds for all of the defendant's moves together, its grace for answering included.
    /// @param challengerClock Seconds for all of the challenger's moves together, its grace for choosing included.
    function openDispute(
        Subject calldata subject,
        address challenger,
        uint64 nonce,
        uint24 defendantClock,
        uint24 challengerClock
    ) external returns (bytes32 disputeId);

    /// @notice Answer: the defendant commits to the tree of its segment, whose last state must be the checkpoint.
    /// @dev The answer serves every dispute of this market about the same subject; the others take it over by `adopt`.
    /// @param siblings Proof that leaf 2·stepCount − 1 of `segmentRoot` is the subject's endRoot.
    function answer(
        bytes32 disputeId,
        Subject calldata subject,
        bytes32 segmentRoot,
        bytes32[] calldata siblings
    ) external;

    /// @notice As `answer`, by anyone, with the defendant's EIP-712 signature on
    /// Answer(address market,bytes32 subjectHash,bytes32 segmentRoot).
    function answerFor(
        bytes32 disputeId,
        Subject calldata subject,
        bytes32 segmentRoot,
        bytes32[] calldata siblings,
        bytes calldata signature
    ) external;

    /// @notice Answer, by anyone: takes over the answer that the defendant gave in another dispute about the subject.
    function adopt(bytes32 disputeId, Subject calldata subject) external;

    /// @notice Fork, by the challenger: walk the verifier's digest, or its segment.
    function enterTree(bytes32 disputeId, Subject calldata subject, bool digest) external;

    /// @notice Segment, Trace, State, Tensor, Digest, by anyone: the node's 2^span descendants, which fold to it.
    function open(bytes32 disputeId, bytes32[] calldata children) external;

    /// @notice Segment, Trace, State, Tensor, Digest, by the challenger: the first child that differs from its own.
    /// @dev A child in the padding decides the dispute at once: a zero subtree convicts the challenger, anything else the
    /// defendant. A leaf of a tensor is its tile; other leaves are for `enterStep`, `enterTensor` and `adjudicateDigest`.
    function choose(bytes32 disputeId, Choice calldata choice) external;

    /// @notice Segment, by the challenger: the choice that reaches a leaf, a step's trace (even) or the state after it (odd).
    function enterStep(bytes32 disputeId, Choice calldata choice, Subject calldata subject) external;

    /// @notice Trace and State, by the challenger: the choice that reaches a leaf, with the tensor's descriptor.
    function enterTensor(
        bytes32 disputeId,
        Choice calldata choice,
        Subject calldata subject,
        DescriptorProof calldata descriptor
    ) external;

    /// @notice Tile, by anyone in the defendant's turn: the tile's 256 bytes.
    function openTile(bytes32 disputeId, bytes calldata words) external;

    /// @notice Tile, by the challenger: recompute word `element` (0 … 63) of the opened tile. Decides the dispute.
    /// @dev A word beyond the tensor must be 0 and needs no witness. A state tensor's word must equal the same word of its
    /// source, whose tile is the only witness.
    /// @param words The tile as opened.
    /// @param step The roots that the witness is proved against.
    /// @param witness For the referee (IReferee); for a state tensor the source's tile, nested in the step's root.
    function adjudicate(
        bytes32 disputeId,
        uint8 element,
        bytes calldata words,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        StepProof calldata step,
        TileWitness[] calldata witness
    ) external;

    /// @notice Tile, by the challenger: split the reduction behind word `element`.
    function demandPartials(
        bytes32 disputeId,
        uint8 element,
        bytes calldata words,
        Subject calldata subject,
        DescriptorProof calldata descriptor
    ) external;

    /// @notice Partials, by the defendant: the exact values of the range's sixteen parts.
    function claimPartials(
        bytes32 disputeId,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        int256 exponent,
        int256[16] calldata values
    ) external;

    /// @notice As `claimPartials`, by anyone, with the defendant's EIP-712 signature on
    /// Partials(bytes32 disputeId,uint32 lo,uint32 hi,bytes32 claim,int256 exponent,bytes32 valuesRoot), where `claim` is the
    /// node being split and `valuesRoot` the root over the sixteen values.
    function claimPartialsFor(
        bytes32 disputeId,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        int256 exponent,
        int256[16] calldata values,
        bytes calldata signature
    ) external;

    /// @notice Partials, by the challenger: the value to split further.
    function choosePartial(bytes32 disputeId, PartialChoice calldata choice) external;

    /// @notice Partials, by the challenger: recompute the value of one part. Decides the dispute.
    function adjudicatePartial(
        bytes32 disputeId,
        PartialChoice calldata choice,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        StepProof calldata step,
        TileWitness[] calldata witness
    ) external;

    /// @notice Digest, by the challenger: the choice that reaches a leaf, against the tile that it stands for. Decides the dispute.
    /// @param descriptor The state tensor at the leaf's position.
    /// @param tileHash The tile at the leaf's position, and its siblings up to the defendant's segmentRoot.
    function adjudicateDigest(
        bytes32 disputeId,
        Choice calldata choice,
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        bytes32 tileHash,
        bytes32[] calldata siblings
    ) external;

    /// @notice Several moves in one transaction, each as encoded calldata; all or none.
    /// @dev A challenger to whom the defendant has handed its opening makes it together with its own choice.
    function multicall(bytes[] calldata moves) external;

    /// @notice By anyone: the side to move has run out of time and loses.
    function claimTimeout(bytes32 disputeId) external;
}
