// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Opening} from "./Opening.sol";
import {TreeProof} from "./TreeProof.sol";

contract OpeningTest {
    function fold(bytes32[] calldata children) external pure returns (bytes32) {
        return Opening.fold(children);
    }

    function testFuzz_fold_isTheRootOfTheChildren(bytes32 seed, uint8 depth) public view {
        bytes32[] memory children = new bytes32[](1 << (depth % 5));
        for (uint256 i = 0; i < children.length; ++i) children[i] = keccak256(abi.encode(seed, i));
        bytes32 folded = this.fold(children);
        Check.equal(folded, TreeProof.rootOf(children), "root");
    }
}
