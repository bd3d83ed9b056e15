// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Reason} from "./interfaces/IDisputable.sol";
import {AttestationStatus, TaskStatus} from "./interfaces/ITrainingMarket.sol";
import {Level} from "./libraries/Walk.sol";
import {Referee} from "./Referee.sol";
import {Check} from "./test/Check.sol";
import {Print} from "./test/Print.sol";
import {Campaign} from "./test/campaign/Campaign.sol";
import {ACTIONS} from "./test/campaign/Players.sol";
import {VM} from "./test/campaign/Vm.sol";
import {Lie, World} from "./test/campaign/World.sol";

/// The invariants of docs/invariants.md over whole lives of a market, with everybody in them: 64 lives of 64 actions, or 256 of 128
/// under TOUCHSTONE_DEEP. A life in which one breaks is told by its number and its actions in order.
contract CampaignTest {
    uint256 private constant SEED = 20_261;
    /// Level and turn: the defendant's turn is even, the challenger's odd.
    uint256 private constant PLACES = 20;
    /// Places in which a dispute can stand, as level · 2 + turn.
    uint256 private constant STATES = (1 << 2) | (1 << 5) | (0x3fff << 6);
    /// What a verdict does: 1 convicts, 2 upholds, 3 finds the dispute moot.
    uint256 private constant OUTCOMES = 4;

    string[ACTIONS] private names = [
        "post",
        "cancel",
        "accept",
        "appendCheckpoint",
        "joinSeats",
        "leaveSeat",
        "withdrawSeat",
        "draw",
        "seal",
        "reportUnavailable",
        "reveal",
        "closeAttestation",
        "challenge",
        "closeMoot",
        "settle",
        "expire",
        "withdraw",
        "answer",
        "answerFor",
        "adopt",
        "enterTree",
        "open",
        "choose",
        "enterStep",
        "enterTensor",
        "openTile",
        "adjudicate",
        "demandPartials",
        "claimPartials",
        "claimPartialsFor",
        "choosePartial",
        "adjudicatePartial",
        "adjudicateDigest",
        "multicall",
        "claimTimeout",
        "meddle (refused)",
        "wait"
    ];
    uint256[ACTIONS] private tried;
    uint256[ACTIONS] private done;
    uint256[4] private moves;
    uint256 private verdicts;
    uint256 private timeouts;
    uint256 private taskSteps;
    uint256 private attestationSteps;

    function test_everyInvariantHoldsWhateverEverybodyDoes() public {
        bool deep = keccak256(bytes(VM.envOr("TOUCHSTONE_DEEP", ""))) == keccak256("1");
        (uint256 lives, uint256 actions) = deep ? (256, 128) : (64, 64);
        World world = new World();
        Referee referee = new Referee();
        // A few more lives where the dice have left something out: what is demanded is that everything was reached.
        for (uint256 life = 0; life < lives || (life < 2 * lives && timeouts != STATES); ++life)
            _live(world, referee, life, actions);
        Print.line("calls that did something, and calls tried:");
        for (uint256 i = 0; i < ACTIONS; ++i) Print.line(names[i], done[i], tried[i]);
        _checkActions();
        _checkMoves();
        _checkVerdicts();
        _checkStatuses();
    }

    /// Everything was done, but for what nobody may do.
    function _checkActions() private view {
        for (uint256 i = 0; i < ACTIONS; ++i) Check.isTrue(done[i] > 0, names[i]);
    }

    /// A dispute stood wherever one can stand, ended by time from there, and went every way that there is.
    function _checkMoves() private view {
        Check.equal(timeouts, STATES, "places from which time ran out");
        _reached(Level.Answer, 0, [Level.Segment, Level.Fork, Level.None], 3);
        _reached(Level.Fork, 1, [Level.Segment, Level.Digest, Level.None], 3);
        _reached(Level.Segment, 0, [Level.Segment, Level.None, Level.None], 2);
        _reached(Level.Segment, 1, [Level.Trace, Level.State, Level.None], 3);
        _reached(Level.Trace, 0, [Level.Trace, Level.None, Level.None], 2);
        _reached(Level.Trace, 1, [Level.Trace, Level.Tile, Level.None], 3);
        _reached(Level.State, 0, [Level.State, Level.None, Level.None], 2);
        _reached(Level.State, 1, [Level.Tensor, Level.Tile, Level.None], 3);
        _reached(Level.Tensor, 0, [Level.Tensor, Level.None, Level.None], 2);
        _reached(Level.Tensor, 1, [Level.Tile, Level.None, Level.None], 2);
        _reached(Level.Tile, 0, [Level.Tile, Level.None, Level.None], 2);
        _reached(Level.Tile, 1, [Level.Partials, Level.None, Level.None], 2);
        _reached(Level.Partials, 0, [Level.Partials, Level.None, Level.None], 2);
        _reached(Level.Partials, 1, [Level.Partials, Level.None, Level.None], 2);
        _reached(Level.Digest, 0, [Level.Digest, Level.None, Level.None], 2);
        _reached(Level.Digest, 1, [Level.None, Level.None, Level.None], 1);
    }

    /// Every reason convicted, upheld and was moot; only the honest side's word decides which.
    function _checkVerdicts() private view {
        for (uint256 reason = 0; reason <= uint256(type(Reason).max); ++reason) {
            for (uint256 outcome = 1; outcome < OUTCOMES; ++outcome) {
                bool moot = outcome == 3 && reason != uint256(Reason.Timeout);
                bool came = (verdicts >> (reason * OUTCOMES + outcome)) & 1 != 0;
                // By which of its reasons a dispute that is moot ends is no matter.
                if (!came && !moot) Print.line("no verdict of this reason and outcome", reason, outcome);
                Check.isTrue(came || moot, "verdicts");
            }
        }
    }

    function _checkStatuses() private view {
        uint256 expected =
            _step(0, uint256(TaskStatus.Posted)) |
                _step(uint256(TaskStatus.Posted), uint256(TaskStatus.Accepted)) |
                _step(uint256(TaskStatus.Posted), uint256(TaskStatus.Cancelled)) |
                _step(uint256(TaskStatus.Accepted), uint256(TaskStatus.Settled)) |
                _step(uint256(TaskStatus.Accepted), uint256(TaskStatus.Failed));
        Check.equal(taskSteps, expected, "the ways of a task");
        uint256 sealed_ = uint256(AttestationStatus.Sealed);
        uint256 revealed = uint256(AttestationStatus.Revealed);
        uint256 closed = uint256(AttestationStatus.Closed);
        expected =
            _step(0, sealed_) |
            _step(0, uint256(AttestationStatus.Unavailable)) |
            _step(sealed_, revealed) |
            _step(sealed_, closed) |
            _step(revealed, closed) |
            _step(revealed, uint256(AttestationStatus.Convicted));
        Check.equal(attestationSteps, expected, "the ways of an attestation");
    }

    function _step(uint256 from, uint256 to) private pure returns (uint256) {
        return 1 << (from * 8 + to);
    }

    /// Whether moves led from a level, in a side's turn, to each of the first `count` levels, in either turn.
    function _reached(Level from, uint256 turn, Level[3] memory levels, uint256 count) private view {
        for (uint256 i = 0; i < count; ++i) {
            bool led = _led(from, turn, levels[i], 0) || _led(from, turn, levels[i], 1);
            if (!led) Print.line("no move led between these levels", uint256(from), uint256(levels[i]));
            Check.isTrue(led, "moves");
        }
    }

    function _led(Level from, uint256 turn, Level to, uint256 next) private view returns (bool) {
        uint256 edge = (uint256(from) * 2 + turn) * 32 + uint256(to) * 2 + next;
        return (moves[edge / 256] >> (edge % 256)) & 1 != 0;
    }

    function _live(World world, Referee referee, uint256 life, uint256 actions) private {
        uint256 silentAt = _silentAt(life);
        Campaign campaign = new Campaign(world, referee, SEED + life, silentAt, _lie(Level(silentAt / 2), life));
        for (uint256 i = 0; i < actions; ++i) {
            try campaign.act() {} catch (bytes memory reason) {
                _tell(campaign, life, i, reason);
            }
        }
        try campaign.finish() {} catch (bytes memory reason) {
            _tell(campaign, life, actions, reason);
        }
        _add(campaign);
    }

    /// Every place in turn, and those that few walks come to three times as often.
    function _silentAt(uint256 life) private pure returns (uint256) {
        uint256 turn = life % (PLACES + 6);
        return turn < PLACES - 2 ? 2 + turn : PLACES - 4 + (turn % 4);
    }

    /// A lie that leads to where somebody falls silent: some levels need one of their own.
    function _lie(Level level, uint256 life) private pure returns (Lie) {
        uint256 other = life / (PLACES + 6);
        if (level == Level.Fork || level == Level.Digest) return Lie.None;
        if (level == Level.Trace) return Lie.Map;
        if (level == Level.State) return other % 2 == 0 ? Lie.Store : Lie.Word;
        if (level == Level.Tensor) return Lie.Table;
        if (level == Level.Partials) return other % 2 == 0 ? Lie.Peak : Lie.Sum;
        return Lie(life % (uint256(type(Lie).max) + 1));
    }

    function _add(Campaign campaign) private {
        (uint32[ACTIONS] memory tried_, uint32[ACTIONS] memory done_, ) = campaign.report();
        for (uint256 i = 0; i < ACTIONS; ++i) (tried[i], done[i]) = (tried[i] + tried_[i], done[i] + done_[i]);
        for (uint256 i = 0; i < moves.length; ++i) moves[i] |= campaign.moves(i);
        verdicts |= campaign.verdicts();
        timeouts |= campaign.timeouts();
        taskSteps |= campaign.taskSteps();
        attestationSteps |= campaign.attestationSteps();
    }

    function _tell(Campaign campaign, uint256 life, uint256 action, bytes memory reason) private view {
        (, , bytes memory history) = campaign.report();
        Print.line("broken in this life, before this action:", life, action);
        for (uint256 i = 0; i < history.length; ++i) Print.line(names[uint8(history[i])], i);
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}
