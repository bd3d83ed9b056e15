// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TreeProof} from "./TreeProof.sol";

/// @notice The split of a reduction's range into at most sixteen parts (docs/protocol.md, section 3, Partials).
library Partials {
    uint256 internal constant PARTS = 16;
    uint256 private constant DEPTH = 4;

    /// @notice Part `part` of [lo, hi): ceil(n / 16) positions each, the last shorter, those behind it empty.
    function range(uint256 lo, uint256 hi, uint256 part) internal pure returns (uint256 partLo, uint256 partHi) {
        uint256 size = (hi - lo + PARTS - 1) / PARTS;
        partLo = _min(lo + part * size, hi);
        partHi = _min(partLo + size, hi);
    }

    /// @notice Number of parts of [lo, hi) that are not empty.
    function used(uint256 lo, uint256 hi) internal pure returns (uint256) {
        uint256 size = (hi - lo + PARTS - 1) / PARTS;
        return (hi - lo + size - 1) / size;
    }

    /// @notice Root of the tree whose leaves are the values.
    function root(int256[PARTS] calldata values) internal pure returns (bytes32) {
        bytes32[] memory nodes = new bytes32[](PARTS);
        for (uint256 i = 0; i < PARTS; ++i) nodes[i] = bytes32(uint256(values[i]));
        return TreeProof.rootOf(nodes);
    }

    /// @notice Reverts unless `value` is leaf `part` of the tree under `root_`.
    function verify(bytes32 root_, uint256 part, int256 value, bytes32[DEPTH] calldata siblings) internal pure {
        if (part >= PARTS) revert TreeProof.TreeProofIndex(part, DEPTH);
        bytes32 node = bytes32(uint256(value));
        for (uint256 h = 0; h < DEPTH; ++h) {
            node = (part >> h) & 1 == 0 ? TreeProof.parent(node, siblings[h]) : TreeProof.parent(siblings[h], node);
        }
        if (node != root_) revert TreeProof.TreeProofMismatch(root_, node);
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
