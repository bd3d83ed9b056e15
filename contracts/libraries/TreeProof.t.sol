// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {TreeProof} from "./TreeProof.sol";

contract TreeProofTest {
    function verify(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        bytes32[] calldata siblings,
        uint256 depth
    ) external pure {
        TreeProof.verify(root, leaf, index, siblings, depth);
    }

    function zero(uint256 height) external pure returns (bytes32) {
        return TreeProof.zero(height);
    }

    function rootOf(bytes32[] memory nodes) external pure returns (bytes32) {
        return TreeProof.rootOf(nodes);
    }

    function test_depth_isCeilingOfLog2() public pure {
        Check.equal(TreeProof.depth(0), 0, "none");
        Check.equal(TreeProof.depth(1), 0, "one");
        for (uint256 d = 1; d < 256; ++d) {
            Check.equal(TreeProof.depth(1 << d), d, "power of two");
            Check.equal(TreeProof.depth((1 << d) + 1), d + 1, "one more");
            if (d > 1) Check.equal(TreeProof.depth((1 << d) - 1), d, "one less");
        }
    }

    function test_zero_isRootOfEmptyTree() public view {
        bytes32 node;
        for (uint256 h = 0; h <= 64; ++h) {
            Check.equal(TreeProof.zero(h), node, "zero");
            node = keccak256(abi.encode(node, node));
        }
        Check.reverts(
            address(this),
            abi.encodeCall(this.zero, (65)),
            TreeProof.TreeProofHeight.selector,
            "zero beyond the highest tree"
        );
    }

    function testFuzz_verify_acceptsExactlyTheLeafAtItsIndex(uint256 seed, uint8 depthSeed, uint8 which) public view {
        uint256 depth = depthSeed % 6;
        uint256 index = which % (1 << depth);
        (bytes32 root, bytes32 leaf, bytes32[] memory siblings) = _tree(seed, depth, index);
        this.verify(root, leaf, index, siblings, depth);

        for (uint256 other = 0; other < 1 << depth; ++other) {
            if (other == index) continue;
            _refused(root, leaf, other, siblings, depth, TreeProof.TreeProofMismatch.selector);
        }
        _refused(root, ~leaf, index, siblings, depth, TreeProof.TreeProofMismatch.selector);
        _refused(~root, leaf, index, siblings, depth, TreeProof.TreeProofMismatch.selector);
        _refused(root, leaf, index + (1 << depth), siblings, depth, TreeProof.TreeProofIndex.selector);
        _refused(root, leaf, index, siblings, depth + 1, TreeProof.TreeProofLength.selector);
        if (depth == 0) return;
        _refused(root, leaf, index, siblings, depth - 1, TreeProof.TreeProofLength.selector);
        siblings[seed % depth] = ~siblings[seed % depth];
        _refused(root, leaf, index, siblings, depth, TreeProof.TreeProofMismatch.selector);
    }

    function test_verify_nestedTreeIsOneFold() public view {
        (bytes32 inner, bytes32 leaf, bytes32[] memory low) = _tree(1, 3, 5);
        bytes32[] memory outer = new bytes32[](4);
        for (uint256 i = 0; i < 4; ++i) outer[i] = i == 2 ? inner : keccak256(abi.encode("outer", i));
        bytes32[] memory siblings = new bytes32[](5);
        for (uint256 h = 0; h < 3; ++h) siblings[h] = low[h];
        siblings[3] = outer[3];
        siblings[4] = TreeProof.parent(outer[0], outer[1]);
        this.verify(TreeProof.rootOf(outer), leaf, (2 << 3) | 5, siblings, 5);
    }

    function test_rootOf_needsAPowerOfTwo() public view {
        for (uint256 count = 0; count <= 17; ++count) {
            if (count == 1 || count == 2 || count == 4 || count == 8 || count == 16) continue;
            Check.reverts(
                address(this),
                abi.encodeCall(this.rootOf, (new bytes32[](count))),
                TreeProof.TreeProofNodes.selector,
                "not a power of two"
            );
        }
        for (uint256 h = 0; h <= 4; ++h)
            Check.equal(TreeProof.rootOf(new bytes32[](1 << h)), TreeProof.zero(h), "empty tree");
    }

    function _refused(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        bytes32[] memory siblings,
        uint256 depth,
        bytes4 selector
    ) private view {
        Check.reverts(
            address(this),
            abi.encodeCall(this.verify, (root, leaf, index, siblings, depth)),
            selector,
            "verify"
        );
    }

    /// Levels built naively with abi.encode, the proof read off them.
    function _tree(
        uint256 seed,
        uint256 depth,
        uint256 index
    ) private pure returns (bytes32 root, bytes32 leaf, bytes32[] memory siblings) {
        bytes32[] memory level = new bytes32[](1 << depth);
        for (uint256 i = 0; i < level.length; ++i) level[i] = keccak256(abi.encode(seed, i));
        leaf = level[index];
        siblings = new bytes32[](depth);
        for (uint256 h = 0; h < depth; ++h) {
            siblings[h] = level[(index >> h) ^ 1];
            bytes32[] memory above = new bytes32[](level.length / 2);
            for (uint256 i = 0; i < above.length; ++i) above[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
            level = above;
        }
        root = level[0];
    }
}
