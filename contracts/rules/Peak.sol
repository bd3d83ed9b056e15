// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address} from "../libraries/Address.sol";
import {Operator} from "../libraries/Descriptor.sol";
import {Float32} from "../libraries/Float32.sol";
import {Opened, Witness} from "../libraries/Witness.sol";
import {Part} from "./Part.sol";

/// @notice Peak: the greatest magnitude, as it is or raised to a power of two (docs/numerics.md, section 2.7).
library Peak {
    /// @notice A claimed maximum is not a canonical, non-negative word that is a number.
    error PeakValue(int256 value);
    error PeakExponent(int256 exponent);

    /// @dev 2^-40: mode 1 gives nothing smaller.
    uint256 private constant FLOOR = 0x2b800000;
    uint256 private constant FRACTION = 0x7fffff;

    /// @notice The greatest |x| over the part as a word; NaN counts as +infinity.
    function partialValue(
        Operator memory operator,
        Part memory part,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (int256) {
        Opened memory x;
        x.line = Address.operandLine(operator, Address.multiIndex(operator, part.element), 0);
        Witness.requireUsed(witness, Witness.open(x, part.lo, part.hi, roots, witness, 0));
        uint256 most;
        uint256[] memory numbers = Witness.numbers(x, part.lo, part.hi);
        for (uint256 i = 0; i < numbers.length; ++i) {
            uint256 magnitude = numbers[i] & 0x7fffffff;
            if (magnitude > most) most = magnitude;
        }
        // Magnitudes order as integers, NaNs above infinity.
        return int256(most > Float32.INFINITY ? Float32.INFINITY : most);
    }

    /// @notice The greatest of partial maxima.
    function combine(int256[16] calldata values) internal pure returns (int256 most) {
        for (uint256 i = 0; i < 16; ++i) {
            _requireMaximum(values[i]);
            if (values[i] > most) most = values[i];
        }
    }

    /// @notice The element for a maximum: itself in mode 0; in mode 1 the least power of two ≥ max(m, 2^-40), +infinity if none is finite.
    function finish(Operator memory operator, int256 maximum, int256 exponent) internal pure returns (uint32) {
        _requireMaximum(maximum);
        if (exponent != 0) revert PeakExponent(exponent);
        uint256 word = uint256(maximum);
        if (operator.attributeA == 0) return uint32(word);
        if (word < FLOOR) word = FLOOR;
        // Filling the fraction and carrying into the exponent gives the next power of two, or infinity after the last.
        return uint32((word + FRACTION) & ~FRACTION);
    }

    function _requireMaximum(int256 value) private pure {
        if (value < 0 || value > int256(uint256(Float32.INFINITY))) revert PeakValue(value);
    }
}
