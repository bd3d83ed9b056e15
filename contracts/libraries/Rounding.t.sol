// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Rounding} from "./Rounding.sol";

contract RoundingTest {
    function test_roundToFloat32_edges() public pure {
        _equal(0, 5, 0);
        _equal(1, 0, 0x3f800000);
        _equal(-1, 0, 0xbf800000);
        _equal(1, -149, 1);
        _equal(1, -150, 0); // half the least subnormal, to even
        _equal(3, -150, 2); // one and a half, to even
        _equal(3, -151, 1);
        _equal(-1, -150, 0x80000000);
        _equal(0xffffff, -149, 0x00ffffff);
        _equal(0x1ffffff, -150, 0x01000000); // subnormal spacing at the first normal binades
        _equal(0xffffff, 104, 0x7f7fffff);
        _equal(0x1ffffff, 103, 0x7f800000); // half a unit above the greatest
        _equal(0x3fffffd, 102, 0x7f7fffff); // a little less
        _equal((1 << 24) + 1, 0, 0x4b800000);
        _equal((1 << 24) + 3, 0, 0x4b800002);
        _equal(type(int256).min, -255, 0xbf800000);
        _equal(type(int256).max, -255, 0x3f800000);
        _equal(type(int256).min, type(int256).max, 0xff800000);
        _equal(type(int256).max, type(int256).min, 0);
        _equal(1, 1001, 0x7f800000);
        _equal(type(int256).max, -1001, 0);
    }

    function testFuzz_roundToFloat32_isNearestEven(int256 value, uint8 shift, int16 exponentSeed) public pure {
        value >>= shift;
        int256 exponent = exponentSeed % 450;
        uint32 word = Rounding.roundToFloat32(value, exponent);
        Check.equal(word, _oracle(value, exponent), "word");
    }

    function testFuzz_roundToFloat32_ties(
        uint24 significand,
        uint8 shift,
        int16 exponentSeed,
        int8 beside
    ) public pure {
        // An odd multiple of half a unit, and its neighbours.
        uint256 places = 2 + (uint256(shift) % 200);
        int256 value = ((int256(uint256(significand)) << 1) | 1) << places;
        value += beside % 2;
        int256 exponent = (exponentSeed % 300) - int256(places);
        Check.equal(Rounding.roundToFloat32(value, exponent), _oracle(value, exponent), "word");
        Check.equal(Rounding.roundToFloat32(-value, exponent), _oracle(-value, exponent), "negative word");
    }

    function _equal(int256 value, int256 exponent, uint32 expected) private pure {
        Check.equal(Rounding.roundToFloat32(value, exponent), expected, "edge");
    }

    /// Counts the magnitude's bits one by one, divides, and compares the remainder with half of the divisor.
    function _oracle(int256 value, int256 exponent) private pure returns (uint256 word) {
        if (value == 0) return 0;
        uint256 sign = value < 0 ? 1 << 31 : 0;
        uint256 magnitude;
        unchecked {
            magnitude = value < 0 ? uint256(-value) : uint256(value);
        }
        int256 bits;
        for (uint256 rest = magnitude; rest != 0; rest /= 2) ++bits;
        if (bits + exponent > 128) return sign | 0x7f800000;
        int256 unit = bits + exponent - 24;
        if (unit < -149) unit = -149;
        uint256 quotient;
        if (exponent >= unit) {
            quotient = magnitude * 2 ** uint256(exponent - unit);
        } else if (unit - exponent < 256) {
            uint256 divisor = 2 ** uint256(unit - exponent);
            quotient = magnitude / divisor;
            uint256 remainder = magnitude % divisor;
            uint256 half = divisor / 2;
            if (remainder > half || (remainder == half && quotient % 2 == 1)) ++quotient;
        }
        if (quotient == 2 ** 24) {
            quotient = 2 ** 23;
            ++unit;
        }
        if (quotient < 2 ** 23) return sign | quotient;
        if (unit + 150 > 254) return sign | 0x7f800000;
        return sign | (uint256(unit + 150) * 2 ** 23) | (quotient - 2 ** 23);
    }
}
