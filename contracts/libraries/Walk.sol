// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TreeProof} from "./TreeProof.sol";

/// @notice Where a dispute's walk stands: what kind of node it has reached (docs/protocol.md, section 3).
enum Level {
    /// No such dispute, or resolved.
    None,
    /// Waits for the defendant's segmentRoot.
    Answer,
    /// A verifier has answered; the challenger says which of its two claims to walk.
    Fork,
    Segment,
    Trace,
    State,
    Tensor,
    Tile,
    Partials,
    Digest
}

/// @notice The position of the current node.
struct Walk {
    Level level;
    /// Height of the node in the tree being walked; 0 is a leaf.
    uint8 height;
    /// Index of the node among the nodes of its height; at Tile and Partials the tile's index in its tensor.
    uint32 index;
    /// Leaves of the tree being walked.
    uint32 leaves;
    /// Step of the segment, from 0 (Trace and below).
    uint32 step;
    /// Operator, or state tensor when `ofState` (Tensor and below).
    uint32 tensor;
    bool ofState;
    /// Word of the tile whose value was split (Partials).
    uint8 element;
    /// Range of reduced positions [lo, hi) that the node claims a value for (Partials).
    uint32 lo;
    uint32 hi;
    /// Power of two that scales the claimed integers (Partials).
    int16 exponent;
}

/// @notice The position of a walk and how it descends.
library WalkLib {
    /// @dev Most levels that an opening goes down: what costs least over whole disputes (docs/protocol.md, section 3, What it costs).
    uint256 internal constant SPAN = 5;

    uint256 private constant TREES =
        (1 << uint8(Level.Segment)) |
            (1 << uint8(Level.Trace)) |
            (1 << uint8(Level.State)) |
            (1 << uint8(Level.Tensor)) |
            (1 << uint8(Level.Digest));

    /// @notice The root of a tree of `leaves` leaves, as the node to open or choose from.
    function enter(Walk memory walk, Level level, uint256 leaves) internal pure {
        walk.level = level;
        walk.height = uint8(TreeProof.depth(leaves));
        walk.index = 0;
        // SAFETY: every tree of a walk has fewer than 2^32 leaves: counts are uint32 and a market bounds interval below 2^31.
        walk.leaves = uint32(leaves);
    }

    /// @notice Whether the node is opened into children and one of them chosen.
    function isInTree(Walk memory walk) internal pure returns (bool) {
        return (TREES >> uint8(walk.level)) & 1 != 0;
    }

    /// @notice Levels between the node and the children of its opening: as few rounds as reach the leaves, of even length.
    function span(Walk memory walk) internal pure returns (uint256) {
        uint256 height = walk.height;
        if (height <= SPAN) return height;
        // SAFETY: a height is below 2^8.
        unchecked {
            uint256 rounds = (height + SPAN - 1) / SPAN;
            return (height + rounds - 1) / rounds;
        }
    }

    /// @notice Moves to the `child`-th node, `span` levels down.
    function descend(Walk memory walk, uint256 child) internal pure {
        uint256 levels = span(walk);
        // SAFETY: index has depth − height bits; appending `levels` bits leaves at most depth ≤ 32.
        walk.index = uint32((uint256(walk.index) << levels) | child);
        walk.height = uint8(walk.height - levels);
    }

    /// @notice Whether every leaf below the node lies beyond the tree's leaves.
    function isPadding(Walk memory walk) internal pure returns (bool) {
        return (uint256(walk.index) << walk.height) >= walk.leaves;
    }

    /// @notice The fields that every level has, from the top in declaration order.
    function pack(Walk memory walk) internal pure returns (uint152 packed) {
        // SAFETY: the words of a struct in memory are clean, and the widths 8, 8, 32, 32, 32, 32 and 8 add up to 152.
        assembly ("memory-safe") {
            packed := or(shl(144, mload(walk)), shl(136, mload(add(walk, 0x20))))
            packed := or(packed, or(shl(104, mload(add(walk, 0x40))), shl(72, mload(add(walk, 0x60)))))
            packed := or(packed, or(shl(40, mload(add(walk, 0x80))), shl(8, mload(add(walk, 0xa0)))))
            packed := or(packed, mload(add(walk, 0xc0)))
        }
    }

    /// @notice Sets the fields that `pack` keeps.
    function unpack(Walk memory walk, uint152 packed) internal pure {
        // SAFETY: `pack` wrote a level that exists and a bool that is 0 or 1.
        assembly ("memory-safe") {
            mstore(walk, and(shr(144, packed), 0xff))
            mstore(add(walk, 0x20), and(shr(136, packed), 0xff))
            mstore(add(walk, 0x40), and(shr(104, packed), 0xffffffff))
            mstore(add(walk, 0x60), and(shr(72, packed), 0xffffffff))
            mstore(add(walk, 0x80), and(shr(40, packed), 0xffffffff))
            mstore(add(walk, 0xa0), and(shr(8, packed), 0xffffffff))
            mstore(add(walk, 0xc0), and(packed, 0xff))
        }
    }

    /// @notice The fields that only Partials has, from the top in declaration order.
    function packRange(Walk memory walk) internal pure returns (uint96 packed) {
        packed = walk.element;
        packed = (packed << 32) | walk.lo;
        packed = (packed << 32) | walk.hi;
        packed = (packed << 16) | uint16(walk.exponent);
    }

    /// @notice Sets the fields that `packRange` keeps.
    function unpackRange(Walk memory walk, uint96 packed) internal pure {
        walk.element = uint8(packed >> 80);
        walk.lo = uint32(packed >> 48);
        walk.hi = uint32(packed >> 16);
        walk.exponent = int16(uint16(packed));
    }
}
