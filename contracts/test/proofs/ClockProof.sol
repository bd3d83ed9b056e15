// SPDX-License-Identifier: MIT
// A `require` here is an assumption of the proof: nobody reads its reason.
/* solhint-disable gas-custom-errors, reason-string */
pragma solidity 0.8.37;

import {ChessClock, ChessClockLib, Side} from "../../libraries/ChessClock.sol";

/// @notice What the model checker proves of the clocks, for every argument (`npm run test:smt`).
/// @dev A `require` is what the callers guarantee, an `assert` what they rely on; every operation on the way is a target, too.
contract ClockProof {
    /// A deadline does not overflow.
    function clockDeadline(ChessClock memory clock) external pure {
        assert(ChessClockLib.deadline(clock) >= clock.movedAt);
    }

    /// The defendant's move is taken up to its deadline, charges it for the time passed, and leaves the challenger's clock.
    function defendantMoves(uint24 left, uint24 other, uint40 movedAt, uint40 now_) external pure {
        ChessClock memory clock = ChessClock(Side.Defendant, left, other, movedAt);
        require(now_ >= movedAt && !ChessClockLib.expired(clock, now_));
        ChessClockLib.move(clock, Side.Challenger, now_);
        assert(clock.defendant == left - (now_ - movedAt) && clock.challenger == other && clock.movedAt == now_);
    }

    /// So does the challenger's.
    function challengerMoves(uint24 left, uint24 other, uint40 movedAt, uint40 now_) external pure {
        ChessClock memory clock = ChessClock(Side.Challenger, other, left, movedAt);
        require(now_ >= movedAt && !ChessClockLib.expired(clock, now_));
        ChessClockLib.move(clock, Side.Defendant, now_);
        assert(clock.challenger == left - (now_ - movedAt) && clock.defendant == other && clock.movedAt == now_);
    }

    /// No clock is turned up.
    function neverGrows(uint24 defendant, uint24 challenger, uint40 movedAt, uint40 now_, bool turn) external pure {
        ChessClock memory clock = ChessClock(turn ? Side.Challenger : Side.Defendant, defendant, challenger, movedAt);
        require(now_ >= movedAt && !ChessClockLib.expired(clock, now_));
        ChessClockLib.move(clock, Side.Challenger, now_);
        assert(clock.defendant <= defendant && clock.challenger <= challenger);
    }
}
