// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Dispute} from "../../interfaces/IDisputeGame.sol";
import {
    Attestation,
    AttestationStatus,
    DisputeRecord,
    Seat,
    Segment,
    Task,
    TaskStatus
} from "../../interfaces/ITrainingMarket.sol";
import {ChessClock, Side} from "../../libraries/ChessClock.sol";
import {Payout} from "../../libraries/Payout.sol";
import {Level, Walk} from "../../libraries/Walk.sol";
import {Actor, Action, Played, Players} from "./Players.sol";
import {Vm, VM} from "./Vm.sol";

/// @notice What must hold after everything that anybody does; docs/invariants.md lists these checks by name.
abstract contract Invariants is Players {
    /// @notice An invariant does not hold; the figures are those compared.
    error InvariantBroken(string name, uint256 actual, uint256 expected);

    /// What was last seen of a live dispute.
    struct Seen {
        uint256 progress;
        Side turn;
        Level level;
        uint256 defendant;
        uint256 challenger;
        uint256 movedAt;
    }

    /// Credits that a verdict moves, before it.
    struct Before {
        uint256 challenger;
        uint256 defendant;
        uint256 requester;
        uint256 burned;
        uint256 stake;
        uint256 escrow;
        bool moot;
    }

    bytes32 private constant RESOLVED = keccak256("DisputeResolved(bytes32,bool,uint8)");
    uint256 private constant CONVICTED = 1;
    uint256 private constant UPHELD = 2;
    uint256 private constant MOOT = 3;

    /// What the players' contracts have said so far, for comparison.
    mapping(uint256 dispute => Seen) private _seen;
    mapping(uint256 task => TaskStatus) private _status;
    mapping(uint256 task => uint256) private _committed;
    mapping(uint256 task => mapping(uint256 segment => bytes32)) private _roots;
    mapping(uint256 task => mapping(uint256 segment => bytes32)) private _beacons;
    mapping(uint256 attestation => AttestationStatus) private _sworn;
    mapping(bytes32 subjectHash => bytes32) private _answers;
    mapping(uint256 seat => bool) private _emptied;
    /// Everything that the stated shares burn.
    uint256 internal burned;

    /// Coverage, as sets of small numbers: moves (from · 32 + to, of level · 2 + turn), verdicts (reason · 4 + outcome), time-outs
    /// (level · 2 + turn), and statuses (from · 8 + to).
    uint256[4] public moves;
    uint256 public verdicts;
    uint256 public timeouts;
    uint256 public taskSteps;
    uint256 public attestationSteps;

    function _require(bool holds, string memory name, uint256 actual, uint256 expected) internal pure {
        if (!holds) revert InvariantBroken(name, actual, expected);
    }

    function _equal(uint256 actual, uint256 expected, string memory name) internal pure {
        _require(actual == expected, name, actual, expected);
    }

    function _checkAll() internal {
        uint256 owed = _owedOfTasks() + _owedOfAttestations() + _owedOfDisputes() + _owedOfSeats();
        for (uint256 i = 0; i < Actor.COUNT; ++i) owed += market.credit(actors[i]);
        uint256 ashes = market.credit(Payout.BURNED) + token.balanceOf(Payout.BURNED);
        _equal(token.balanceOf(address(market)), owed + market.credit(Payout.BURNED), "solvency");
        _equal(ashes, burned, "burnedShare");
        _equal(token.balanceOf(address(game)), 0, "gameHoldsNothing");
    }

    function _owedOfTasks() private returns (uint256 owed) {
        for (uint256 t = 0; t < tasks.length; ++t) {
            Task memory task = market.task(tasks[t].id);
            uint256 most = 2 * uint256(task.draws);
            _require(task.attested <= most, "feesReserved", task.attested, most);
            if (task.status == TaskStatus.Posted || task.status == TaskStatus.Accepted)
                owed += task.price + task.verifierFee * (most - task.attested);
            if (task.status == TaskStatus.Accepted) owed += task.solverBond;
            _checkStatus(t, task);
            _checkSegments(t, task);
        }
    }

    function _checkStatus(uint256 t, Task memory task) private {
        TaskStatus before = _status[t];
        if (before == task.status) return;
        _status[t] = task.status;
        taskSteps |= 1 << (uint256(before) * 8 + uint256(task.status));
        bool ends = before == TaskStatus.Settled || before == TaskStatus.Failed || before == TaskStatus.Cancelled;
        _require(!ends, "outcomeStands", uint256(task.status), uint256(before));
        if (task.status != TaskStatus.Settled) return;
        _equal(task.openDisputes, 0, "settledUndisputed");
        _require(block.timestamp > task.finalAt, "settledAfterWindows", block.timestamp, task.finalAt);
        _require(uint256(tasks[t].lie) == 0, "noLieSettles", uint256(tasks[t].lie), 0);
    }

    function _checkSegments(uint256 t, Task memory task) private {
        _require(task.committed >= _committed[t], "checkpointsStand", task.committed, _committed[t]);
        _committed[t] = task.committed;
        for (uint32 g = 0; g < task.committed; ++g) {
            Segment memory segment = market.segmentOf(tasks[t].id, g);
            bytes32 root = _roots[t][g];
            if (root != 0) _equal(uint256(segment.stateRoot), uint256(root), "checkpointsStand");
            _roots[t][g] = segment.stateRoot;
            bytes32 beacon = _beacons[t][g];
            if (beacon != 0) _equal(uint256(segment.beacon), uint256(beacon), "beaconStands");
            _beacons[t][g] = segment.beacon;
            (, , uint256 challengeEnd) = market.windowsOf(tasks[t].id, g);
            _require(task.finalAt >= challengeEnd, "settledAfterWindows", task.finalAt, challengeEnd);
        }
    }

    function _owedOfAttestations() private returns (uint256 owed) {
        uint256[] memory live = new uint256[](market.seatCount());
        for (uint256 a = 0; a < attestations.length; ++a) {
            bytes32 taskId = tasks[attestations[a].task].id;
            address verifier = actors[attestations[a].verifier];
            Attestation memory attestation = market.attestationOf(taskId, attestations[a].segment, verifier);
            AttestationStatus before = _sworn[a];
            if (before != attestation.status) {
                attestationSteps |= 1 << (uint256(before) * 8 + uint256(attestation.status));
                bool ends = uint256(before) >= uint256(AttestationStatus.Unavailable);
                _require(!ends, "outcomeStands", uint256(attestation.status), uint256(before));
                _sworn[a] = attestation.status;
            }
            if (attestation.status != AttestationStatus.Sealed && attestation.status != AttestationStatus.Revealed)
                continue;
            owed += market.task(taskId).verifierFee;
            ++live[attestation.seat];
        }
        for (uint256 seat = 0; seat < live.length; ++seat) _equal(market.seatOf(seat).live, live[seat], "seatsStand");
    }

    function _owedOfDisputes() private returns (uint256 owed) {
        for (uint256 d = 0; d < disputes.length; ++d) {
            Played storage played = disputes[d];
            DisputeRecord memory record = market.disputeRecord(played.id);
            uint256 bond = uint256(record.bonds) * market.task(tasks[played.task].id).challengerBond;
            owed += bond;
            if (!played.live) {
                _equal(bond, 0, "oneVerdict");
                _equal(uint256(game.dispute(played.id).walk.level), uint256(Level.None), "oneVerdict");
                continue;
            }
            if (played.outcome != MOOT) _equal(bond, played.bond, "bondStands");
            bytes32 subjectHash = game.hashSubject(subjects[d]);
            bytes32 answer = game.answerOf(address(market), subjectHash);
            bytes32 before = _answers[subjectHash];
            if (before != 0) _equal(uint256(answer), uint256(before), "oneAnswer");
            _answers[subjectHash] = answer;
            _checkCounts(d);
        }
    }

    /// Records about the same defendant that were open before dispute `d`.
    function _openBefore(uint256 d) private view returns (uint256 records) {
        for (uint256 other = 0; other < d; ++other) if (_sameDefence(d, other)) ++records;
    }

    /// Whether both are counted together: a solver's in one task, a verifier's in all.
    function _sameDefence(uint256 d, uint256 other) private view returns (bool) {
        Played storage played = disputes[d];
        Played storage o = disputes[other];
        if (!o.live || o.outcome == MOOT || o.defendant != played.defendant) return false;
        return _isSolver(d) ? o.task == played.task : !_isSolver(other);
    }

    /// The market's counts of a defendant's open disputes are the numbers of records of it.
    function _checkCounts(uint256 d) private view {
        Played storage played = disputes[d];
        address defendant = actors[played.defendant];
        uint256 live;
        uint256 about;
        for (uint256 other = 0; other < disputes.length; ++other) {
            if (!_sameDefence(d, other)) continue;
            ++live;
            if (disputes[other].task == played.task && disputes[other].segment == played.segment) ++about;
        }
        bytes32 taskId = tasks[played.task].id;
        if (_isSolver(d)) {
            _equal(market.task(taskId).openDisputes, live, "bondsRise");
        } else {
            _equal(market.accountOf(defendant).disputes, live, "bondsRise");
            _equal(market.attestationOf(taskId, played.segment, defendant).openDisputes, about, "bondsRise");
        }
        uint256 bond = (live + 1) * market.task(taskId).challengerBond;
        _equal(market.challengeBond(taskId, played.segment, defendant), bond, "bondsRise");
    }

    function _owedOfSeats() private returns (uint256 owed) {
        uint256 count = market.seatCount();
        for (uint256 seat = 0; seat < count; ++seat) {
            Seat memory stored = market.seatOf(seat);
            _require(!_emptied[seat] || stored.empty, "stakeLeavesOnce", seat, 0);
            _require(!stored.empty || stored.leftAt != 0, "emptySeatsAreOut", seat, 0);
            _emptied[seat] = stored.empty;
            if (!stored.empty) owed += SEAT_STAKE;
        }
    }

    /// A dispute was opened: with the clocks that the task states, and the bond that the open ones make it.
    function _checkOpened(uint256 d) internal {
        Played storage played = disputes[d];
        Task memory task = market.task(tasks[played.task].id);
        uint256 open = _openBefore(d);
        for (uint256 other = 0; other < d; ++other) _require(disputes[other].id != played.id, "oneName", other, d);
        _equal(played.bond, (open + 1) * task.challengerBond, "bondsRise");
        Dispute memory dispute = game.dispute(played.id);
        _equal(dispute.clock.defendant, task.clock + (open + 1) * task.answerGrace, "statedClocks");
        _equal(dispute.clock.challenger, task.clock + task.choiceGrace, "statedClocks");
        _equal(dispute.clock.movedAt, block.timestamp, "statedClocks");
        _remember(d, dispute);
    }

    function _before(uint256 d) internal view returns (Before memory before) {
        Played storage played = disputes[d];
        bytes32 taskId = tasks[played.task].id;
        Task memory task = market.task(taskId);
        before.challenger = market.credit(actors[played.challenger]);
        before.defendant = market.credit(actors[played.defendant]);
        before.requester = market.credit(tasks[played.task].requester);
        before.burned = market.credit(Payout.BURNED);
        if (_isSolver(d)) {
            before.moot = task.status == TaskStatus.Failed;
            before.stake = task.solverBond;
            before.escrow = task.price + task.verifierFee * (2 * uint256(task.draws) - task.attested);
        } else {
            Attestation memory attestation = market.attestationOf(taskId, played.segment, actors[played.defendant]);
            before.moot = attestation.status == AttestationStatus.Convicted;
            before.stake = market.seatOf(attestation.seat).empty ? 0 : SEAT_STAKE;
            before.escrow = task.verifierFee;
        }
    }

    /// A move in dispute `d` was accepted.
    function _checkMoved(uint256 d, Action action, Before memory before) internal {
        Played storage played = disputes[d];
        Seen memory seen = _seen[d];
        Dispute memory dispute = game.dispute(played.id);
        uint256 place = uint256(seen.level) * 2 + uint256(seen.turn);
        uint256 reached = uint256(dispute.walk.level) * 2 + uint256(dispute.clock.turn);
        _cover(place, reached);
        uint256 events = _verdicts(d, before);
        if (dispute.walk.level == Level.None) {
            _equal(events, 1, "oneVerdict");
            if (action == Action.ClaimTimeout) {
                timeouts |= 1 << place;
                uint256 deadline = seen.movedAt + (seen.turn == Side.Defendant ? seen.defendant : seen.challenger);
                _require(block.timestamp > deadline, "lastSecondCounts", block.timestamp, deadline);
            }
            return;
        }
        _equal(events, 0, "oneVerdict");
        _checkClock(seen, dispute.clock);
        uint256 progress = _progress(dispute.walk, dispute.clock.turn);
        _require(progress > seen.progress, "everyMoveDescends", progress, seen.progress);
        _remember(d, dispute);
    }

    function _cover(uint256 from, uint256 to) private {
        uint256 edge = from * 32 + to;
        moves[edge / 256] |= 1 << (edge % 256);
    }

    /// Only the side that was to move pays, and exactly for the time that it took.
    function _checkClock(Seen memory seen, ChessClock memory clock) private view {
        uint256 spent = block.timestamp - seen.movedAt;
        bool defends = seen.turn == Side.Defendant;
        _equal(clock.defendant + (defends ? spent : 0), seen.defendant, "clocksOnlyFall");
        _equal(clock.challenger + (defends ? 0 : spent), seen.challenger, "clocksOnlyFall");
        _equal(clock.movedAt, block.timestamp, "clocksOnlyFall");
    }

    function _remember(uint256 d, Dispute memory dispute) private {
        _seen[d] = Seen({
            progress: _progress(dispute.walk, dispute.clock.turn),
            turn: dispute.clock.turn,
            level: dispute.walk.level,
            defendant: dispute.clock.defendant,
            challenger: dispute.clock.challenger,
            movedAt: dispute.clock.movedAt
        });
    }

    /// Grows with every move: the tree that the walk is in, how far down it is, and whether the node is open.
    function _progress(Walk memory walk, Side turn) private pure returns (uint256) {
        uint8[10] memory ranks = [0, 1, 2, 3, 4, 4, 5, 6, 7, 3];
        uint256 left = walk.level == Level.Partials ? walk.hi - walk.lo : walk.height;
        return (uint256(ranks[uint256(walk.level)]) << 64) + ((type(uint32).max - left) << 8) + uint256(turn);
    }

    /// What the verdict moved, to the wei; returns how many verdicts there were.
    function _verdicts(uint256 d, Before memory before) private returns (uint256 events) {
        Vm.Log[] memory logs = VM.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(game) || logs[i].topics[0] != RESOLVED) continue;
            _equal(uint256(logs[i].topics[1]), uint256(disputes[d].id), "oneVerdict");
            (bool convicted, uint256 reason) = abi.decode(logs[i].data, (bool, uint256));
            _settleVerdict(d, before, convicted, reason);
            ++events;
        }
    }

    function _settleVerdict(uint256 d, Before memory before, bool convicted, uint256 reason) private {
        Played storage played = disputes[d];
        _require(played.live, "oneVerdict", d, 0);
        played.live = false;
        bool closed = played.outcome == MOOT;
        uint256 outcome =
            closed || before.moot
                ? MOOT
                : convicted
                    ? CONVICTED
                    : UPHELD;
        played.outcome = outcome;
        verdicts |= 1 << (reason * 4 + outcome);
        Before memory gained = _gained(d, before);
        Before memory due;
        if (outcome == MOOT) {
            due.challenger = closed ? 0 : played.bond;
        } else if (convicted) {
            // The shares that docs/protocol.md states, not those that the library gives.
            due.challenger = before.stake / 4 + played.bond;
            due.requester = before.stake / 4 + before.escrow;
            due.burned = before.stake - 2 * (before.stake / 4);
        } else {
            due.defendant = played.bond / 2;
            due.burned = played.bond - played.bond / 2;
        }
        burned += due.burned;
        _equal(gained.challenger, due.challenger, "oneSidePays");
        _equal(gained.defendant, due.defendant, "oneSidePays");
        _equal(gained.requester, due.requester, "oneSidePays");
        _equal(gained.burned, due.burned, "burnedShare");
        bool honest = played.defendant == Actor.HONEST_SOLVER || played.defendant == Actor.HONEST_VERIFIER;
        if (outcome == CONVICTED) _require(!honest, "honestNeverConvicted", d, reason);
        if (outcome == UPHELD) {
            bool hopeless = played.challenger == Actor.HONEST_CHALLENGER && _isFalse(played.claim);
            _require(!hopeless, "liarsAreConvicted", d, reason);
        }
    }

    function _gained(uint256 d, Before memory before) private view returns (Before memory gained) {
        Played storage played = disputes[d];
        gained.challenger = market.credit(actors[played.challenger]) - before.challenger;
        gained.defendant = market.credit(actors[played.defendant]) - before.defendant;
        gained.requester = market.credit(tasks[played.task].requester) - before.requester;
        gained.burned = market.credit(Payout.BURNED) - before.burned;
    }

    /// When everything has come to its end and everybody has withdrawn.
    function _checkEmpty() internal view {
        _equal(token.balanceOf(address(market)), 0, "nothingLocked");
        uint256 total = token.balanceOf(Payout.BURNED);
        for (uint256 i = 0; i < Actor.COUNT; ++i) total += token.balanceOf(actors[i]);
        _equal(total, PURSE * Actor.COUNT, "nothingMade");
        _equal(token.balanceOf(Payout.BURNED), burned, "burnedShare");
        for (uint256 i = 0; i < disputes.length; ++i) _require(disputes[i].outcome != 0, "everyDisputeEnds", i, 0);
        uint256 left = token.balanceOf(actors[Actor.HONEST_CHALLENGER]);
        _require(left >= PURSE, "honestNeverPays", left, PURSE);
        left = token.balanceOf(actors[Actor.HONEST_VERIFIER]);
        _require(left >= PURSE, "honestNeverPays", left, PURSE);
    }

    function _isSolver(uint256 d) internal view returns (bool) {
        return disputes[d].defendant == tasks[disputes[d].task].solver;
    }
}
