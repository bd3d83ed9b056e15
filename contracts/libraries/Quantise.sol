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
    function quantise(uint32 x, int256 exponent, uint256 bits) internal pure returns (int256) {
        unchecked {
            uint256 magnitude = x & 0x7fffffff;
            uint256 limit = 1 << bits;
            uint256 digits;
            if (magnitude >= INFINITY) {
                if (magnitude != INFINITY) return 0;
                digits = limit;
            } else {
                uint256 significand;
                int256 shift;
                assembly ("memory-safe") {
                    let biased := shr(23, magnitude)
                    significand := or(and(magnitude, 0x7fffff), shl(23, iszero(iszero(biased))))
                    // x = significand · 2^(biased − 150), to be divided by 2^(exponent − bits).
                    shift := sub(sub(add(exponent, 150), bits), add(biased, iszero(biased)))
                }
                if (shift > 0) {
                    // As in Rounding: half a unit less one, plus the last kept bit. A shift above 25 gives 0.
                    uint256 s = uint256(shift);
                    digits = s > 25 ? 0 : (significand + (1 << (s - 1)) - 1 + ((significand >> s) & 1)) >> s;
                } else {
                    // 23 places take any significand to the limit, and more would leave 256 bits.
                    digits = significand << (shift < -23 ? 23 : uint256(-shift));
                }
                if (digits > limit) digits = limit;
            }
            return x >> 31 == 0 ? int256(digits) : -int256(digits);
        }
    }
}
