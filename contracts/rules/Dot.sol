// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address} from "../libraries/Address.sol";
import {MAX_RANK, Operator} from "../libraries/Descriptor.sol";
import {Quantise} from "../libraries/Quantise.sol";
import {Opened, Witness} from "../libraries/Witness.sol";
import {Part} from "./Part.sol";

/// @notice Dot: a contraction of two operands on integer grids, rounded once (docs/numerics.md, section 2.4).
library Dot {
    /// @notice Σ quantise(a) · quantise(b) over the part, and EA + EB − 2P.
    function partialValue(
        Operator memory operator,
        Part memory part,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (int256 value, int256 exponent) {
        Opened memory a;
        Opened memory b;
        int256 exponentA;
        int256 exponentB;
        {
            uint256[MAX_RANK] memory index = Address.multiIndex(operator, part.element);
            a.line = Address.operandLine(operator, index, 0);
            uint256 used = Witness.open(a, part.lo, part.hi, roots, witness, 0);
            b.line = Address.operandLine(operator, index, 1);
            used = Witness.open(b, part.lo, part.hi, roots, witness, used);
            (exponentA, used) = Witness.peak(operator, index, 2, roots, witness, used);
            (exponentB, used) = Witness.peak(operator, index, 3, roots, witness, used);
            Witness.requireUsed(witness, used);
        }
        uint256 bits = operator.attributeA;
        unchecked {
            // SAFETY: digits are at most 2^22, parts shorter than 2^32: the sum stays below 2^76.
            for (uint256 k = part.lo; k < part.hi; ++k) {
                value +=
                    Quantise.quantise(Witness.number(a, k), exponentA, bits) *
                    Quantise.quantise(Witness.number(b, k), exponentB, bits);
            }
            exponent = exponentA + exponentB - 2 * int256(bits);
        }
    }
}
