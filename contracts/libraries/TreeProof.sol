// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Positional Merkle trees (docs/protocol.md, section 1): node = keccak256(left, right), fixed depth, zero padding.
/// @dev A proof shows that a leaf stands at an index, not only that it is in the tree. Siblings run from the leaf up; bit h of
/// the index says on which side the height-h node stands (0 = left).
library TreeProof {
    error TreeProofLength(uint256 siblings, uint256 depth);
    error TreeProofIndex(uint256 index, uint256 depth);
    error TreeProofMismatch(bytes32 root, bytes32 folded);
    error TreeProofHeight(uint256 height);
    error TreeProofNodes(uint256 nodes);

    uint256 internal constant MAX_HEIGHT = 64;

    /// @notice ceil(log2(count)); 0 for a tree of one leaf (and of none).
    function depth(uint256 count) internal pure returns (uint256 depth_) {
        if (count < 2) return 0;
        assembly ("memory-safe") {
            depth_ := sub(256, clz(sub(count, 1)))
        }
    }

    /// @notice The parent of two nodes.
    function parent(bytes32 left, bytes32 right) internal pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            node := keccak256(0x00, 0x40)
        }
    }

    /// @notice Root of a subtree of `height` that lies wholly in the padding.
    function zero(uint256 height) internal pure returns (bytes32 node) {
        if (height > MAX_HEIGHT) revert TreeProofHeight(height);
        for (uint256 h = 0; h < height; ++h) node = parent(node, node);
    }

    /// @notice Root of the tree whose leaves are all of `nodes`; their number must be a power of two.
    /// @dev Overwrites `nodes`.
    function rootOf(bytes32[] memory nodes) internal pure returns (bytes32) {
        uint256 count = nodes.length;
        if (count == 0 || count & (count - 1) != 0) revert TreeProofNodes(count);
        for (; count > 1; count >>= 1) {
            for (uint256 i = 0; i < count; i += 2) nodes[i >> 1] = parent(nodes[i], nodes[i + 1]);
        }
        return nodes[0];
    }

    /// @notice Reverts unless `leaf` stands at `index` of the tree of depth `depth_` under `root`.
    function verify(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        bytes32[] calldata siblings,
        uint256 depth_
    ) internal pure {
        _checkShape(index, siblings.length, depth_);
        bytes32 node = leaf;
        assembly ("memory-safe") {
            let end := add(siblings.offset, shl(5, siblings.length))
            for {
                let cursor := siblings.offset
            } lt(cursor, end) {
                cursor := add(cursor, 0x20)
            } {
                let side := shl(5, and(index, 1))
                mstore(side, node)
                mstore(xor(side, 0x20), calldataload(cursor))
                node := keccak256(0x00, 0x40)
                index := shr(1, index)
            }
        }
        if (node != root) revert TreeProofMismatch(root, node);
    }

    // INVARIANT (proofsAreTotal): the fold consumes every bit of the index, so two indices never share a proof.
    function _checkShape(uint256 index, uint256 siblings, uint256 depth_) private pure {
        if (siblings != depth_) revert TreeProofLength(siblings, depth_);
        if (depth_ < 256 && index >> depth_ != 0) revert TreeProofIndex(index, depth_);
    }
}
