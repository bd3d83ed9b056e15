// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Philox} from "./Philox.sol";

/// @notice Which sample a row of a step's batch is (docs/numerics.md, section 2.9).
library SampleOrder {
    uint256 internal constant REPLACEMENT = 0;
    uint256 internal constant PERMUTATION = 1;
    uint256 internal constant SEQUENTIAL = 2;

    uint256 private constant WORD = 0xffffffff;
    uint256 private constant KEYS = 8;
    /// @dev How often a value outside the samples is permuted again.
    uint256 private constant MOST_WALKS = 64;

    /// @notice The number of the sample, below `sampleCount`, which is at least 1.
    /// @param order one of the constants
    /// @param rows rows of the operator in every step; `row` is below it
    function sampleAt(
        uint256 order,
        uint64 seed,
        uint32 step,
        uint32 rows,
        uint32 row,
        uint32 sampleCount
    ) internal pure returns (uint256) {
        if (order == REPLACEMENT) return Philox.sampleRow(seed, step, row, sampleCount);
        unchecked {
            // SAFETY: at most (2^32 − 1) · 2^32.
            uint256 position = uint256(step) * rows + row;
            uint256 place = position % sampleCount;
            if (order == SEQUENTIAL) return place;
            return permute(Philox.permutationKeys(seed, uint64(position / sampleCount)), place, sampleCount);
        }
    }

    /// @notice The place of `place` in a permutation of 0 … count − 1: a Feistel network on as many bits as count − 1 has, walked
    /// along its cycle until it is back among them.
    /// @param place below `count`, which is 1 … 2^32 − 1
    function permute(uint32[KEYS] memory keys, uint256 place, uint256 count) internal pure returns (uint256 value) {
        unchecked {
            uint256 bits;
            for (uint256 last = count - 1; last != 0; last >>= 1) ++bits;
            uint256 lowBits = (bits + 1) / 2;
            uint256 lowMask = (1 << lowBits) - 1;
            uint256 highMask = (1 << (bits - lowBits)) - 1;
            value = place;
            for (uint256 walk = 0; walk < MOST_WALKS; ++walk) {
                uint256 low = value & lowMask;
                uint256 high = value >> lowBits;
                for (uint256 round = 0; round < KEYS; round += 2) {
                    high ^= _mix(low + keys[round]) & highMask;
                    low ^= _mix(high + keys[round + 1]) & lowMask;
                }
                value = (high << lowBits) | low;
                if (value < count) return value;
            }
            return value % count;
        }
    }

    /// @dev Every bit of the result depends on all bits of the word (mod 2^32): the last steps of MurmurHash3, by Austin Appleby.
    function _mix(uint256 word) private pure returns (uint256 hash) {
        unchecked {
            hash = word & WORD;
            hash ^= hash >> 16;
            hash = (hash * 0x85ebca6b) & WORD;
            hash ^= hash >> 13;
            hash = (hash * 0xc2b2ae35) & WORD;
            hash ^= hash >> 16;
        }
    }
}
