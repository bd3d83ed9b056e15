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
    /// @dev An opening and a choice go down four levels, or as many as are left.
    uint256 internal constant ARITY_BITS = 4;

    /// @notice The root of a tree of `leaves` leaves, as the node to open or choose from.
    function enter(Walk memory walk, Level level, uint256 leaves) internal pure {
        walk.level = level;
        walk.height = uint8(TreeProof.depth(leaves));
        walk.index = 0;
        // SAFETY: every tree of a walk has fewer than 2^32 leaves: counts are uint32 and a market bounds interval below 2^31.
        walk.leaves = uint32(leaves);
    }

    /// @notice Levels between the node and the children of its opening.
    function span(Walk memory walk) internal pure returns (uint256) {
        return walk.height < ARITY_BITS ? walk.height : ARITY_BITS;
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

    /// @notice Fields from the top in declaration order, in the low 240 bits.
    function pack(Walk memory walk) internal pure returns (uint256 packed) {
        packed = uint256(walk.level);
        packed = (packed << 8) | walk.height;
        packed = (packed << 32) | walk.index;
        packed = (packed << 32) | walk.leaves;
        packed = (packed << 32) | walk.step;
        packed = (packed << 32) | walk.tensor;
        packed = (packed << 8) | (walk.ofState ? 1 : 0);
        packed = (packed << 8) | walk.element;
        packed = (packed << 32) | walk.lo;
        packed = (packed << 32) | walk.hi;
        packed = (packed << 16) | uint16(walk.exponent);
    }

    function unpack(uint256 packed) internal pure returns (Walk memory walk) {
        walk.level = Level(uint8(packed >> 232));
        walk.height = uint8(packed >> 224);
        walk.index = uint32(packed >> 192);
        walk.leaves = uint32(packed >> 160);
        walk.step = uint32(packed >> 128);
        walk.tensor = uint32(packed >> 96);
        walk.ofState = uint8(packed >> 88) != 0;
        walk.element = uint8(packed >> 80);
        walk.lo = uint32(packed >> 48);
        walk.hi = uint32(packed >> 16);
        walk.exponent = int16(uint16(packed));
    }
}
