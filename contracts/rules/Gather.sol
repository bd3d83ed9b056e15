// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address} from "../libraries/Address.sol";
import {MAX_RANK, Operator} from "../libraries/Descriptor.sol";
import {Float32} from "../libraries/Float32.sol";
import {Opened, Witness} from "../libraries/Witness.sol";

/// @notice Gather: copies words of the table row that an index names (docs/numerics.md, section 2.8).
library Gather {
    /// @notice The word of one element, canonical when the output is float32.
    function element(
        Operator memory operator,
        uint256 element_,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (uint32) {
        uint256[MAX_RANK] memory index = Address.multiIndex(operator, element_);
        // The index decides whether the table is read at all, and its tile stands behind the table's: take it from the end.
        Opened memory rows;
        rows.line = Address.operandLine(operator, index, 1);
        uint256 last = witness.length == 0 ? 0 : witness.length - 1;
        uint256 used = Witness.open(rows, 0, 1, roots, witness, last) - last;
        uint32 row = Witness.word(rows, 0);

        uint32 value;
        // As an unsigned number a negative index lies beyond 2^31, and is refused like one beyond the rows.
        if (row >> 31 == 0 && row < operator.attributeC) {
            Opened memory table;
            table.line = Address.operandLine(operator, index, 0);
            // The row takes the place of the reduced index.
            table.line.stride = int256(operator.attributeB);
            used += Witness.open(table, row, row + 1, roots, witness, 0);
            value = Witness.word(table, row);
        }
        Witness.requireUsed(witness, used);
        return operator.dtype == 0 ? Float32.canonical(value) : value;
    }
}
