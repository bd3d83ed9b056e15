// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Digest} from "./Digest.sol";
import {Subject} from "./Subject.sol";

contract DigestTest {
    function tensor(Subject calldata subject, uint256 step) external pure returns (uint256) {
        return Digest.tensor(subject, step);
    }

    function placement(
        Subject calldata subject,
        uint256 step,
        uint256 count
    ) external pure returns (uint256 index, uint256 depth) {
        return Digest.placement(subject, step, count);
    }

    /// The leaf's place, spelled out: leaf 2·step + 1 of the segment, then the tensor, then the tile.
    function testFuzz_placement_isATileOfTheStateAfterTheStep(
        bytes32 beacon,
        address verifier,
        uint32 stepSeed,
        uint32 stepCountSeed,
        uint32 stateCountSeed,
        uint32 countSeed
    ) public view {
        Subject memory subject;
        (subject.beacon, subject.defendant) = (beacon, verifier);
        subject.stepCount = (stepCountSeed >> 1) + 1;
        subject.training.program.stateCount = stateCountSeed == 0 ? 1 : stateCountSeed;
        uint256 step = stepSeed % subject.stepCount;
        uint256 count = uint256(countSeed) + 1;

        uint256 x = uint256(keccak256(abi.encode(beacon, verifier, step)));
        uint256 sampled = x % subject.training.program.stateCount;
        uint256 tiles = (count + 63) / 64;
        (uint256 middle, uint256 inner) = (_depth(subject.training.program.stateCount), _depth(tiles));
        Check.equal(this.tensor(subject, step), sampled, "tensor");
        (uint256 index, uint256 depth) = this.placement(subject, step, count);
        Check.equal(depth, _depth(2 * uint256(subject.stepCount)) + middle + inner, "depth");
        Check.equal(index % (1 << inner), (x >> 64) % tiles, "tile");
        Check.equal((index >> inner) % (1 << middle), sampled, "tensor in the index");
        Check.equal(index >> (inner + middle), 2 * step + 1, "leaf of the segment");
        Check.isTrue(index >> depth == 0, "inside the tree");
    }

    /// Nobody can take another's digest for its own: the places differ by verifier, beacon and step.
    function testFuzz_position_dependsOnEverything(bytes32 beacon, address verifier, uint64 step) public pure {
        uint256 own = Digest.position(beacon, verifier, step);
        Check.isTrue(own != Digest.position(~beacon, verifier, step), "beacon");
        Check.isTrue(own != Digest.position(beacon, address(~uint160(verifier)), step), "verifier");
        Check.isTrue(own != Digest.position(beacon, verifier, uint256(step) + 1), "step");
    }

    function _depth(uint256 count) private pure returns (uint256 depth) {
        while (1 << depth < count) ++depth;
    }
}
