// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Partials} from "../libraries/Partials.sol";
import {Tile} from "../libraries/Tile.sol";
import {TreeProof} from "../libraries/TreeProof.sol";

/// @notice Lets the differential tests of shared/commitment call the libraries that it is the twin of.
contract CommitmentHarness {
    function depth(uint256 count) external pure returns (uint256) {
        return TreeProof.depth(count);
    }

    function zero(uint256 height) external pure returns (bytes32) {
        return TreeProof.zero(height);
    }

    function rootOf(bytes32[] memory nodes) external pure returns (bytes32) {
        return TreeProof.rootOf(nodes);
    }

    function verify(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        bytes32[] calldata siblings,
        uint256 depth_
    ) external pure {
        TreeProof.verify(root, leaf, index, siblings, depth_);
    }

    function tensorDepth(uint256 words) external pure returns (uint256) {
        return Tile.depth(words);
    }

    function tileHash(bytes calldata words) external view returns (bytes32) {
        return Tile.hash(words);
    }

    function tileWord(bytes calldata words, uint256 position) external pure returns (uint32) {
        return Tile.word(words, position);
    }

    function partRange(uint256 lo, uint256 hi, uint256 part) external pure returns (uint256, uint256) {
        return Partials.range(lo, hi, part);
    }

    function partialsRoot(int256[16] calldata values) external pure returns (bytes32) {
        return Partials.root(values);
    }
}
