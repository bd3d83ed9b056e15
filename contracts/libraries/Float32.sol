// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Rounding} from "./Rounding.sol";

/// @notice IEEE-754 binary32 on bit patterns (docs/numerics.md, sections 1 and 2.2): every result is the exact one rounded to
/// nearest, ties to even, subnormals included. A NaN result is 0x7fc00000.
/// @dev A finite number is significand · 2^(exponent − 150) with a significand below 2^24 and an exponent 1 … 254. Each operation
/// forms the exact result (or one with a sticky last bit) as a 256-bit integer and rounds once.
library Float32 {
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant INFINITY = 0x7f800000;
    uint32 internal constant NAN = 0x7fc00000;

    uint32 private constant SIGN = 0x80000000;
    uint32 private constant MAGNITUDE = 0x7fffffff;
    /// @dev The exponent field of infinities and NaNs.
    uint256 private constant SPECIAL = 0xff;

    function isNan(uint32 a) internal pure returns (bool) {
        return a & MAGNITUDE > INFINITY;
    }

    /// @notice What is hashed: −0 becomes +0 and every NaN 0x7fc00000.
    function canonical(uint32 a) internal pure returns (uint32) {
        if (a == SIGN) return 0;
        return isNan(a) ? NAN : a;
    }

    function add(uint32 a, uint32 b) internal pure returns (uint32) {
        (uint256 high, uint256 highExponent) = _unpack(a);
        (uint256 low, uint256 lowExponent) = _unpack(b);
        if (highExponent == SPECIAL || lowExponent == SPECIAL) return _addSpecial(a, b);
        unchecked {
            int256 sum = int256(a > MAGNITUDE ? 0 - high : high);
            int256 rest = int256(b > MAGNITUDE ? 0 - low : low);
            if (highExponent < lowExponent) {
                (sum, rest) = (rest, sum);
                (highExponent, lowExponent) = (lowExponent, highExponent);
            }
            // A distance above 64 is as good as 64: the lesser operand is then below 2^-38 units of the greater, a normal number, and
            // only its being non-zero, with its sign, can matter to the rounding.
            uint256 distance = highExponent - lowExponent;
            if (distance > 64) distance = 64;
            sum = (sum << distance) + rest;
            if (sum == 0) return a & b & SIGN;
            int256 exponent = int256(highExponent - distance) - 150;
            return sum < 0 ? Rounding.round(SIGN, uint256(-sum), exponent) : Rounding.round(0, uint256(sum), exponent);
        }
    }

    function sub(uint32 a, uint32 b) internal pure returns (uint32) {
        return add(a, b ^ SIGN);
    }

    function mul(uint32 a, uint32 b) internal pure returns (uint32) {
        (uint256 x, uint256 xExponent) = _unpack(a);
        (uint256 y, uint256 yExponent) = _unpack(b);
        uint256 sign = (a ^ b) & SIGN;
        if (xExponent == SPECIAL || yExponent == SPECIAL) {
            if (isNan(a) || isNan(b) || x == 0 || y == 0) return NAN;
            return uint32(sign | INFINITY);
        }
        unchecked {
            uint256 product = x * y;
            if (product == 0) return uint32(sign);
            return Rounding.round(sign, product, int256(xExponent + yExponent) - 300);
        }
    }

    function div(uint32 a, uint32 b) internal pure returns (uint32) {
        (uint256 x, uint256 xExponent) = _unpack(a);
        (uint256 y, uint256 yExponent) = _unpack(b);
        uint256 sign = (a ^ b) & SIGN;
        if (xExponent == SPECIAL || yExponent == SPECIAL) {
            if (isNan(a) || isNan(b) || xExponent == yExponent) return NAN;
            return uint32(xExponent == SPECIAL ? sign | INFINITY : sign);
        }
        if (y == 0) return x == 0 ? NAN : uint32(sign | INFINITY);
        if (x == 0) return uint32(sign);
        unchecked {
            // At least 37 bits of quotient, of which the last is made sticky: it stands below the rounding bit.
            uint256 scaled = x << 60;
            uint256 quotient = scaled / y;
            if (quotient * y != scaled) quotient |= 1;
            return Rounding.round(sign, quotient, int256(xExponent) - int256(yExponent) - 60);
        }
    }

    function sqrt(uint32 a) internal pure returns (uint32) {
        if (_isZero(a)) return a;
        if (isNan(a) || a & SIGN != 0) return NAN;
        if (a == INFINITY) return a;
        (uint256 x, uint256 biased) = _unpack(a);
        unchecked {
            // Move x into [2^52, 2^54) by an even or odd shift that leaves an even exponent: the root then has 27 bits.
            int256 exponent = int256(biased) - 150;
            uint256 shift;
            assembly ("memory-safe") {
                shift := sub(clz(x), 202)
            }
            if (uint256(exponent - int256(shift)) & 1 != 0) --shift;
            x <<= shift;
            uint256 root = _root(x);
            if (root * root != x) root |= 1;
            return Rounding.round(0, root, (exponent - int256(shift)) >> 1);
        }
    }

    function abs(uint32 a) internal pure returns (uint32) {
        return isNan(a) ? NAN : a & MAGNITUDE;
    }

    function neg(uint32 a) internal pure returns (uint32) {
        return isNan(a) ? NAN : a ^ SIGN;
    }

    /// @notice NaN if either is NaN; −0 is below +0.
    function max(uint32 a, uint32 b) internal pure returns (uint32) {
        if (isNan(a) || isNan(b)) return NAN;
        return _rank(a) > _rank(b) ? a : b;
    }

    /// @notice NaN if either is NaN; −0 is below +0.
    function min(uint32 a, uint32 b) internal pure returns (uint32) {
        if (isNan(a) || isNan(b)) return NAN;
        return _rank(a) < _rank(b) ? a : b;
    }

    /// @notice 1 if a < b, else 0; 0 if either is NaN.
    function less(uint32 a, uint32 b) internal pure returns (uint32) {
        if (isNan(a) || isNan(b) || (_isZero(a) && _isZero(b))) return 0;
        return _rank(a) < _rank(b) ? ONE : 0;
    }

    /// @notice 1 if a = b, else 0; zeros are equal, NaN equals nothing.
    function equal(uint32 a, uint32 b) internal pure returns (uint32) {
        if (isNan(a) || isNan(b)) return 0;
        return a == b || (_isZero(a) && _isZero(b)) ? ONE : 0;
    }

    /// @notice b unless the condition is a zero of either sign; NaN selects b.
    function select(uint32 condition, uint32 b, uint32 c) internal pure returns (uint32) {
        return _isZero(condition) ? c : b;
    }

    /// @notice RN32 of an int32 given as a two's complement word.
    function fromInt(uint32 word) internal pure returns (uint32) {
        return Rounding.roundToFloat32(int32(word), 0);
    }

    function _addSpecial(uint32 a, uint32 b) private pure returns (uint32) {
        if (isNan(a) || isNan(b)) return NAN;
        bool infiniteA = a & MAGNITUDE == INFINITY;
        // Infinities of opposite signs have no sum.
        if (infiniteA && b & MAGNITUDE == INFINITY && a != b) return NAN;
        return infiniteA ? a : b;
    }

    function _isZero(uint32 a) private pure returns (bool) {
        return a & MAGNITUDE == 0;
    }

    /// @dev Orders all numbers that are not NaN, −0 just below +0.
    function _rank(uint32 a) private pure returns (int256 rank) {
        unchecked {
            return a & SIGN == 0 ? int256(uint256(a)) : -int256(uint256(a & MAGNITUDE)) - 1;
        }
    }

    /// @dev For infinities and NaNs the exponent is SPECIAL and the significand means nothing, but is not 0.
    function _unpack(uint32 a) private pure returns (uint256 significand, uint256 exponent) {
        assembly ("memory-safe") {
            exponent := and(shr(23, a), 0xff)
            let normal := gt(exponent, 0)
            significand := or(and(a, 0x7fffff), shl(23, normal))
            exponent := add(exponent, iszero(normal))
        }
    }

    /// @dev floor(√x) for x in [2^52, 2^54), by Heron's method.
    function _root(uint256 x) private pure returns (uint256 root) {
        unchecked {
            // With v = x / 2^52 in [1, 4) the seed is 2^26 · (v / 3 + 0.7), off by at most 3.4 % of √v; a step squares the error and
            // halves it: 6e-4, 2e-7, 2e-14. The iterates never fall below floor(√x), so the last is that or one more.
            root = (x >> 26) / 3 + 47_000_000;
            root = (root + x / root) >> 1;
            root = (root + x / root) >> 1;
            root = (root + x / root) >> 1;
            if (root * root > x) --root;
        }
    }
}
