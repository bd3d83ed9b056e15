// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice RN32 (docs/numerics.md, section 1): the binary32 number nearest to an exact value, ties to even, subnormals included,
/// overflow to infinity.
library Rounding {
    /// @dev Exponent of the least subnormal number, and the bias of an integer significand: word = (unit + 149) << 23 + significand.
    int256 private constant LEAST_UNIT = -149;
    uint256 private constant INFINITY = 0x7f800000;
    /// @dev Beyond it every non-zero 256-bit value over- or underflows.
    int256 private constant EXPONENT_LIMIT = 1000;

    /// @notice RN32(value · 2^exponent), for any value and exponent. Zero gives +0; a negative value that underflows gives −0.
    function roundToFloat32(int256 value, int256 exponent) internal pure returns (uint32) {
        if (value == 0) return 0;
        if (exponent > EXPONENT_LIMIT) exponent = EXPONENT_LIMIT;
        if (exponent < -EXPONENT_LIMIT) exponent = -EXPONENT_LIMIT;
        unchecked {
            // SAFETY: negating the least int256 wraps to 2^255, its magnitude as an unsigned number.
            if (value < 0) return round(0x80000000, uint256(-value), exponent);
            return round(0, uint256(value), exponent);
        }
    }

    /// @notice RN32(magnitude · 2^exponent) with the bit `sign` set on it.
    /// @param magnitude 1 … 2^255
    /// @param exponent −2^254 … 1000
    function round(uint256 sign, uint256 magnitude, int256 exponent) internal pure returns (uint32) {
        unchecked {
            // The exponent of the result's last significand bit: 23 below the leading bit's, but never below the subnormals'.
            int256 unit;
            assembly ("memory-safe") {
                unit := sub(add(exponent, 232), clz(magnitude))
            }
            if (unit < LEAST_UNIT) unit = LEAST_UNIT;

            uint256 significand;
            if (unit <= exponent) {
                // SAFETY: exponent − unit ≤ 24 − bit length of the magnitude, so nothing is shifted out.
                significand = magnitude << uint256(exponent - unit);
            } else {
                // Half a unit less one, plus the last kept bit: rounds up above a tie, and at a tie only an odd number.
                // SAFETY: no overflow, as magnitude ≤ 2^255 and 1 << (shift − 1) ≤ 2^255. A shift beyond 256 makes the term −1 and
                // the result 0, as it must be.
                uint256 shift = uint256(unit - exponent);
                significand = (magnitude + (1 << (shift - 1)) - 1 + ((magnitude >> shift) & 1)) >> shift;
            }
            // Adding the significand to the exponent field carries where rounding reaches the next power of two.
            uint256 word = (uint256(unit - LEAST_UNIT) << 23) + significand;
            if (word > INFINITY) word = INFINITY;
            return uint32(sign | word);
        }
    }
}
