// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Float32} from "../libraries/Float32.sol";
import {Philox} from "../libraries/Philox.sol";
import {Quantise} from "../libraries/Quantise.sol";
import {Rounding} from "../libraries/Rounding.sol";

/// @notice The number libraries over packed lists of cases, for comparison with their TypeScript twins.
contract NumericsHarness {
    error UnknownFunction(uint256 which);

    uint256 private constant CASE = 12;

    /// @notice One word for each case of three words. `which` is a Map opcode; 13 canonical, 14 fromInt, 15 isNan.
    function float32(uint256 which, bytes calldata cases) external pure returns (uint32[] memory words) {
        uint256 count = cases.length / CASE;
        words = new uint32[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint96 packed = uint96(bytes12(cases[i * CASE:(i + 1) * CASE]));
            words[i] = _apply(which, uint32(packed >> 64), uint32(packed >> 32), uint32(packed));
        }
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

    /// @notice quantise of each case (x, peak, bits), as two's complement words.
    function quantise(bytes calldata cases) external pure returns (int256[] memory digits) {
        uint256 count = cases.length / CASE;
        digits = new int256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint96 packed = uint96(bytes12(cases[i * CASE:(i + 1) * CASE]));
            int256 exponent = Quantise.peakExponent(uint32(packed >> 32));
            digits[i] = Quantise.quantise(uint32(packed >> 64), exponent, uint32(packed));
        }
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

    function _apply(uint256 which, uint32 a, uint32 b, uint32 c) private pure returns (uint32) {
        if (which == 1) return Float32.add(a, b);
        if (which == 2) return Float32.sub(a, b);
        if (which == 3) return Float32.mul(a, b);
        if (which == 4) return Float32.div(a, b);
        if (which == 5) return Float32.sqrt(a);
        if (which == 6) return Float32.abs(a);
        if (which == 7) return Float32.neg(a);
        if (which == 8) return Float32.max(a, b);
        if (which == 9) return Float32.min(a, b);
        if (which == 10) return Float32.less(a, b);
        if (which == 11) return Float32.equal(a, b);
        if (which == 12) return Float32.select(a, b, c);
        if (which == 13) return Float32.canonical(a);
        if (which == 14) return Float32.fromInt(a);
        if (which == 15) return Float32.isNan(a) ? 1 : 0;
        revert UnknownFunction(which);
    }
}
