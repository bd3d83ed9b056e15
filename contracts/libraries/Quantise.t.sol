// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Float32} from "./Float32.sol";
import {Quantise} from "./Quantise.sol";

contract QuantiseTest {
    uint32 private constant ONE = 0x3f800000;

    function test_peakExponent_ofEveryField() public pure {
        Check.equal(Quantise.peakExponent(0), -126, "zero");
        Check.equal(Quantise.peakExponent(0x007fffff), -126, "subnormal");
        Check.equal(Quantise.peakExponent(0x00800000), -126, "least normal");
        Check.equal(Quantise.peakExponent(ONE), 0, "one");
        Check.equal(Quantise.peakExponent(0xbfffffff), 0, "sign and fraction do not count");
        Check.equal(Quantise.peakExponent(0x7f000000), 127, "greatest power of two");
        Check.equal(Quantise.peakExponent(0x7f800000), 128, "infinity");
    }

    function test_quantise_ends() public pure {
        Check.equal(_quantise(0x7f800000, 0, 20), int256(1 << 20), "infinity");
        Check.equal(_quantise(0xff800000, 0, 20), -int256(1 << 20), "-infinity");
        Check.equal(_quantise(0x7fc00000, 0, 20), int256(0), "NaN");
        Check.equal(_quantise(0x80000000, -126, 22), int256(0), "-0");
        Check.equal(_quantise(0x7f7fffff, -126, 22), int256(1 << 22), "the widest left shift");
        Check.equal(_quantise(1, 128, 1), int256(0), "the widest right shift");
        Check.equal(_quantise(1, -126, 22), int256(0), "half a unit, to even");
        Check.equal(_quantise(3, -126, 22), int256(2), "one and a half, to even");
        Check.equal(_quantise(0xbf800000, 0, 1), -int256(2), "the peak itself");
    }

    /// For |x| ≤ peak the digits are those of the float32 expression (x + c) − c with c = 1.5 · 2^23 units.
    function testFuzz_quantise_isTheFloatExpression(uint32 x, uint8 peakField, uint8 bitsSeed) public pure {
        uint256 bits = 1 + (bitsSeed % 22);
        // Here the constant and its sums are finite and normal.
        uint32 field = 30 + (peakField % 190);
        int256 exponent = int256(uint256(field)) - 127;
        if ((x >> 23) & 0xff >= field) x = (x & 0x807fffff) | ((field - 1 - (x % 26)) << 23);
        uint32 c = (uint32(field + 23 - bits) << 23) | 0x400000;
        uint32 snapped = Float32.sub(Float32.add(x, c), c);
        uint32 unit = uint32(field - bits) << 23;
        int256 digits = _quantise(x, exponent, bits);
        uint32 scaled = Float32.mul(Float32.fromInt(uint32(int32(digits))), unit);
        Check.equal(Float32.canonical(scaled), Float32.canonical(snapped), "digits");
    }

    function testFuzz_quantise_staysOnTheGrid(uint32 x, uint32 peak, uint8 bitsSeed) public pure {
        uint256 bits = 1 + (bitsSeed % 22);
        int256 digits = _quantise(x, Quantise.peakExponent(peak), bits);
        Check.isTrue(digits <= int256(1 << bits) && digits >= -int256(1 << bits), "within the limits");
        Check.equal(_quantise(x ^ 0x80000000, Quantise.peakExponent(peak), bits), -digits, "odd");
    }

    function _quantise(uint32 x, int256 exponent, uint256 bits) private pure returns (int256) {
        uint256[] memory words = new uint256[](1);
        words[0] = x;
        Quantise.quantise(words, exponent, bits);
        return int256(words[0]);
    }
}
