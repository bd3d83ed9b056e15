// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The integer grids of Dot and Sum (docs/numerics.md, section 2.3).
library Quantise {
    uint256 private constant INFINITY = 0x7f800000;

    /// @notice E: the exponent of a peak word read as bits. Subnormals count as 2^-126, infinity and NaN as 2^128.
    function peakExponent(uint32 peak) internal pure returns (int256 exponent) {
        assembly ("memory-safe") {
            exponent := and(shr(23, peak), 0xff)
            exponent := sub(add(exponent, iszero(exponent)), 127)
        }
    }

    /// @notice clamp(roundHalfEven(x / 2^(exponent − bits)), −2^bits, 2^bits) of each word x; NaN gives 0.
    /// @dev Overwrites the words with their digits, in two's complement. Rules spend most of their gas here: one loop without a call.
    /// @param exponent E of the peak, −126 … 128
    /// @param bits P, at most 22
    function quantise(uint256[] memory words, int256 exponent, uint256 bits) internal pure {
        assembly ("memory-safe") {
            let limit := shl(bits, 1)
            // |x| = significand · 2^(biased − 150) is to be divided by 2^(exponent − bits): shift right, from 24 places further left.
            let distance := sub(add(exponent, 174), bits)
            let cursor := add(words, 0x20)
            for {
                let end := add(cursor, shl(5, mload(words)))
            } lt(cursor, end) {
                cursor := add(cursor, 0x20)
            } {
                let x := mload(cursor)
                let biased := and(shr(23, x), 0xff)
                let digits
                switch biased
                case 0xff {
                    // Infinities go to the end of the grid, NaN to 0.
                    digits := mul(limit, iszero(and(x, 0x7fffff)))
                }
                default {
                    let scaled := shl(24, or(and(x, 0x7fffff), shl(23, gt(biased, 0))))
                    let shift := sub(distance, add(biased, iszero(biased)))
                    // A shift of 1 already takes any significand to 2^23 ≥ limit. Great shifts give 0 by themselves.
                    if slt(shift, 1) {
                        shift := 1
                    }
                    // As in Rounding: half a unit less one, plus the last kept bit.
                    digits := shr(shift, add(add(scaled, and(shr(shift, scaled), 1)), sub(shl(sub(shift, 1), 1), 1)))
                    if gt(digits, limit) {
                        digits := limit
                    }
                }
                if and(x, 0x80000000) {
                    digits := sub(0, digits)
                }
                mstore(cursor, digits)
            }
        }
    }
}
