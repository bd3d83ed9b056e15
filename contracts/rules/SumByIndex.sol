// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address} from "../libraries/Address.sol";
import {MAX_RANK, Operator} from "../libraries/Descriptor.sol";
import {Quantise} from "../libraries/Quantise.sol";
import {Opened, Witness} from "../libraries/Witness.sol";
import {Part} from "./Part.sol";

/// @notice SumByIndex: adds each position into the output row that its index names, rounded once (docs/numerics.md, section 2.6).
library SumByIndex {
    /// @notice Σ quantise(x) over the positions of the part whose index is this element's place on the axis, and E − P.
    function partialValue(
        Operator memory operator,
        Part memory part,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (int256 value, int256 exponent) {
        Opened memory x;
        Opened memory rows;
        int256 row;
        {
            uint256[MAX_RANK] memory index = Address.multiIndex(operator, part.element);
            row = int256(index[operator.attributeB]);
            x.line = Address.operandLine(operator, index, 0);
            uint256 used = Witness.open(x, part.lo, part.hi, roots, witness, 0);
            (exponent, used) = Witness.peak(operator, index, 1, roots, witness, used);
            rows.line = Address.operandLine(operator, index, 2);
            used = Witness.open(rows, part.lo, part.hi, roots, witness, used);
            Witness.requireUsed(witness, used);
        }
        uint256 bits = operator.attributeA;
        uint256[] memory digits = Witness.numbers(x, part.lo, part.hi);
        _keep(digits, Witness.words(rows, part.lo, part.hi), row);
        Quantise.quantise(digits, exponent, bits);
        unchecked {
            // SAFETY: digits are at most 2^22, parts shorter than 2^32: the sum stays below 2^54.
            for (uint256 i = 0; i < digits.length; ++i) value += int256(digits[i]);
            exponent -= int256(bits);
        }
    }

    /// Shortens `values` to those whose place is `row`.
    function _keep(uint256[] memory values, uint256[] memory places, int256 row) private pure {
        uint256 kept;
        unchecked {
            for (uint256 i = 0; i < places.length; ++i) {
                if (int32(uint32(places[i])) == row) values[kept++] = values[i];
            }
        }
        // SAFETY: kept ≤ the array's length.
        assembly ("memory-safe") {
            mstore(values, kept)
        }
    }
}
