// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {ChessClock, ChessClockLib, Side} from "./ChessClock.sol";

contract ChessClockTest {
    using ChessClockLib for ChessClock;

    function move(ChessClock memory clock, Side next, uint256 now_) external pure {
        clock.move(next, now_);
    }

    function checkTime(ChessClock memory clock, uint256 now_) external pure {
        clock.checkTime(now_);
    }

    function testFuzz_pack_keepsEveryField(bool turn, uint24 defendant, uint24 challenger, uint40 movedAt) public pure {
        ChessClock memory clock = ChessClock(Side(turn ? 1 : 0), defendant, challenger, movedAt);
        ChessClock memory read;
        read.unpack(clock.pack());
        Check.equal(keccak256(abi.encode(read)), keccak256(abi.encode(clock)), "clock");
    }

    function testFuzz_move_chargesTheSideToMoveAlone(
        bool turn,
        bool next,
        uint24 own,
        uint24 other,
        uint24 spent,
        uint32 movedAt
    ) public view {
        ChessClock memory clock =
            turn ? ChessClock(Side.Challenger, other, own, movedAt) : ChessClock(Side.Defendant, own, other, movedAt);
        uint256 now_ = uint256(movedAt) + spent;
        Check.equal(clock.deadline(), uint256(movedAt) + own, "deadline");
        Check.isTrue(clock.expired(now_) == (spent > own), "expired");
        if (spent > own) {
            bytes memory call = abi.encodeCall(this.move, (clock, Side(next ? 1 : 0), now_));
            Check.reverts(address(this), call, ChessClockLib.ChessClockExpired.selector, "move after the deadline");
            call = abi.encodeCall(this.checkTime, (clock, now_));
            Check.reverts(address(this), call, ChessClockLib.ChessClockExpired.selector, "time after the deadline");
            return;
        }
        clock.checkTime(now_);
        clock.move(Side(next ? 1 : 0), now_);
        Check.equal(turn ? clock.challenger : clock.defendant, own - spent, "own time");
        Check.equal(turn ? clock.defendant : clock.challenger, other, "other side's time");
        Check.equal(clock.movedAt, now_, "moved at");
        Check.isTrue(clock.turn == Side(next ? 1 : 0), "turn");
    }
}
