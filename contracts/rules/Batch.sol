// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address} from "../libraries/Address.sol";
import {Descriptor, MAX_RANK, Operator} from "../libraries/Descriptor.sol";
import {Float32} from "../libraries/Float32.sol";
import {SampleOrder} from "../libraries/SampleOrder.sol";
import {Tile} from "../libraries/Tile.sol";
import {CommittedTensor, Witness} from "../libraries/Witness.sol";

/// @notice Batch: words of the samples that the committed order draws for this step (docs/numerics.md, section 2.9).
library Batch {
    /// @notice The word of one element, canonical when the output is float32.
    function element(
        Operator memory operator,
        uint256 element_,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (uint32) {
        uint256[MAX_RANK] memory index = Address.multiIndex(operator, element_);
        uint256 place = operator.attributeB + index[1];
        if (roots.sampleCount == 0 || place >= roots.sampleWords) {
            Witness.requireUsed(witness, 0);
            return 0;
        }
        // SAFETY: a decoded dimension, and so a batch row, is below 2^32.
        uint256 row = SampleOrder.sampleAt(
            operator.attributeA,
            roots.seed,
            roots.step,
            uint32(Descriptor.dimension(operator, 0)),
            uint32(index[0]),
            roots.sampleCount
        );
        CommittedTensor memory sample = CommittedTensor(roots.datasetRoot, roots.sampleCount, row, roots.sampleWords);
        uint256 words = Witness.prove(sample, place / Tile.WORDS, witness, 0);
        Witness.requireUsed(witness, 1);
        uint32 value = Tile.wordAt(words, place % Tile.WORDS);
        return operator.dtype == 0 ? Float32.canonical(value) : value;
    }
}
