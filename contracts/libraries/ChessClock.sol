// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The two sides of a dispute.
enum Side {
    Defendant,
    Challenger
}

/// @notice Seconds left to each side; only the side whose turn it is spends them.
struct ChessClock {
    Side turn;
    /// Seconds left to the defendant and to the challenger at `movedAt`.
    uint24 defendant;
    uint24 challenger;
    /// Block time of the last move.
    uint40 movedAt;
}

/// @notice A chess clock judged by block time (docs/protocol.md, section 3).
/// @dev Travels through storage as 96 bits, so that it shares a slot with an address.
library ChessClockLib {
    /// @notice The side whose turn it is ran out at `deadline`.
    error ChessClockExpired(Side side, uint256 deadline);

    /// @notice The last second in which the side to move may still move.
    function deadline(ChessClock memory clock) internal pure returns (uint256) {
        // SAFETY: 40 bits and 24 bits.
        unchecked {
            return uint256(clock.movedAt) + (clock.turn == Side.Defendant ? clock.defendant : clock.challenger);
        }
    }

    /// @notice Whether the side to move has run out: strictly after its deadline.
    function expired(ChessClock memory clock, uint256 now_) internal pure returns (bool) {
        return now_ > deadline(clock);
    }

    /// @notice Reverts when the side to move has run out.
    function checkTime(ChessClock memory clock, uint256 now_) internal pure {
        if (expired(clock, now_)) revert ChessClockExpired(clock.turn, deadline(clock));
    }

    /// @notice Charges the side to move for the time since the last move and gives the turn to `next`.
    /// @dev Reverts after the deadline.
    function move(ChessClock memory clock, Side next, uint256 now_) internal pure {
        uint256 end = deadline(clock);
        if (now_ > end) revert ChessClockExpired(clock.turn, end);
        // SAFETY: now_ ≤ end bounds both casts, since end − movedAt is the side's own uint24.
        unchecked {
            if (clock.turn == Side.Defendant) clock.defendant = uint24(end - now_);
            else clock.challenger = uint24(end - now_);
        }
        clock.movedAt = uint40(now_);
        clock.turn = next;
    }

    /// @notice turn (8 bits), defendant (24), challenger (24), movedAt (40), from the top.
    function pack(ChessClock memory clock) internal pure returns (uint96 packed) {
        // SAFETY: the words of a struct in memory are clean.
        assembly ("memory-safe") {
            packed := or(shl(88, mload(clock)), shl(64, mload(add(clock, 0x20))))
            packed := or(packed, or(shl(40, mload(add(clock, 0x40))), mload(add(clock, 0x60))))
        }
    }

    /// @notice Sets the fields of a packed clock.
    function unpack(ChessClock memory clock, uint96 packed) internal pure {
        // SAFETY: `pack` wrote a side that exists.
        assembly ("memory-safe") {
            mstore(clock, and(shr(88, packed), 0xff))
            mstore(add(clock, 0x20), and(shr(64, packed), 0xffffff))
            mstore(add(clock, 0x40), and(shr(40, packed), 0xffffff))
            mstore(add(clock, 0x60), and(packed, 0xffffffffff))
        }
    }
}
