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

    /// @notice clamp(roundHalfEven(x / 2^(exponent − bits)), −2^bits, 2^bits); NaN gives 0.
    /// @param exponent E of the peak, −126 … 128
    /// @param bits P, at most 22
    function quantise(uint32 x, int256 exponent, uint256 bits) internal pure returns (int256 digits) {
        assembly ("memory-safe") {
            let biased := and(shr(23, x), 0xff)
            let limit := shl(bits, 1)
            switch biased
            case 0xff {
                // Infinities go to the end of the grid, NaN to 0.
                digits := mul(limit, iszero(and(x, 0x7fffff)))
            }
            default {
                let significand := or(and(x, 0x7fffff), shl(23, gt(biased, 0)))
                // |x| = significand · 2^(biased − 150) is to be divided by 2^(exponent − bits): shift right, from 24 places further left.
                let shift := sub(sub(add(exponent, 174), bits), add(biased, iszero(biased)))
                // A shift of 1 already takes any significand to 2^23 ≥ limit. Great shifts give 0 by themselves.
                if slt(shift, 1) {
                    shift := 1
                }
                // As in Rounding: half a unit less one, plus the last kept bit.
                let scaled := shl(24, significand)
                digits := shr(shift, add(add(scaled, and(shr(shift, scaled), 1)), sub(shl(sub(shift, 1), 1), 1)))
                if gt(digits, limit) {
                    digits := limit
                }
            }
            if shr(31, x) {
                digits := sub(0, digits)
            }
        }
    }
}
