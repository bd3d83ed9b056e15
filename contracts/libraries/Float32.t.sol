// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Float32} from "./Float32.sol";

/// Bit patterns drawn by the fuzzer; the differential test against TypeScript adds the biased ones.
contract Float32Test {
    uint32 private constant INF = 0x7f800000;
    uint32 private constant NAN = 0x7fc00000;
    uint32 private constant ONE = 0x3f800000;
    uint32 private constant NEGATIVE = 0x80000000;

    function test_specialValues() public pure {
        Check.equal(Float32.add(INF, INF), INF, "inf + inf");
        Check.equal(Float32.add(INF, INF | NEGATIVE), NAN, "inf - inf");
        Check.equal(Float32.add(INF | NEGATIVE, ONE), INF | NEGATIVE, "-inf + 1");
        Check.equal(Float32.add(ONE, INF), INF, "1 + inf");
        Check.equal(Float32.add(0x7f800001, ONE), NAN, "NaN + 1");
        Check.equal(Float32.add(NEGATIVE, NEGATIVE), NEGATIVE, "-0 + -0");
        Check.equal(Float32.add(0, NEGATIVE), 0, "0 + -0");
        Check.equal(Float32.mul(INF, 0), NAN, "inf * 0");
        Check.equal(Float32.mul(INF, 1 | NEGATIVE), INF | NEGATIVE, "inf * -least");
        Check.equal(Float32.mul(ONE, NEGATIVE), NEGATIVE, "1 * -0");
        Check.equal(Float32.div(0, 0), NAN, "0 / 0");
        Check.equal(Float32.div(INF, INF), NAN, "inf / inf");
        Check.equal(Float32.div(ONE, NEGATIVE), INF | NEGATIVE, "1 / -0");
        Check.equal(Float32.div(ONE, INF | NEGATIVE), NEGATIVE, "1 / -inf");
        Check.equal(Float32.div(INF, 0), INF, "inf / 0");
        Check.equal(Float32.sqrt(NEGATIVE), NEGATIVE, "sqrt -0");
        Check.equal(Float32.sqrt(ONE | NEGATIVE), NAN, "sqrt -1");
        Check.equal(Float32.sqrt(INF), INF, "sqrt inf");
        Check.equal(Float32.sqrt(INF | NEGATIVE), NAN, "sqrt -inf");
        // Where the last iterate of the root is one too many.
        Check.equal(Float32.sqrt(0x3f800001), 0x3f800000, "sqrt of the number after 1");
        Check.equal(Float32.sqrt(0x4003c8b7), 0x3fb7acf2, "sqrt just below a square");
        Check.equal(Float32.max(0, NEGATIVE), 0, "max of zeros");
        Check.equal(Float32.min(0, NEGATIVE), NEGATIVE, "min of zeros");
        Check.equal(Float32.max(INF, 0xffffffff), NAN, "max with NaN");
        Check.equal(Float32.less(NEGATIVE, 0), 0, "-0 < 0");
        Check.equal(Float32.equal(NEGATIVE, 0), ONE, "-0 = 0");
        Check.equal(Float32.equal(NAN, NAN), 0, "NaN = NaN");
        Check.equal(Float32.select(NEGATIVE, 1, 2), 2, "select on -0");
        Check.equal(Float32.select(NAN, 1, 2), 1, "select on NaN");
        Check.equal(Float32.abs(0xff800001), NAN, "abs NaN");
        Check.equal(Float32.neg(0xff800001), NAN, "neg NaN");
        Check.equal(Float32.canonical(NEGATIVE), 0, "canonical -0");
        Check.equal(Float32.canonical(0xffc01234), NAN, "canonical NaN");
        Check.equal(Float32.fromInt(0x80000000), 0xcf000000, "fromInt least");
        Check.equal(Float32.fromInt(0x7fffffff), 0x4f000000, "fromInt greatest");
        Check.equal(Float32.fromInt(0xffffffff), ONE | NEGATIVE, "fromInt -1");
        Check.equal(Float32.fromInt(0x01000001), 0x4b800000, "fromInt tie");
    }

    function testFuzz_addAndMul_commute(uint32 a, uint32 b) public pure {
        Check.equal(Float32.add(a, b), Float32.add(b, a), "add");
        Check.equal(Float32.mul(a, b), Float32.mul(b, a), "mul");
    }

    function testFuzz_sub_isAddOfTheNegative(uint32 a, uint32 b) public pure {
        Check.equal(Float32.sub(a, b), Float32.add(a, b ^ NEGATIVE), "sub");
        if (_isFinite(a)) Check.equal(Float32.sub(a, a), 0, "a - a");
    }

    function testFuzz_identities(uint32 a) public pure {
        uint32 kept = Float32.isNan(a) ? NAN : a;
        Check.equal(Float32.mul(a, ONE), kept, "a * 1");
        Check.equal(Float32.div(a, ONE), kept, "a / 1");
        Check.equal(Float32.add(a, NEGATIVE), kept, "a + -0");
        if (_isFinite(a) && a << 1 != 0) Check.equal(Float32.div(a, a), ONE, "a / a");
    }

    /// The remainder decides: the quotient's neighbouring midpoints times b must enclose a.
    function testFuzz_div_isNearest(uint32 a, uint32 b) public pure {
        (a, b) = (a & 0x7fffffff, b & 0x7fffffff);
        if (!_isFinite(a) || !_isFinite(b) || b == 0) return;
        uint32 word = Float32.div(a, b);
        if (!_isFinite(word)) return;
        (uint256 x, int256 xe) = _unpack(a);
        (uint256 y, int256 ye) = _unpack(b);
        (uint256 low, int256 lowExponent, uint256 high, int256 highExponent) = _midpoints(word);
        _requireOrdered(low * y, lowExponent + ye, x, xe, "quotient too great");
        _requireOrdered(x, xe, high * y, highExponent + ye, "quotient too small");
    }

    function testFuzz_sqrt_isNearest(uint32 a) public pure {
        a &= 0x7fffffff;
        if (!_isFinite(a)) return;
        (uint256 x, int256 xe) = _unpack(a);
        (uint256 low, int256 lowExponent, uint256 high, int256 highExponent) = _midpoints(Float32.sqrt(a));
        _requireOrdered(low * low, 2 * lowExponent, x, xe, "root too great");
        _requireOrdered(x, xe, high * high, 2 * highExponent, "root too small");
    }

    function testFuzz_order_isTotalWithoutNan(uint32 a, uint32 b) public pure {
        uint32 less = Float32.less(a, b);
        uint32 more = Float32.less(b, a);
        uint32 same = Float32.equal(a, b);
        bool ordered = !Float32.isNan(a) && !Float32.isNan(b);
        Check.equal(uint256(less) + more + same, ordered ? ONE : 0, "exactly one of <, >, =");
        Check.equal(
            Float32.max(a, b),
            !ordered
                ? NAN
                : less == ONE
                    ? b
                    : more == ONE
                        ? a
                        : a & b,
            "max"
        );
        Check.equal(
            Float32.min(a, b),
            !ordered
                ? NAN
                : less == ONE
                    ? a
                    : more == ONE
                        ? b
                        : a | b,
            "min"
        );
    }

    function _isFinite(uint32 a) private pure returns (bool) {
        return a & INF != INF;
    }

    function _unpack(uint32 a) private pure returns (uint256 significand, int256 exponent) {
        uint256 field = a >> 23;
        if (field == 0) return (a, -149);
        return ((a & 0x7fffff) + 0x800000, int256(field) - 150);
    }

    /// The points half way to the numbers before and after a non-negative one (0 has none before).
    function _midpoints(uint32 a) private pure returns (uint256 low, int256 lowE, uint256 high, int256 highE) {
        (uint256 m, int256 e) = _unpack(a);
        (high, highE) = (2 * m + 1, e - 1);
        (low, lowE) = (0, e);
        if (a != 0) {
            (uint256 before, int256 beforeE) = _unpack(a - 1);
            (low, lowE) = (2 * before + 1, beforeE - 1);
        }
    }

    /// Demands m · 2^e ≤ n · 2^f; ties may fall either way here, the differential tests settle them.
    function _requireOrdered(uint256 m, int256 e, uint256 n, int256 f, string memory what) private pure {
        int256 distance = e - f;
        if (m == 0) return;
        Check.isTrue(distance < 200, what);
        if (distance < -200) return;
        if (distance >= 0) Check.isTrue(m << uint256(distance) <= n, what);
        else Check.isTrue(m <= n << uint256(-distance), what);
    }
}
