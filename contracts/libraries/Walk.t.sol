// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {TreeProof} from "./TreeProof.sol";
import {Level, Walk, WalkLib} from "./Walk.sol";

contract WalkTest {
    using WalkLib for Walk;

    function testFuzz_pack_keepsEveryField(uint256 seed, bool ofState, int16 exponent) public pure {
        Walk memory walk = Walk({
            level: Level(seed % (uint256(type(Level).max) + 1)),
            height: uint8(seed >> 8),
            index: uint32(seed >> 16),
            leaves: uint32(seed >> 48),
            step: uint32(seed >> 80),
            tensor: uint32(seed >> 112),
            ofState: ofState,
            element: uint8(seed >> 144),
            lo: uint32(seed >> 152),
            hi: uint32(seed >> 184),
            exponent: exponent
        });
        Walk memory read;
        read.unpack(walk.pack());
        read.unpackRange(walk.packRange());
        Check.equal(keccak256(abi.encode(read)), keccak256(abi.encode(walk)), "walk");
    }

    function test_isInTree_isTrueOfTheLevelsThatAreOpenedIntoChildren() public pure {
        Walk memory walk;
        for (uint256 level = 0; level <= uint256(type(Level).max); ++level) {
            walk.level = Level(level);
            bool tree =
                walk.level == Level.Segment ||
                    walk.level == Level.Trace ||
                    walk.level == Level.State ||
                    walk.level == Level.Tensor ||
                    walk.level == Level.Digest;
            Check.isTrue(walk.isInTree() == tree, "level");
        }
    }

    /// Whatever is chosen, the walk reaches a leaf in ceil(depth / 5) rounds, at the index that the choices spell.
    function testFuzz_descend_reachesTheChosenLeaf(uint32 leavesSeed, uint32 target) public pure {
        uint256 leaves = leavesSeed == 0 ? 1 : leavesSeed;
        Walk memory walk;
        walk.index = 77;
        walk.enter(Level.Trace, leaves);
        uint256 depth = TreeProof.depth(leaves);
        Check.equal(walk.height, depth, "depth");
        uint256 goal = uint256(target) % (1 << depth);
        uint256 rounds;
        uint256 before;
        while (walk.height > 0) {
            uint256 span = walk.span();
            Check.isTrue(span <= 5 && (rounds == 0 || span <= before), "span");
            before = span;
            walk.descend((goal >> (walk.height - span)) & ((1 << span) - 1));
            Check.isTrue(
                walk.isPadding() == (uint256(walk.index) << walk.height >= leaves),
                "padding: no leaf of the node is below the number of leaves"
            );
            ++rounds;
        }
        Check.equal(walk.index, goal, "index");
        Check.equal(rounds, (depth + 4) / 5, "rounds");
        Check.isTrue(walk.isPadding() == (goal >= leaves), "leaf in the padding");
    }
}
