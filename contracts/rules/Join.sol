// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address} from "../libraries/Address.sol";
import {Descriptor, MAX_RANK, Operator} from "../libraries/Descriptor.sol";
import {Float32} from "../libraries/Float32.sol";
import {Opened, Witness} from "../libraries/Witness.sol";

/// @notice Join: operands side by side along one dimension, zero between them (docs/numerics.md, section 2.11).
library Join {
    /// @notice The word of one element, canonical when the output is float32.
    function element(
        Operator memory operator,
        uint256 element_,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (uint32 value) {
        uint256[MAX_RANK] memory index = Address.multiIndex(operator, element_);
        // SAFETY: a decoded axis is below the rank.
        uint256 place = index[operator.attributeB];
        uint256 used;
        unchecked {
            for (uint256 i = 0; i < operator.operandCount; ++i) {
                (uint256 start, uint256 extent) = Descriptor.joinRange(operator, i);
                // A place before the start becomes a number beyond every extent.
                if (place - start >= extent) continue;
                index[operator.attributeB] = place - start;
                Opened memory operand;
                operand.line = Address.operandLine(operator, index, i);
                used = Witness.open(operand, 0, 1, roots, witness, 0);
                value = Witness.word(operand, 0);
                break;
            }
        }
        Witness.requireUsed(witness, used);
        if (operator.dtype == 0) value = Float32.canonical(value);
    }
}
