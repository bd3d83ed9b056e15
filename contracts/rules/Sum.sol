// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address} from "../libraries/Address.sol";
import {MAX_RANK, Operator} from "../libraries/Descriptor.sol";
import {Quantise} from "../libraries/Quantise.sol";
import {Opened, Witness} from "../libraries/Witness.sol";
import {Part} from "./Part.sol";

/// @notice Sum: a reduction of an operand on an integer grid, rounded once (docs/numerics.md, section 2.5).
library Sum {
    /// @notice Σ quantise(x) over the part, and E − P.
    function partialValue(
        Operator memory operator,
        Part memory part,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (int256 value, int256 exponent) {
        uint256[MAX_RANK] memory index = Address.multiIndex(operator, part.element);
        Opened memory x;
        x.line = Address.operandLine(operator, index, 0);
        uint256 used = Witness.open(x, part.lo, part.hi, roots, witness, 0);
        (exponent, used) = Witness.peak(operator, index, 1, roots, witness, used);
        Witness.requireUsed(witness, used);
        uint256 bits = operator.attributeA;
        uint256[] memory digits = Witness.numbers(x, part.lo, part.hi);
        Quantise.quantise(digits, exponent, bits);
        unchecked {
            // SAFETY: digits are at most 2^22, parts shorter than 2^32: the sum stays below 2^54.
            for (uint256 i = 0; i < digits.length; ++i) value += int256(digits[i]);
            exponent -= int256(bits);
        }
    }
}
