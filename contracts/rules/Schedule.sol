// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Operator} from "../libraries/Descriptor.sol";
import {Float32} from "../libraries/Float32.sol";
import {Tile} from "../libraries/Tile.sol";
import {CommittedTensor, Witness} from "../libraries/Witness.sol";

/// @notice Schedule: one column of this step's row in the schedule table (docs/numerics.md, section 2.10).
library Schedule {
    /// @notice The canonical word, the same for every element.
    function element(
        Operator memory operator,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (uint32) {
        uint256 width = roots.scheduleWidth;
        uint256 place = roots.step * width + operator.attributeB;
        uint256 count = roots.steps * width;
        if (place >= count) {
            Witness.requireUsed(witness, 0);
            return 0;
        }
        CommittedTensor memory table = CommittedTensor(roots.scheduleRoot, 1, 0, count);
        uint256 words = Witness.prove(table, place / Tile.WORDS, witness, 0);
        Witness.requireUsed(witness, 1);
        return Float32.canonical(Tile.wordAt(words, place % Tile.WORDS));
    }
}
