// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IDisputable, Reason} from "./interfaces/IDisputable.sol";
import {Choice, DescriptorProof, Dispute, IDisputeGame, PartialChoice, StepProof} from "./interfaces/IDisputeGame.sol";
import {IReferee, StepRoots, TileWitness} from "./interfaces/IReferee.sol";
import {ChessClock, ChessClockLib, Side} from "./libraries/ChessClock.sol";
import {Descriptor, Operator} from "./libraries/Descriptor.sol";
import {Digest} from "./libraries/Digest.sol";
import {Evidence} from "./libraries/Evidence.sol";
import {Opening} from "./libraries/Opening.sol";
import {Partials} from "./libraries/Partials.sol";
import {Subject} from "./libraries/Subject.sol";
import {SubjectHash} from "./libraries/SubjectHash.sol";
import {Tile} from "./libraries/Tile.sol";
import {TreeProof} from "./libraries/TreeProof.sol";
import {Level, Walk, WalkLib} from "./libraries/Walk.sol";

/// @notice The walk of docs/protocol.md, section 3: checks each move, keeps the position and the clocks, tells the market.
// INVARIANT: at every level exactly one side is to move, it has a move or loses by time, and every way down ends.
contract DisputeGame is IDisputeGame, EIP712 {
    using ChessClockLib for ChessClock;
    using WalkLib for Walk;

    struct Stored {
        bytes32 node;
        /// The Walk without its range and the ChessClock, packed: every move rewrites both, so they share a slot.
        uint256 position;
        address challenger;
        /// With the challenger, the market and the subject it gives the dispute's id, so that no move can bring another subject.
        uint96 nonce;
        address market;
        /// The Walk's range, packed; only used at Partials.
        uint96 range;
    }

    bytes32 private constant DISPUTE_V1_TYPEHASH = keccak256(
        "TouchstoneDisputeV1(uint256 chainId,address game,address market,bytes32 subjectHash,address challenger,uint256 nonce)"
    );
    bytes32 private constant ANSWER_TYPEHASH = keccak256(
        "Answer(address market,bytes32 subjectHash,bytes32 segmentRoot)"
    );
    bytes32 private constant PARTIALS_TYPEHASH = keccak256(
        "Partials(bytes32 disputeId,uint32 lo,uint32 hi,bytes32 claim,int256 exponent,bytes32 valuesRoot)"
    );

    /// @inheritdoc IDisputeGame
    IReferee public immutable referee;

    mapping(bytes32 disputeId => Stored) private _disputes;
    mapping(address market => mapping(bytes32 subjectHash => bytes32 segmentRoot)) private _answers;
    mapping(address market => uint96) private _nonces;

    constructor(IReferee referee_) EIP712("Touchstone DisputeGame", "1") {
        referee = referee_;
    }

    /// @inheritdoc IDisputeGame
    function openDispute(
        Subject calldata subject,
        address challenger,
        uint24 defendantClock,
        uint24 challengerClock
    ) external returns (bytes32 disputeId) {
        _checkParameters(subject, challenger, defendantClock, challengerClock);
        bytes32 subjectHash = SubjectHash.hash(subject);
        uint96 nonce = _nonces[msg.sender]++;
        disputeId = _disputeId(msg.sender, subjectHash, challenger, nonce);
        Stored storage stored = _disputes[disputeId];
        stored.market = msg.sender;
        stored.challenger = challenger;
        stored.nonce = nonce;
        ChessClock memory clock = ChessClock({
            turn: Side.Defendant,
            defendant: defendantClock,
            challenger: challengerClock,
            movedAt: uint40(block.timestamp)
        });
        emit DisputeOpened(disputeId, msg.sender, challenger, subjectHash, subject, clock);
        bytes32 segmentRoot = _answers[msg.sender][subjectHash];
        if (segmentRoot != 0) {
            _takeAnswer(disputeId, stored, clock, subject, segmentRoot);
        } else {
            Walk memory walk;
            walk.level = Level.Answer;
            _store(stored, walk, clock);
        }
    }

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
            keccak256(abi.encode(ANSWER_TYPEHASH, _disputes[disputeId].market, SubjectHash.hash(subject), segmentRoot)),
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
        emit ChildChosen(disputeId, choice.child, choice.hash, walk.level, walk.height, walk.index);
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
        uint256 count = _tensorCount(subject, descriptor, walk);
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
        Operator memory operator = Descriptor.decode(descriptor.descriptor);
        walk.element = element;
        if (_elementIndex(walk) >= operator.count) revert ElementOutside(_elementIndex(walk), operator.count);
        if (operator.length < 2) revert PartialsUnsplittable();
        walk.level = Level.Partials;
        walk.lo = 0;
        // SAFETY: a field of 32 bits.
        walk.hi = uint32(operator.length);
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

    /// @inheritdoc IDisputeGame
    function multicall(bytes[] calldata moves) external {
        // SAFETY: a call of the game by itself keeps the sender, and no move takes value.
        for (uint256 i = 0; i < moves.length; ++i) Address.functionDelegateCall(address(this), moves[i]);
    }

    /// @inheritdoc IDisputeGame
    function claimTimeout(bytes32 disputeId) external {
        ChessClock memory clock = _liveClock(disputeId);
        if (!clock.expired(block.timestamp)) revert TimeoutEarly(clock.deadline());
        _resolve(disputeId, clock.turn == Side.Defendant, Reason.Timeout);
    }

    /// @inheritdoc IDisputeGame
    function dispute(bytes32 disputeId) external view returns (Dispute memory) {
        Stored storage stored = _disputes[disputeId];
        Walk memory walk;
        ChessClock memory clock;
        _read(stored, walk, clock);
        return Dispute(stored.market, stored.challenger, stored.nonce, stored.node, walk, clock);
    }

    /// @inheritdoc IDisputeGame
    function challengerOf(bytes32 disputeId) external view returns (address) {
        return _disputes[disputeId].challenger;
    }

    /// @inheritdoc IDisputeGame
    function deadline(bytes32 disputeId) external view returns (uint256) {
        return _liveClock(disputeId).deadline();
    }

    /// @inheritdoc IDisputeGame
    function answerOf(address market, bytes32 subjectHash) external view returns (bytes32 segmentRoot) {
        return _answers[market][subjectHash];
    }

    /// @inheritdoc IDisputeGame
    function hashSubject(Subject calldata subject) external pure returns (bytes32) {
        return SubjectHash.hash(subject);
    }

    // Moves that several entries share.

    function _answer(
        bytes32 disputeId,
        Subject calldata subject,
        bytes32 segmentRoot,
        bytes32[] calldata siblings
    ) private {
        (Stored storage stored, Walk memory walk, ChessClock memory clock) = _load(disputeId, Side.Defendant);
        _checkLevel(walk, Level.Answer);
        _checkSubject(disputeId, stored, subject);
        mapping(bytes32 => bytes32) storage answers = _answers[stored.market];
        // INVARIANT: a subject has one answer, so that every dispute about it walks the same tree.
        bytes32 subjectHash = SubjectHash.hash(subject);
        if (answers[subjectHash] != 0) revert DisputeAnswered(disputeId);
        uint256 leaves = 2 * uint256(subject.stepCount);
        TreeProof.verify(segmentRoot, subject.endRoot, leaves - 1, siblings, TreeProof.depth(leaves));
        answers[subjectHash] = segmentRoot;
        _takeAnswer(disputeId, stored, clock, subject, segmentRoot);
    }

    function _takeAnswer(
        bytes32 disputeId,
        Stored storage stored,
        ChessClock memory clock,
        Subject calldata subject,
        bytes32 segmentRoot
    ) private {
        Walk memory walk;
        if (subject.digestRoot == 0) {
            walk.enter(Level.Segment, 2 * uint256(subject.stepCount));
            stored.node = segmentRoot;
            _pass(stored, walk, clock, Side.Defendant);
        } else {
            walk.level = Level.Fork;
            _pass(stored, walk, clock, Side.Challenger);
        }
        emit Answered(disputeId, segmentRoot, walk.level);
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
        uint256 length = Descriptor.decode(descriptor).length;
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

    function _descend(Stored storage stored, Walk memory walk, Choice calldata choice) private view {
        if (!walk.isInTree()) revert DisputeLevel(walk.level);
        uint256 levels = walk.span();
        if (choice.child >> levels != 0) revert ChoiceChild(choice.child, 1 << levels);
        TreeProof.verify(stored.node, choice.hash, choice.child, choice.siblings, levels);
        walk.descend(choice.child);
    }

    function _descendToLeaf(Stored storage stored, Walk memory walk, Choice calldata choice) private view {
        _descend(stored, walk, choice);
        if (walk.height != 0) revert ChoiceReachesNoLeaf(walk.height);
        if (walk.isPadding()) revert ChoiceInPadding(walk.index, walk.leaves);
    }

    /// Gives the turn away after the challenger has come to a node: a leaf needs no opening unless it is a tile.
    function _moveTo(Stored storage stored, bytes32 node, Walk memory walk, ChessClock memory clock) private {
        stored.node = node;
        bool leaf = walk.height == 0 && walk.isInTree();
        _pass(stored, walk, clock, leaf ? Side.Challenger : Side.Defendant);
    }

    function _pass(Stored storage stored, Walk memory walk, ChessClock memory clock, Side next) private {
        clock.move(next, block.timestamp);
        _store(stored, walk, clock);
    }

    function _store(Stored storage stored, Walk memory walk, ChessClock memory clock) private {
        stored.position = (uint256(walk.pack()) << 96) | clock.pack();
    }

    function _resolve(bytes32 disputeId, bool defendantConvicted, Reason reason) private {
        Stored storage stored = _disputes[disputeId];
        IDisputable market = IDisputable(stored.market);
        address challenger = stored.challenger;
        // INVARIANT: a dispute resolves once: it is gone before the market hears of it.
        delete _disputes[disputeId];
        emit DisputeResolved(disputeId, defendantConvicted, reason);
        market.onDisputeResolved(disputeId, challenger, defendantConvicted, reason);
    }

    // Reading and checking.

    function _load(
        bytes32 disputeId,
        Side turn
    ) private view returns (Stored storage stored, Walk memory walk, ChessClock memory clock) {
        stored = _disputes[disputeId];
        _read(stored, walk, clock);
        if (walk.level == Level.None) revert DisputeUnknown(disputeId);
        if (clock.turn != turn) revert DisputeTurn(clock.turn);
    }

    function _read(Stored storage stored, Walk memory walk, ChessClock memory clock) private view {
        uint256 position = stored.position;
        walk.unpack(uint152(position >> 96));
        if (walk.level == Level.Partials) walk.unpackRange(stored.range);
        clock.unpack(uint96(position));
    }

    function _liveClock(bytes32 disputeId) private view returns (ChessClock memory clock) {
        uint256 position = _disputes[disputeId].position;
        if (position == 0) revert DisputeUnknown(disputeId);
        clock.unpack(uint96(position));
    }

    function _loadForChallenger(
        bytes32 disputeId
    ) private view returns (Stored storage stored, Walk memory walk, ChessClock memory clock) {
        (stored, walk, clock) = _load(disputeId, Side.Challenger);
        if (msg.sender != stored.challenger) revert DisputeSender(msg.sender, stored.challenger);
    }

    function _segmentRoot(Stored storage stored, Subject calldata subject) private view returns (bytes32) {
        return _answers[stored.market][SubjectHash.hash(subject)];
    }

    function _disputeId(
        address market,
        bytes32 subjectHash,
        address challenger,
        uint96 nonce
    ) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(DISPUTE_V1_TYPEHASH, block.chainid, address(this), market, subjectHash, challenger, nonce)
            );
    }

    /// Words of the tensor that the walk is in, by its proved descriptor.
    function _tensorCount(
        Subject calldata subject,
        DescriptorProof calldata descriptor,
        Walk memory walk
    ) private pure returns (uint256 count) {
        Evidence.checkDescriptor(subject.training.program, descriptor, walk.tensor, walk.ofState);
        if (walk.ofState) count = Descriptor.decodeState(descriptor.descriptor).count;
        else count = Descriptor.decode(descriptor.descriptor).count;
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

    /// Row-major index of the walk's element in its tensor.
    function _elementIndex(Walk memory walk) private pure returns (uint256) {
        return uint256(walk.index) * Tile.WORDS + walk.element;
    }

    function _checkLevel(Walk memory walk, Level level) private pure {
        if (walk.level != level) revert DisputeLevel(walk.level);
    }

    function _checkSubject(bytes32 disputeId, Stored storage stored, Subject calldata subject) private view {
        bytes32 subjectHash = SubjectHash.hash(subject);
        bytes32 actual = _disputeId(stored.market, subjectHash, stored.challenger, stored.nonce);
        if (actual != disputeId) revert DisputeSubject(disputeId, subjectHash);
    }

    function _checkTile(Stored storage stored, bytes calldata words) private view {
        bytes32 actual = Tile.hash(words);
        if (actual != stored.node) revert OpeningMismatch(stored.node, actual);
    }

    function _partialsHash(bytes32 disputeId, int256 exponent, bytes32 valuesRoot) private view returns (bytes32) {
        Stored storage stored = _disputes[disputeId];
        Walk memory walk;
        walk.unpackRange(stored.range);
        return keccak256(abi.encode(PARTIALS_TYPEHASH, disputeId, walk.lo, walk.hi, stored.node, exponent, valuesRoot));
    }

    function _checkSignature(address defendant, bytes32 structHash, bytes calldata signature) private view {
        if (!SignatureChecker.isValidSignatureNowCalldata(defendant, _hashTypedDataV4(structHash), signature)) {
            revert DisputeSignature(defendant);
        }
    }

    function _checkParameters(
        Subject calldata subject,
        address challenger,
        uint24 defendantClock,
        uint24 challengerClock
    ) private pure {
        if (challenger == address(0) || defendantClock == 0 || challengerClock == 0) revert DisputeParameters();
        if (
            subject.stepCount == 0 ||
            subject.stepCount > type(uint32).max / 2 ||
            uint256(subject.firstStep) + subject.stepCount > subject.training.steps ||
            subject.training.program.operatorCount == 0 ||
            subject.training.program.stateCount == 0
        ) revert DisputeParameters();
    }
}
