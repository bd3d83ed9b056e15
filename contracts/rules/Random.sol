// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Operator} from "../libraries/Descriptor.sol";
import {Philox} from "../libraries/Philox.sol";
import {Rounding} from "../libraries/Rounding.sol";
import {Witness} from "../libraries/Witness.sol";

/// @notice Random: words that depend on the seed, the step and a stream alone (docs/numerics.md, section 2.12).
library Random {
    /// @notice The word of one element.
    function element(
        Operator memory operator,
        uint256 element_,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal pure returns (uint32) {
        Witness.requireUsed(witness, 0);
        // SAFETY: an element and an attribute are below 2^32.
        uint32 word = Philox.randomWord(roots.seed, roots.step, uint32(operator.attributeB), uint32(element_));
        // Exact: 24 bits.
        return operator.dtype == 0 ? Rounding.roundToFloat32(int256(uint256(word >> 8)), -24) : word;
    }
}
