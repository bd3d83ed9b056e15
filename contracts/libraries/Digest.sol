// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Subject} from "./Subject.sol";
import {Tile} from "./Tile.sol";
import {TreeProof} from "./TreeProof.sol";

/// @notice Where the leaves of a verifier's replay digest lie (docs/protocol.md, section 6).
library Digest {
    // INVARIANT (digestsAreOwn): no two verifiers, draws or steps share a place, so a digest that was copied is wrong.
    /// @notice Randomness of leaf `step`: state tensor = x mod stateCount, tile = (x >> 64) mod tiles.
    function position(bytes32 beacon, address verifier, uint256 step) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(beacon, verifier, step)));
    }

    /// @notice The state tensor that leaf `step` samples.
    function tensor(Subject calldata subject, uint256 step) internal pure returns (uint256) {
        return position(subject.beacon, subject.defendant, step) % subject.training.program.stateCount;
    }

    /// @notice Where the tile of leaf `step` stands under the segmentRoot: its index and its depth, in one fold.
    /// @param count Words of the sampled state tensor.
    function placement(
        Subject calldata subject,
        uint256 step,
        uint256 count
    ) internal pure returns (uint256 index, uint256 depth) {
        uint256 inner = Tile.depth(count);
        uint256 middle = TreeProof.depth(subject.training.program.stateCount);
        uint256 tile = (position(subject.beacon, subject.defendant, step) >> 64) % Tile.tiles(count);
        index = ((((2 * step + 1) << middle) | tensor(subject, step)) << inner) | tile;
        depth = TreeProof.depth(2 * uint256(subject.stepCount)) + middle + inner;
    }
}
