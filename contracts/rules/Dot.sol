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
        uint256[] memory left = Witness.numbers(a, part.lo, part.hi);
        uint256[] memory right = Witness.numbers(b, part.lo, part.hi);
        Quantise.quantise(left, exponentA, bits);
        Quantise.quantise(right, exponentB, bits);
        // SAFETY: digits are at most 2^22, parts shorter than 2^32: the sum stays below 2^76.
        assembly ("memory-safe") {
            let length := shl(5, mload(left))
            for {
                let at := 0x20
            } iszero(gt(at, length)) {
                at := add(at, 0x20)
            } {
                value := add(value, mul(mload(add(left, at)), mload(add(right, at))))
            }
        }
        unchecked {
            exponent = exponentA + exponentB - 2 * int256(bits);
        }
    }
}
