// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011
/// (docs/numerics.md, section 2.13).
library Philox {
    uint256 private constant WORD = 0xffffffff;
    uint256 private constant MULTIPLIER_0 = 0xd2511f53;
    uint256 private constant MULTIPLIER_1 = 0xcd9e8d57;
    uint256 private constant KEY_INCREMENT_0 = 0x9e3779b9;
    uint256 private constant KEY_INCREMENT_1 = 0xbb67ae85;
    uint256 private constant ROUNDS = 10;
    uint32 private constant DOMAIN_SAMPLE_ORDER = 1;
    uint32 private constant DOMAIN_RANDOM = 3;
    uint32 private constant DOMAIN_PERMUTATION = 4;

    /// @notice Four random words for a counter of four words and a key of two.
    function philox4x32(uint32[4] memory counter, uint64 key) internal pure returns (uint32[4] memory lanes) {
        unchecked {
            (uint256 c0, uint256 c1, uint256 c2, uint256 c3) = (counter[0], counter[1], counter[2], counter[3]);
            uint256 k0 = key & WORD;
            uint256 k1 = key >> 32;
            for (uint256 i = 0; i < ROUNDS; ++i) {
                uint256 p0 = c0 * MULTIPLIER_0;
                uint256 p1 = c2 * MULTIPLIER_1;
                (c0, c1, c2, c3) = ((p1 >> 32) ^ c1 ^ k0, p1 & WORD, (p0 >> 32) ^ c3 ^ k1, p0 & WORD);
                k0 = (k0 + KEY_INCREMENT_0) & WORD;
                k1 = (k1 + KEY_INCREMENT_1) & WORD;
            }
            return [uint32(c0), uint32(c1), uint32(c2), uint32(c3)];
        }
    }

    /// @notice Word `element` of a random stream at a step.
    function randomWord(uint64 seed, uint32 step, uint32 stream, uint32 element) internal pure returns (uint32) {
        return philox4x32([element / 4, step, stream, DOMAIN_RANDOM], seed)[element % 4];
    }

    /// @notice The keys of an epoch's permutation of the samples.
    function permutationKeys(uint64 seed, uint64 epoch) internal pure returns (uint32[8] memory keys) {
        for (uint32 half = 0; half < 2; ++half) {
            uint32[4] memory lanes = philox4x32([uint32(epoch), uint32(epoch >> 32), half, DOMAIN_PERMUTATION], seed);
            for (uint256 i = 0; i < 4; ++i) keys[4 * half + i] = lanes[i];
        }
    }

    /// @notice The sample that row `row` of the batch of step `step` reads; 0 when there is none.
    function sampleRow(uint64 seed, uint32 step, uint32 row, uint32 sampleCount) internal pure returns (uint256) {
        uint32[4] memory lanes = philox4x32([step, row, 0, DOMAIN_SAMPLE_ORDER], seed);
        return (uint256(lanes[0]) * sampleCount) >> 32;
    }
}
