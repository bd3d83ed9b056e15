// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IDisputable, Reason} from "../interfaces/IDisputable.sol";
import {Dispute, IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {ChessClock, ChessClockLib, Side} from "../libraries/ChessClock.sol";
import {Subject} from "../libraries/Subject.sol";
import {SubjectHash} from "../libraries/SubjectHash.sol";
import {Level, Walk, WalkLib} from "../libraries/Walk.sol";

/// @notice What is stored of a dispute: how it begins, whose turn it is, and how it ends.
// INVARIANT (alwaysAMove, everyMoveDescends): at every level exactly one side is to move, it has a move or loses by time, and
// every way down ends.
abstract contract Disputes is IDisputeGame {
    using ChessClockLib for ChessClock;
    using WalkLib for Walk;

    struct Stored {
        bytes32 node;
        /// The Walk without its range and the ChessClock, packed: every move rewrites both, so they share a slot.
        uint256 position;
        /// Never cleared: an id is used once.
        address challenger;
        /// With the challenger, the market and the subject it gives the dispute's id, so that no move can bring another subject.
        uint64 nonce;
        /// The market's number, which fits into the slot where its address does not.
        uint32 market;
        /// The Walk's range, packed; only used at Partials.
        uint96 range;
    }

    bytes32 private constant DISPUTE_V1_TYPEHASH = keccak256(
        "TouchstoneDisputeV1(uint256 chainId,address game,address market,bytes32 subjectHash,address challenger,uint256 nonce)"
    );

    mapping(bytes32 disputeId => Stored) internal _disputes;
    mapping(address market => mapping(bytes32 subjectHash => bytes32 segmentRoot)) internal _answers;
    /// Markets are numbered from 1 as they open their first dispute.
    mapping(address market => uint32 number) private _numbers;
    mapping(uint32 number => address market) private _markets;
    uint32 private _marketCount;

    /// @inheritdoc IDisputeGame
    function openDispute(
        Subject calldata subject,
        address challenger,
        uint64 nonce,
        uint24 defendantClock,
        uint24 challengerClock
    ) external returns (bytes32 disputeId) {
        _checkParameters(subject, challenger, defendantClock, challengerClock);
        bytes32 subjectHash = SubjectHash.hash(subject);
        disputeId = _disputeId(msg.sender, subjectHash, challenger, nonce);
        Stored storage stored = _disputes[disputeId];
        if (stored.challenger != address(0)) revert DisputeRepeated(disputeId);
        stored.challenger = challenger;
        stored.nonce = nonce;
        stored.market = _numberOf(msg.sender);
        ChessClock memory clock = ChessClock({
            turn: Side.Defendant,
            defendant: defendantClock,
            challenger: challengerClock,
            movedAt: uint40(block.timestamp)
        });
        emit DisputeOpened(disputeId, msg.sender, challenger, subjectHash, subject);
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
        return Dispute(_marketOf(stored), stored.challenger, stored.nonce, stored.node, walk, clock);
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

    function _takeAnswer(
        bytes32 disputeId,
        Stored storage stored,
        ChessClock memory clock,
        Subject calldata subject,
        bytes32 segmentRoot
    ) internal {
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

    /// Gives the turn away after the challenger has come to a node: a leaf needs no opening unless it is a tile.
    function _moveTo(Stored storage stored, bytes32 node, Walk memory walk, ChessClock memory clock) internal {
        stored.node = node;
        bool leaf = walk.height == 0 && walk.isInTree();
        _pass(stored, walk, clock, leaf ? Side.Challenger : Side.Defendant);
    }

    function _pass(Stored storage stored, Walk memory walk, ChessClock memory clock, Side next) internal {
        clock.move(next, block.timestamp);
        _store(stored, walk, clock);
    }

    function _resolve(bytes32 disputeId, bool defendantConvicted, Reason reason) internal {
        Stored storage stored = _disputes[disputeId];
        IDisputable market = IDisputable(_marketOf(stored));
        address challenger = stored.challenger;
        // INVARIANT (oneVerdict, oneName): a dispute resolves once: its walk is gone before the market hears of it, and its
        // challenger stays, so that no other can be opened under its name.
        delete stored.node;
        delete stored.position;
        delete stored.range;
        emit DisputeResolved(disputeId, defendantConvicted, reason);
        market.onDisputeResolved(disputeId, challenger, defendantConvicted, reason);
    }

    function _load(
        bytes32 disputeId,
        Side turn
    ) internal view returns (Stored storage stored, Walk memory walk, ChessClock memory clock) {
        stored = _disputes[disputeId];
        _read(stored, walk, clock);
        if (walk.level == Level.None) revert DisputeUnknown(disputeId);
        if (clock.turn != turn) revert DisputeTurn(clock.turn);
    }

    function _loadForChallenger(
        bytes32 disputeId
    ) internal view returns (Stored storage stored, Walk memory walk, ChessClock memory clock) {
        (stored, walk, clock) = _load(disputeId, Side.Challenger);
        if (msg.sender != stored.challenger) revert DisputeSender(msg.sender, stored.challenger);
    }

    function _segmentRoot(Stored storage stored, Subject calldata subject) internal view returns (bytes32) {
        return _answers[_marketOf(stored)][SubjectHash.hash(subject)];
    }

    function _marketOf(Stored storage stored) internal view returns (address) {
        return _markets[stored.market];
    }

    function _checkLevel(Walk memory walk, Level level) internal pure {
        if (walk.level != level) revert DisputeLevel(walk.level);
    }

    function _checkSubject(bytes32 disputeId, Stored storage stored, Subject calldata subject) internal view {
        bytes32 subjectHash = SubjectHash.hash(subject);
        bytes32 actual = _disputeId(_marketOf(stored), subjectHash, stored.challenger, stored.nonce);
        if (actual != disputeId) revert DisputeSubject(disputeId, subjectHash);
    }

    function _store(Stored storage stored, Walk memory walk, ChessClock memory clock) private {
        stored.position = (uint256(walk.pack()) << 96) | clock.pack();
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

    function _numberOf(address market) private returns (uint32 number) {
        number = _numbers[market];
        if (number == 0) {
            number = ++_marketCount;
            _numbers[market] = number;
            _markets[number] = market;
        }
    }

    function _disputeId(
        address market,
        bytes32 subjectHash,
        address challenger,
        uint64 nonce
    ) private view returns (bytes32) {
        return
            keccak256(
                abi.encode(DISPUTE_V1_TYPEHASH, block.chainid, address(this), market, subjectHash, challenger, nonce)
            );
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
