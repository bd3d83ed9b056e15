// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputable, Reason} from "../../interfaces/IDisputable.sol";
import {Dispute, IDisputeGame} from "../../interfaces/IDisputeGame.sol";
import {IReferee} from "../../interfaces/IReferee.sol";
import {
    Attestation,
    AttestationStatus,
    ITrainingMarket,
    Seat,
    Task,
    TaskSpec,
    TaskStatus
} from "../../interfaces/ITrainingMarket.sol";
import {Side} from "../../libraries/ChessClock.sol";
import {Payout} from "../../libraries/Payout.sol";
import {Subject} from "../../libraries/Subject.sol";
import {Level} from "../../libraries/Walk.sol";
import {Moves} from "./Moves.sol";
import {ACTIONS, Action, Actor, Played, Players, Posted, Sworn} from "./Players.sol";
import {Claim, Lie, World} from "./World.sol";

/// @notice One life of a market: everybody acts in an order that the dice give, and at the end everything is brought to its end.
/// @dev Who is honest in it is also diligent: time does not pass over the clock of its move. Silence is the others' (`silentAt`).
contract Campaign is Moves {
    uint256 private constant TASKS = 3;
    bytes32 private constant SALT = keccak256("salt");

    /// Who may be lazy is silent where a walk stands at this level and turn (level · 2 + turn); 0 for nowhere.
    uint256 private immutable silentAt;
    /// The first lie told.
    Lie private immutable firstLie;

    constructor(
        World world_,
        IReferee referee,
        uint256 seed,
        uint256 silentAt_,
        Lie firstLie_
    ) Players(world_, referee, seed) {
        silentAt = silentAt_;
        firstLie = firstLie_;
        // Seats from the first block on, in most lives.
        if (_roll(4) != 0) for (uint256 i = 0; i < 3; ++i) _join();
    }

    /// @notice Somebody does something, and everything is checked.
    function act() external {
        _advance(1, 1);
        uint256 what = _roll(100);
        if (what < 52) {
            if (!_playSome()) _trade();
        } else if (what < 86) {
            _trade();
        } else if (what < 93) {
            _wait();
        } else {
            _meddle();
        }
        _checkAll();
    }

    /// @notice Everything comes to its end: disputes, tasks, attestations, seats, credits.
    function finish() external {
        _watch(type(uint40).max);
        _endDisputes();
        _endTasks();
        for (uint256 a = 0; a < attestations.length; ++a) _tryCloseAttestation(a);
        uint256 seats = market.seatCount();
        for (uint256 seat = 0; seat < seats; ++seat) {
            Seat memory stored = market.seatOf(seat);
            if (stored.leftAt == 0) _leave(seat, stored);
        }
        _advance(1 days, 10);
        for (uint256 seat = 0; seat < seats; ++seat) {
            Seat memory stored = market.seatOf(seat);
            if (!stored.empty) _must(_withdrawSeat(seat, stored), "nothingLocked");
        }
        _checkAll();
        for (uint256 i = 0; i < Actor.COUNT; ++i) _withdraw(actors[i]);
        _withdraw(Payout.BURNED);
        _checkEmpty();
    }

    /// @notice What was called how often, and what was done in which order.
    function report() external view returns (uint32[ACTIONS] memory, uint32[ACTIONS] memory, bytes memory) {
        return (tried, done, history);
    }

    // ——— disputes ———

    function _playSome() private returns (bool) {
        uint256 d = _liveDispute();
        if (d == type(uint256).max) return false;
        return _play(d);
    }

    /// The next move of a dispute, if who makes it is not silent there.
    function _play(uint256 d) private returns (bool) {
        if (block.timestamp > game.deadline(disputes[d].id)) return _claimTimeout(d);
        if (_isSilent(d)) return false;
        bool accepted = _move(d);
        // Whoever has time and a strategy always has a move.
        _must(accepted, "alwaysAMove");
        return true;
    }

    /// Every other dispute has sides that may fall silent, unless they are diligent; where few walks come to, every one has.
    function _isSilent(uint256 d) private view returns (bool) {
        bool rare = silentAt / 2 >= uint256(Level.Partials);
        return (rare || d % 2 == 0) && _place(d) == silentAt && !_moverIsDiligent(d);
    }

    function _claimTimeout(uint256 d) private returns (bool) {
        Before memory before = _before(d);
        bytes memory data = abi.encodeCall(IDisputeGame.claimTimeout, (disputes[d].id));
        _must(_call(Action.ClaimTimeout, Actor.STRANGER, address(game), data), "timeoutClaimable");
        _checkMoved(d, Action.ClaimTimeout, before);
        return true;
    }

    function _place(uint256 d) private view returns (uint256) {
        (Level level, Side turn) = (game.dispute(disputes[d].id).walk.level, game.dispute(disputes[d].id).clock.turn);
        return uint256(level) * 2 + uint256(turn);
    }

    function _liveDispute() private returns (uint256) {
        uint256 count = disputes.length;
        if (count == 0) return type(uint256).max;
        uint256 first = _roll(count);
        for (uint256 i = 0; i < count; ++i) if (disputes[(first + i) % count].live) return (first + i) % count;
        return type(uint256).max;
    }

    /// Honest sides move before time passes; the honest challenger has seen what there is to see.
    function _settleDown(uint256 second) private {
        _watch(second);
        for (uint256 d = 0; d < disputes.length; ++d) while (disputes[d].live && _heeds(d, second)) _play(d);
    }

    /// Whether the side to move does so before time passes to a second: the diligent always, most others when they would lose.
    function _heeds(uint256 d, uint256 second) private view returns (bool) {
        if (_moverIsDiligent(d)) return true;
        uint256 deadline = game.deadline(disputes[d].id);
        return d % 3 != 0 && second > deadline && time <= deadline && !_isSilent(d);
    }

    function _endDisputes() private {
        for (uint256 d = 0; d < disputes.length; ++d) {
            while (disputes[d].live) {
                bool acts = _moverIsDiligent(d) || (_roll(16) != 0 && !_isSilent(d));
                if (acts) {
                    _play(d);
                } else {
                    _passTo(game.deadline(disputes[d].id) + 1);
                    if (disputes[d].live) _play(d);
                }
            }
        }
    }

    /// Time passes up to a second, after the honest have done what they had to.
    function _passTo(uint256 second) private {
        if (second <= time) return;
        _settleDown(second);
        _advance(second - time, (second - time) / 12 + 1);
        for (uint256 t = 0; t < tasks.length; ++t) {
            if (market.task(tasks[t].id).openDisputes == 0) continue;
            _must(!_settle(t), "settledUndisputed");
            _must(!_expire(t), "stoppedUndisputed");
        }
    }

    // ——— the market ———

    /// The first thing that can be tried, beginning anywhere; half of the time with what leads to attestations.
    function _trade() private {
        if ((_aboutDigests() || _roll(2) == 0) && (_reveal() || _seal() || _draw() || _challengeAttestation())) return;
        uint256 first = _roll(18);
        for (uint256 i = 0; i < 18; ++i) if (_tradeOne((first + i) % 18)) return;
    }

    function _tradeOne(uint256 what) private returns (bool) {
        if (what < 2) return _post();
        if (what == 2) return _roll(6) == 0 && _cancel();
        if (what < 5) return _accept();
        if (what < 7) return _append();
        if (what == 7) return _join();
        if (what == 8) return _roll(4) == 0 && _leaveOrWithdrawSeat();
        if (what == 9) return _draw();
        if (what < 12) return _seal();
        if (what == 12) return _reveal();
        if (what == 13) return attestations.length != 0 && _tryCloseAttestation(_roll(attestations.length));
        if (what < 16) return _challengeSome();
        if (what == 16) return _closeMoot() || (tasks.length != 0 && _end(_roll(tasks.length)));
        return _withdraw(_roll(4) == 0 ? Payout.BURNED : actors[_roll(Actor.COUNT)]);
    }

    function _post() private returns (bool) {
        if (tasks.length == TASKS) return false;
        uint256 requester = _roll(2);
        TaskSpec memory spec;
        spec.training = training;
        spec.price = uint96(900 + _roll(100));
        spec.solverBond = uint96(2 * spec.price + _roll(7));
        spec.challengerBond = uint96(101 + _roll(50));
        spec.verifierFee = uint96(_roll(100));
        spec.draws = uint16(_aboutDigests() ? 3 : _roll(4));
        spec.sampleRate = !_aboutDigests() && _roll(4) == 0 ? 20_000 : 65_536;
        (spec.checkpointTime, spec.replayTime) = (900, 100);
        spec.beaconDelay = 2;
        (spec.sealWindow, spec.revealWindow, spec.challengeWindow) = (500, 300, 1_000);
        (spec.clock, spec.answerGrace, spec.choiceGrace) = (300, 60, uint24(_roll(60)));
        bytes memory data = abi.encodeCall(ITrainingMarket.post, (spec));
        Posted memory posted;
        posted.requester = actors[requester];
        bool accepted;
        (accepted, posted.id) = _callFor(Action.Post, requester, address(market), data);
        _must(accepted, "post");
        tasks.push(posted);
        return true;
    }

    function _taskIn(TaskStatus status) private returns (bool, uint256) {
        uint256 count = tasks.length;
        if (count == 0) return (false, 0);
        uint256 first = _roll(count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 t = (first + i) % count;
            if (market.task(tasks[t].id).status == status) return (true, t);
        }
        return (false, 0);
    }

    function _cancel() private returns (bool) {
        (bool found, uint256 t) = _taskIn(TaskStatus.Posted);
        if (!found) return false;
        uint256 requester = tasks[t].requester == actors[0] ? 0 : 1;
        bytes memory data = abi.encodeCall(ITrainingMarket.cancel, (tasks[t].id));
        return _call(Action.Cancel, requester, address(market), data);
    }

    function _accept() private returns (bool) {
        (bool found, uint256 t) = _taskIn(TaskStatus.Posted);
        if (!found) return false;
        Posted storage posted = tasks[t];
        posted.solver = _roll(3) == 0 && !(t == 0 && firstLie != Lie.None) ? Actor.HONEST_SOLVER : Actor.FALSE_SOLVER;
        if (posted.solver == Actor.FALSE_SOLVER) {
            // The first false one tells the campaign's lie, later ones whatever comes.
            posted.lie = t == 0 ? firstLie : Lie(_roll(uint256(type(Lie).max) + 1));
            posted.lieSegment = uint32(_roll(2));
            posted.lieStep = uint32(
                posted.lieSegment == 1
                    ? 0
                    : posted.lie == Lie.Word
                        ? 2
                        : _roll(3)
            );
            posted.place = uint32(2 + _roll(world.WORDS() - 2));
            posted.leaf = _roll(3) == 0;
        }
        bytes memory data = abi.encodeCall(ITrainingMarket.accept, (posted.id));
        return _call(Action.Accept, posted.solver, address(market), data);
    }

    function _append() private returns (bool) {
        (bool found, uint256 t) = _taskIn(TaskStatus.Accepted);
        if (!found) return false;
        Posted storage posted = tasks[t];
        Task memory task = market.task(posted.id);
        if (task.committed == 2 || block.timestamp > uint256(task.progressAt) + task.checkpointTime) return false;
        uint32 g = task.committed;
        Claim memory claim;
        if (g == 1) claim.start = world.endState(claims[t][0]);
        claim.stepCount = g == 0 ? 3 : 1;
        if (posted.lie != Lie.None && posted.lieSegment == g)
            (claim.lie, claim.lieStep, claim.place) = (posted.lie, posted.lieStep, posted.place);
        claim.leaf = posted.leaf && g == 0;
        claims[t][g] = claim;
        bytes32 root = world.stateRoot(world.endState(claim));
        bytes memory data = abi.encodeCall(ITrainingMarket.appendCheckpoint, (posted.id, g, root, bytes32(0)));
        _must(_call(Action.AppendCheckpoint, posted.solver, address(market), data), "append");
        return true;
    }

    function _join() private returns (bool) {
        if (market.seatCount() >= 6) return false;
        uint256 actor = Actor.FALSE_SOLVER + _roll(3);
        bytes memory data = abi.encodeCall(ITrainingMarket.joinSeats, (1 + _roll(2)));
        return _call(Action.JoinSeats, actor, address(market), data);
    }

    function _leaveOrWithdrawSeat() private returns (bool) {
        uint256 count = market.seatCount();
        if (count == 0) return false;
        uint256 seat = _roll(count);
        Seat memory stored = market.seatOf(seat);
        if (stored.leftAt == 0) return _leave(seat, stored);
        return _withdrawSeat(seat, stored);
    }

    function _withdrawSeat(uint256 seat, Seat memory stored) private returns (bool) {
        bytes memory data = abi.encodeCall(ITrainingMarket.withdrawSeat, (seat));
        if (!_call(Action.WithdrawSeat, Actor.STRANGER, address(market), data)) return false;
        _must(stored.live == 0, "seatsStand");
        _must(stored.leftAt != 0 && block.timestamp >= stored.leftAt + 1 days, "seatsStand");
        return true;
    }

    function _leave(uint256 seat, Seat memory stored) private returns (bool) {
        uint256 holder = _actorOf(stored.verifier);
        return _call(Action.LeaveSeat, holder, address(market), abi.encodeCall(ITrainingMarket.leaveSeat, (seat)));
    }

    function _actorOf(address account) private view returns (uint256 actor) {
        while (actors[actor] != account) ++actor;
    }

    function _segmentSome() private returns (bool found, uint256 t, uint32 g) {
        uint256 count = tasks.length;
        if (count == 0) return (false, 0, 0);
        t = _roll(count);
        uint32 committed = market.task(tasks[t].id).committed;
        if (committed == 0) return (false, 0, 0);
        return (true, t, uint32(_roll(3) == 0 ? 0 : committed - 1));
    }

    function _draw() private returns (bool) {
        (bool found, uint256 t, uint32 g) = _segmentSome();
        if (!found || market.segmentOf(tasks[t].id, g).beacon != 0) return false;
        bytes memory data = abi.encodeCall(ITrainingMarket.draw, (tasks[t].id, g));
        return _call(Action.Draw, Actor.STRANGER, address(market), data);
    }

    /// Somebody who is drawn for a segment, in its seal window, and has not spoken yet, does so.
    function _seal() private returns (bool) {
        for (uint256 t = 0; t < tasks.length; ++t) {
            uint32 committed = market.task(tasks[t].id).committed;
            for (uint32 g = 0; g < committed; ++g) if (_roll(2) == 0 && _sealIn(t, g)) return true;
        }
        return false;
    }

    function _sealIn(uint256 t, uint32 g) private returns (bool) {
        bytes32 taskId = tasks[t].id;
        uint16 draws = market.task(taskId).draws;
        (uint256 sealEnd, , ) = market.windowsOf(taskId, g);
        if (market.segmentOf(taskId, g).beacon == 0 || block.timestamp > sealEnd) return false;
        for (uint256 draw = 0; draw < draws; ++draw) {
            (, address holder, bool counts) = market.drawnSeat(taskId, g, draw);
            if (!counts || market.attestationOf(taskId, g, holder).status != AttestationStatus.None) continue;
            uint256 verifier = _actorOf(holder);
            // An honest verifier attests no false checkpoint; the solver's own seat is refused.
            if (verifier == Actor.HONEST_VERIFIER && _isFalse(claims[t][g])) continue;
            if (verifier == tasks[t].solver) {
                _refused(verifier, address(market), abi.encodeCall(ITrainingMarket.seal, (taskId, g, draw, SALT)));
                continue;
            }
            return _speak(Sworn(t, g, verifier, 0, 0), draw);
        }
        return false;
    }

    function _speak(Sworn memory sworn, uint256 draw) private returns (bool accepted) {
        bytes32 taskId = tasks[sworn.task].id;
        bool silent = !_aboutDigests() && _roll(6) == 0;
        bytes memory data = abi.encodeCall(ITrainingMarket.reportUnavailable, (taskId, sworn.segment, draw));
        if (!silent) {
            if (sworn.verifier != Actor.HONEST_VERIFIER && (_aboutDigests() || _roll(3) != 0))
                sworn.digestLie = uint32(1 + _roll(claims[sworn.task][sworn.segment].stepCount));
            bytes32 beacon = market.segmentOf(taskId, sworn.segment).beacon;
            address verifier = actors[sworn.verifier];
            sworn.digestRoot = world.digestRoot(_sworn(sworn), beacon, verifier);
            bytes32 seal = keccak256(abi.encode(taskId, sworn.segment, verifier, SALT, sworn.digestRoot));
            data = abi.encodeCall(ITrainingMarket.seal, (taskId, sworn.segment, draw, seal));
        }
        accepted = _call(silent ? Action.ReportUnavailable : Action.Seal, sworn.verifier, address(market), data);
        if (accepted) attestations.push(sworn);
    }

    /// What the verifier claims: the solver's segment, with its own digest.
    function _sworn(Sworn memory sworn) private view returns (Claim memory claim) {
        claim = claims[sworn.task][sworn.segment];
        claim.digestLie = sworn.digestLie;
    }

    function _reveal() private returns (bool) {
        for (uint256 a = 0; a < attestations.length; ++a) {
            Sworn memory sworn = attestations[a];
            bytes32 taskId = tasks[sworn.task].id;
            (uint256 sealEnd, uint256 revealEnd, ) = market.windowsOf(taskId, sworn.segment);
            if (block.timestamp <= sealEnd || block.timestamp > revealEnd) continue;
            if (_statusOf(sworn) != AttestationStatus.Sealed) continue;
            bytes memory data = abi.encodeCall(ITrainingMarket.reveal, (taskId, sworn.segment, SALT, sworn.digestRoot));
            return _call(Action.Reveal, sworn.verifier, address(market), data);
        }
        return false;
    }

    function _statusOf(Sworn memory sworn) private view returns (AttestationStatus) {
        return market.attestationOf(tasks[sworn.task].id, sworn.segment, actors[sworn.verifier]).status;
    }

    function _tryCloseAttestation(uint256 a) private returns (bool accepted) {
        Sworn memory sworn = attestations[a];
        bytes32 taskId = tasks[sworn.task].id;
        Attestation memory before = market.attestationOf(taskId, sworn.segment, actors[sworn.verifier]);
        bytes memory data = abi.encodeCall(
            ITrainingMarket.closeAttestation,
            (taskId, sworn.segment, actors[sworn.verifier])
        );
        accepted = _call(Action.CloseAttestation, Actor.STRANGER, address(market), data);
        if (!accepted) return false;
        (, , uint256 challengeEnd) = market.windowsOf(taskId, sworn.segment);
        _must(before.openDisputes == 0 && block.timestamp > challengeEnd, "closedUndisputed");
    }

    function _closeMoot() private returns (bool) {
        uint256 d = _liveDispute();
        if (d == type(uint256).max || disputes[d].outcome != 0) return false;
        bool moot = _before(d).moot;
        Played storage played = disputes[d];
        uint256 credit = market.credit(actors[played.challenger]);
        bytes memory data = abi.encodeCall(ITrainingMarket.closeMoot, (played.id));
        bool accepted = _call(Action.CloseMoot, Actor.STRANGER, address(market), data);
        _must(accepted == moot, "mootBondsReturn");
        if (!accepted) return false;
        _equal(market.credit(actors[played.challenger]), credit + played.bond, "mootBondsReturn");
        played.outcome = 3;
        return true;
    }

    function _withdraw(address account) private returns (bool) {
        uint256 credit = market.credit(account);
        if (credit == 0) return false;
        uint256 balance = token.balanceOf(account);
        bytes memory data = abi.encodeCall(ITrainingMarket.withdraw, (account));
        _must(_call(Action.Withdraw, Actor.STRANGER, address(market), data), "creditsArePaid");
        _equal(token.balanceOf(account), balance + credit, "creditsArePaid");
        return true;
    }

    /// Settles or expires a task that is ready for it.
    function _end(uint256 t) private returns (bool) {
        Task memory task = market.task(tasks[t].id);
        if (task.status != TaskStatus.Accepted || task.openDisputes != 0) return false;
        if (task.committed == 2) return block.timestamp > task.finalAt && _settle(t);
        return block.timestamp > _progressEnd(task) && _expire(t);
    }

    function _settle(uint256 t) private returns (bool) {
        bytes memory data = abi.encodeCall(ITrainingMarket.settle, (tasks[t].id));
        return _call(Action.Settle, Actor.STRANGER, address(market), data);
    }

    function _expire(uint256 t) private returns (bool) {
        Task memory task = market.task(tasks[t].id);
        uint256 credit = market.credit(actors[tasks[t].solver]);
        bytes memory data = abi.encodeCall(ITrainingMarket.expire, (tasks[t].id));
        if (!_call(Action.Expire, Actor.STRANGER, address(market), data)) return false;
        _must(task.openDisputes == 0 && block.timestamp > _progressEnd(task), "stoppedUndisputed");
        burned += task.solverBond / 4;
        uint256 gained = market.credit(actors[tasks[t].solver]) - credit;
        _equal(gained, task.solverBond - task.solverBond / 4, "burnedShare");
        return true;
    }

    function _progressEnd(Task memory task) private pure returns (uint256) {
        return uint256(task.progressAt) + task.checkpointTime;
    }

    function _endTasks() private {
        uint256 last = time;
        for (uint256 t = 0; t < tasks.length; ++t) {
            Task memory task = market.task(tasks[t].id);
            if (task.status == TaskStatus.Posted) {
                uint256 requester = tasks[t].requester == actors[0] ? 0 : 1;
                bytes memory data = abi.encodeCall(ITrainingMarket.cancel, (tasks[t].id));
                _must(_call(Action.Cancel, requester, address(market), data), "nothingLocked");
            }
            uint256 progressEnd = _progressEnd(task);
            if (task.finalAt > last) last = task.finalAt;
            if (progressEnd > last) last = progressEnd;
        }
        _passTo(last + 1);
        _endDisputes();
        for (uint256 t = 0; t < tasks.length; ++t) {
            if (market.task(tasks[t].id).status == TaskStatus.Accepted) _must(_end(t), "nothingLocked");
        }
    }

    // ——— challenges ———

    function _challengeSome() private returns (bool) {
        if (disputes.length >= 5) return false;
        (bool found, uint256 t, uint32 g) = _segmentSome();
        if (!found) return false;
        return _challenge(t, g, tasks[t].solver, _otherChallenger(), claims[t][g]);
    }

    function _challengeAttestation() private returns (bool) {
        if (disputes.length == 8) return false;
        for (uint256 a = 0; a < attestations.length; ++a) {
            Sworn memory sworn = attestations[a];
            if (_roll(2) != 0 || _statusOf(sworn) != AttestationStatus.Revealed) continue;
            return _challenge(sworn.task, sworn.segment, sworn.verifier, _otherChallenger(), _sworn(sworn));
        }
        return false;
    }

    /// The honest challenger disputes whatever it can see to be false, once, before time passes to a second.
    function _watch(uint256 second) private {
        for (uint256 t = 0; t < tasks.length; ++t) {
            Task memory task = market.task(tasks[t].id);
            if (task.status != TaskStatus.Accepted || tasks[t].lie == Lie.None) continue;
            uint32 g = tasks[t].lieSegment;
            if (task.committed <= g || _disputes(t, g, tasks[t].solver) || _canWait(t, g, second)) continue;
            bool opened = _challenge(t, g, tasks[t].solver, Actor.HONEST_CHALLENGER, claims[t][g]);
            _must(opened, "liesAreDisputable");
        }
        for (uint256 a = 0; a < attestations.length; ++a) {
            Sworn memory sworn = attestations[a];
            if (sworn.digestLie == 0 || _disputes(sworn.task, sworn.segment, sworn.verifier)) continue;
            if (_canWait(sworn.task, sworn.segment, second)) continue;
            _challenge(sworn.task, sworn.segment, sworn.verifier, Actor.HONEST_CHALLENGER, _sworn(sworn));
        }
    }

    /// Where challengers fall silent, the honest one leaves the first word to the others, but for some minutes that actions take.
    function _canWait(uint256 t, uint32 g, uint256 second) private view returns (bool) {
        (, , uint256 challengeEnd) = market.windowsOf(tasks[t].id, g);
        return _challengersFallSilent() && second + 200 <= challengeEnd;
    }

    function _challengersFallSilent() private view returns (bool) {
        return silentAt % 2 == uint256(Side.Challenger);
    }

    function _otherChallenger() private returns (uint256) {
        return _challengersFallSilent() || _roll(3) == 0 ? Actor.FRIEND : Actor.RANDOM_CHALLENGER;
    }

    /// Where the silent place is one that only disputes about attestations come to.
    function _aboutDigests() private view returns (bool) {
        return silentAt / 2 == uint256(Level.Fork) || silentAt / 2 == uint256(Level.Digest);
    }

    function _disputes(uint256 t, uint32 g, uint256 defendant) private view returns (bool) {
        for (uint256 d = 0; d < disputes.length; ++d) {
            Played storage played = disputes[d];
            if (played.task != t || played.segment != g || played.defendant != defendant) continue;
            if (played.challenger == Actor.HONEST_CHALLENGER) return true;
        }
        return false;
    }

    function _challenge(
        uint256 t,
        uint32 g,
        uint256 defendant,
        uint256 challenger,
        Claim memory claim
    ) private returns (bool) {
        uint256 d = disputes.length;
        try market.subjectOf(tasks[t].id, g, actors[defendant], training) returns (Subject memory subject) {
            subjects[d] = subject;
        } catch {
            return false;
        }
        uint256 purse = token.balanceOf(actors[challenger]);
        bytes memory data = abi.encodeCall(ITrainingMarket.challenge, (tasks[t].id, g, actors[defendant], training));
        (bool accepted, bytes32 id) = _callFor(Action.Challenge, challenger, address(market), data);
        if (!accepted) return false;
        Played storage played = disputes.push();
        (played.id, played.task, played.segment) = (id, t, g);
        (played.defendant, played.challenger) = (defendant, challenger);
        (played.claim, played.live) = (claim, true);
        played.bond = purse - token.balanceOf(actors[challenger]);
        _checkOpened(d);
        return true;
    }

    // ——— time, and those who try what they may not ———

    function _wait() private {
        uint256 second = time + 1 + _roll(60);
        uint256 what = _roll(8);
        uint256 d = _liveDispute();
        (bool found, uint256 t, uint32 g) = _segmentSome();
        if (attestations.length != 0 && _roll(3) != 0) {
            Sworn memory sworn = attestations[attestations.length - 1];
            (t, g) = (sworn.task, sworn.segment);
            if (_statusOf(sworn) == AttestationStatus.Sealed) what = 3;
        }
        if (what < 2 && d != type(uint256).max) {
            // The last second of a clock, or the first after it.
            second = game.deadline(disputes[d].id) + what;
        } else if (what < 6 && found) {
            (uint256 sealEnd, uint256 revealEnd, uint256 challengeEnd) = market.windowsOf(tasks[t].id, g);
            second =
                what < 4
                    ? sealEnd + 1
                    : what == 4
                        ? revealEnd
                        : challengeEnd + 1;
        } else if (what == 6) {
            second = time + _roll(1000);
        } else if (what == 7 && tasks.length == TASKS) {
            second = time + 1 days;
        }
        ++tried[uint256(Action.Wait)];
        if (second <= time) return;
        ++done[uint256(Action.Wait)];
        history.push(bytes1(uint8(Action.Wait)));
        _passTo(second);
        if (what == 0 && d != type(uint256).max && disputes[d].live) _lastSecond(d);
    }

    /// In the last second of its clock a side may still move, and nobody may claim its time-out.
    function _lastSecond(uint256 d) private {
        if (time != game.deadline(disputes[d].id)) return;
        _refused(Actor.STRANGER, address(game), abi.encodeCall(IDisputeGame.claimTimeout, (disputes[d].id)));
        if (!_isSilent(d)) _must(_move(d), "lastSecondCounts");
    }

    /// Calls that nobody may make: each must be refused, whatever the state.
    function _meddle() private {
        uint256 what = _roll(9);
        address target = address(market);
        if (what == 0) {
            bytes32 id = disputes.length == 0 ? bytes32(0) : disputes[_roll(disputes.length)].id;
            _refused(
                _roll(Actor.COUNT),
                target,
                abi.encodeCall(IDisputable.onDisputeResolved, (id, actors[Actor.STRANGER], true, Reason.Timeout))
            );
        } else if (what < 6) {
            uint256 d = _liveDispute();
            if (d != type(uint256).max) _meddleIn(d, what);
            else _refused(Actor.STRANGER, address(game), abi.encodeCall(IDisputeGame.claimTimeout, (bytes32(0))));
        } else if (tasks.length != 0) {
            bytes32 taskId = tasks[_roll(tasks.length)].id;
            if (what == 6) _refused(Actor.STRANGER, target, abi.encodeCall(ITrainingMarket.cancel, (taskId)));
            bytes32 root = bytes32(uint256(1));
            bytes memory append = abi.encodeCall(ITrainingMarket.appendCheckpoint, (taskId, 0, root, root));
            if (what == 7) _refused(Actor.STRANGER, target, append);
            if (what == 8) _refused(Actor.STRANGER, target, abi.encodeCall(ITrainingMarket.notify, (taskId)));
        }
        _hurry();
    }

    /// Tries what may not be due yet; where it is taken, the checks say whether it was.
    function _hurry() private {
        if (tasks.length == 0) return;
        uint256 t = _roll(tasks.length);
        if (_roll(2) == 0) _settle(t);
        else _expire(t);
        if (attestations.length != 0) _tryCloseAttestation(_roll(attestations.length));
        uint256 seats = market.seatCount();
        if (seats == 0) return;
        uint256 seat = _roll(seats);
        _withdrawSeat(seat, market.seatOf(seat));
    }

    function _meddleIn(uint256 d, uint256 what) private {
        Dispute memory dispute = game.dispute(disputes[d].id);
        if (time > game.deadline(disputes[d].id)) {
            // Too late for the side to move, whatever it brings.
            (, uint256 sender, bytes memory late) = dispute.clock.turn == Side.Defendant
                ? _defence(d, dispute.walk)
                : _attack(d, dispute);
            _refused(sender, address(game), late);
            return;
        }
        if (what == 4 && disputes[d].live) _answerAgain(d);
        bytes memory data = abi.encodeCall(IDisputeGame.claimTimeout, (disputes[d].id));
        uint256 actor = Actor.STRANGER;
        if (what < 4) {
            bool attacks = dispute.clock.turn == Side.Challenger;
            Action action;
            (action, actor, data) = attacks ? _attack(d, dispute) : _defence(d, dispute.walk);
            if (what == 1 && attacks) {
                // The challenger's move by somebody else, the defendant included.
                actor = _roll(2) == 0 ? Actor.STRANGER : disputes[d].defendant;
            } else if (what == 2 && _needsDefendant(action)) {
                // The defendant's claim by somebody else.
                actor = _roll(2) == 0 ? Actor.STRANGER : disputes[d].challenger;
            } else {
                // A flipped bit somewhere in the evidence, the dispute's id included.
                uint256 place = 4 + _roll(data.length - 4);
                data[place] = bytes1(uint8(data[place]) ^ uint8(1 << _roll(8)));
                _flipped(d, actor, action, data);
                return;
            }
        }
        _refused(actor, address(game), data);
    }

    /// A subject that was answered cannot be answered otherwise.
    function _answerAgain(uint256 d) private {
        if (game.answerOf(address(market), game.hashSubject(subjects[d])) == 0) return;
        (bytes32 root, bytes32[] memory siblings) = world.segment(_truth(disputes[d].claim));
        bytes memory data = abi.encodeCall(IDisputeGame.answer, (disputes[d].id, subjects[d], root, siblings));
        _refused(disputes[d].defendant, address(game), data);
    }

    function _needsDefendant(Action action) private pure returns (bool) {
        return action == Action.Answer || action == Action.ClaimPartials;
    }

    /// A damaged move is refused, or it is another legal move; either way all invariants hold.
    function _flipped(uint256 d, uint256 actor, Action action, bytes memory data) private {
        Before memory before = _before(d);
        bytes32 position = keccak256(abi.encode(game.dispute(disputes[d].id)));
        if (!_call(Action.Meddle, actor, address(game), data)) {
            ++done[uint256(Action.Meddle)];
            return;
        }
        if (keccak256(abi.encode(game.dispute(disputes[d].id))) != position) _checkMoved(d, action, before);
    }

    function _refused(uint256 actor, address target, bytes memory data) private {
        bool accepted = _call(Action.Meddle, actor, target, data);
        _must(!accepted, "onlyWhoMay");
        ++done[uint256(Action.Meddle)];
    }

    function _must(bool holds, string memory name) private pure {
        _require(holds, name, 0, 1);
    }
}
