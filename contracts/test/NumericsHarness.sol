// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "../libraries/Float32.sol";
import {Philox} from "../libraries/Philox.sol";
import {Quantise} from "../libraries/Quantise.sol";
import {Rounding} from "../libraries/Rounding.sol";
import {SampleOrder} from "../libraries/SampleOrder.sol";

/// @notice The number libraries over packed lists of cases, for comparison with their TypeScript twins.
contract NumericsHarness {
    error UnknownFunction(uint256 which);

    uint256 private constant CASE = 12;
    uint256 private constant EXPECTED_CASE = 16;

    /// @notice The first case whose result is not the one expected, and its result; the number of cases when there is none.
    /// @param which A Map opcode; 13 canonical, 14 fromInt, 15 isNan, 16 RN32 of the int64 (a, b) · 2^c, 17 quantise(a, peak b, c bits).
    /// @param cases Four words each: a, b, c and the result expected.
    function firstDifference(uint256 which, bytes calldata cases) external pure returns (uint256 at, uint32 result) {
        function(uint32, uint32, uint32) pure returns (uint32) subject = _function(which);
        uint256 count = cases.length / EXPECTED_CASE;
        unchecked {
            for (; at < count; ++at) {
                uint256 packed;
                assembly ("memory-safe") {
                    // SAFETY: at < count keeps the case inside `cases`; the bytes behind it are shifted away.
                    packed := shr(128, calldataload(add(cases.offset, mul(at, EXPECTED_CASE))))
                }
                result = subject(uint32(packed >> 96), uint32(packed >> 64), uint32(packed >> 32));
                if (result != uint32(packed)) return (at, result);
            }
        }
        result = 0;
    }

    /// @notice Gas of each case, less what the dispatch and an empty call cost.
    function float32Gas(uint256 which, bytes calldata cases) external view returns (uint256[] memory used) {
        uint256 count = cases.length / CASE;
        used = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint96 packed = uint96(bytes12(cases[i * CASE:(i + 1) * CASE]));
            used[i] = _gasOf(which, uint32(packed >> 64), uint32(packed >> 32));
        }
    }

    function roundToFloat32(
        int256[] calldata values,
        int256[] calldata exponents
    ) external pure returns (uint32[] memory words) {
        words = new uint32[](values.length);
        for (uint256 i = 0; i < values.length; ++i) words[i] = Rounding.roundToFloat32(values[i], exponents[i]);
    }

    function peakExponents(uint32[] calldata peaks) external pure returns (int256[] memory exponents) {
        exponents = new int256[](peaks.length);
        for (uint256 i = 0; i < peaks.length; ++i) exponents[i] = Quantise.peakExponent(peaks[i]);
    }

    function philox4x32(uint32[4] memory counter, uint64 key) external pure returns (uint32[4] memory) {
        return Philox.philox4x32(counter, key);
    }

    function sampleRows(
        uint64 seed,
        uint32 step,
        uint32[] calldata rows,
        uint32 sampleCount
    ) external pure returns (uint256[] memory samples) {
        samples = new uint256[](rows.length);
        for (uint256 i = 0; i < rows.length; ++i) samples[i] = Philox.sampleRow(seed, step, rows[i], sampleCount);
    }

    /// @notice The samples of a list of rows, each of a batch and a dataset of its own.
    function samplesAt(
        uint64 seed,
        uint256[] calldata orders,
        uint32[] calldata steps,
        uint32[] calldata rows,
        uint32[] calldata row,
        uint32[] calldata sampleCounts
    ) external pure returns (uint256[] memory samples) {
        samples = new uint256[](orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            samples[i] = SampleOrder.sampleAt(orders[i], seed, steps[i], rows[i], row[i], sampleCounts[i]);
        }
    }

    function permutes(
        uint32[8] calldata keys,
        uint256[] calldata places,
        uint256[] calldata counts
    ) external pure returns (uint256[] memory permuted) {
        permuted = new uint256[](places.length);
        for (uint256 i = 0; i < places.length; ++i) permuted[i] = SampleOrder.permute(keys, places[i], counts[i]);
    }

    function _gasOf(uint256 which, uint32 a, uint32 b) private view returns (uint256 used) {
        uint256 start = gasleft();
        if (which == 1) Float32.add(a, b);
        else if (which == 2) Float32.sub(a, b);
        else if (which == 3) Float32.mul(a, b);
        else if (which == 4) Float32.div(a, b);
        else if (which == 5) Float32.sqrt(a);
        else revert UnknownFunction(which);
        used = start - gasleft();
    }

    function _function(uint256 which) private pure returns (function(uint32, uint32, uint32) pure returns (uint32)) {
        if (which == 1) return _add;
        if (which == 2) return _sub;
        if (which == 3) return _mul;
        if (which == 4) return _div;
        if (which == 5) return _sqrt;
        if (which == 6) return _abs;
        if (which == 7) return _neg;
        if (which == 8) return _max;
        if (which == 9) return _min;
        if (which == 10) return _less;
        if (which == 11) return _equal;
        if (which == 12) return _select;
        if (which == 13) return _canonical;
        if (which == 14) return _fromInt;
        if (which == 15) return _isNan;
        if (which == 16) return _roundToFloat32;
        if (which == 17) return _quantise;
        revert UnknownFunction(which);
    }

    function _add(uint32 a, uint32 b, uint32) private pure returns (uint32) {
        return Float32.add(a, b);
    }

    function _sub(uint32 a, uint32 b, uint32) private pure returns (uint32) {
        return Float32.sub(a, b);
    }

    function _mul(uint32 a, uint32 b, uint32) private pure returns (uint32) {
        return Float32.mul(a, b);
    }

    function _div(uint32 a, uint32 b, uint32) private pure returns (uint32) {
        return Float32.div(a, b);
    }

    function _sqrt(uint32 a, uint32, uint32) private pure returns (uint32) {
        return Float32.sqrt(a);
    }

    function _abs(uint32 a, uint32, uint32) private pure returns (uint32) {
        return Float32.abs(a);
    }

    function _neg(uint32 a, uint32, uint32) private pure returns (uint32) {
        return Float32.neg(a);
    }

    function _max(uint32 a, uint32 b, uint32) private pure returns (uint32) {
        return Float32.max(a, b);
    }

    function _min(uint32 a, uint32 b, uint32) private pure returns (uint32) {
        return Float32.min(a, b);
    }

    function _less(uint32 a, uint32 b, uint32) private pure returns (uint32) {
        return Float32.less(a, b);
    }

    function _equal(uint32 a, uint32 b, uint32) private pure returns (uint32) {
        return Float32.equal(a, b);
    }

    function _select(uint32 a, uint32 b, uint32 c) private pure returns (uint32) {
        return Float32.select(a, b, c);
    }

    function _canonical(uint32 a, uint32, uint32) private pure returns (uint32) {
        return Float32.canonical(a);
    }

    function _fromInt(uint32 a, uint32, uint32) private pure returns (uint32) {
        return Float32.fromInt(a);
    }

    function _isNan(uint32 a, uint32, uint32) private pure returns (uint32) {
        return Float32.isNan(a) ? 1 : 0;
    }

    function _roundToFloat32(uint32 a, uint32 b, uint32 c) private pure returns (uint32) {
        return Rounding.roundToFloat32(int64((uint64(a) << 32) | b), int32(c));
    }

    function _quantise(uint32 a, uint32 b, uint32 c) private pure returns (uint32) {
        uint256[] memory words = new uint256[](1);
        words[0] = a;
        Quantise.quantise(words, Quantise.peakExponent(b), c);
        return uint32(words[0]);
    }
}
