// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DescriptorProof, StepProof} from "../interfaces/IDisputeGame.sol";
import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Check} from "../test/Check.sol";
import {Evidence} from "./Evidence.sol";
import {Program, Subject} from "./Subject.sol";
import {TreeProof} from "./TreeProof.sol";
import {Walk} from "./Walk.sol";

/// What the challenger brings from outside the walk is taken only with its proof, and only at its place.
contract EvidenceTest {
    uint256 private constant TENSORS = 5;
    uint32 private constant STEPS = 3;

    function checkDescriptor(
        Program calldata program,
        DescriptorProof calldata proof,
        uint256 tensor,
        bool ofState
    ) external pure {
        Evidence.checkDescriptor(program, proof, tensor, ofState);
    }

    function stepRoots(
        Subject calldata subject,
        StepProof calldata proof,
        uint256 step,
        bytes32 segmentRoot
    ) external pure returns (StepRoots memory) {
        return Evidence.stepRoots(subject, proof, step, segmentRoot);
    }

    function sourceWord(
        Walk memory walk,
        StepRoots memory roots,
        bytes calldata descriptor,
        TileWitness calldata witness
    ) external view returns (uint32) {
        return Evidence.sourceWord(walk, roots, descriptor, witness);
    }

    function testFuzz_checkDescriptor_takesEachAtItsPlaceInItsList(
        bytes32 seed,
        uint8 which,
        bool ofState
    ) public view {
        uint256 tensor = which % TENSORS;
        bytes32[] memory leaves = new bytes32[](8);
        for (uint256 i = 0; i < TENSORS; ++i) leaves[i] = sha256(abi.encode(seed, i));
        DescriptorProof memory proof;
        proof.descriptor = abi.encode(seed, tensor);
        bytes32 root;
        (root, proof.siblings) = _prove(leaves, tensor);
        Program memory program;
        (program.operatorCount, program.stateCount) = (uint32(TENSORS), uint32(TENSORS));
        if (ofState) program.statesRoot = root;
        else program.operatorsRoot = root;
        this.checkDescriptor(program, proof, tensor, ofState);

        bytes4 mismatch = TreeProof.TreeProofMismatch.selector;
        for (uint256 other = 0; other < 8; ++other) {
            if (other == tensor) continue;
            bytes memory elsewhere = abi.encodeCall(this.checkDescriptor, (program, proof, other, ofState));
            Check.reverts(address(this), elsewhere, mismatch, "at another place");
        }
        bytes memory otherList = abi.encodeCall(this.checkDescriptor, (program, proof, tensor, !ofState));
        Check.reverts(address(this), otherList, mismatch, "in the other list");
        proof.descriptor[0] ^= 0x01;
        bytes memory damaged = abi.encodeCall(this.checkDescriptor, (program, proof, tensor, ofState));
        Check.reverts(address(this), damaged, mismatch, "another descriptor");
        program.operatorCount = program.stateCount = 17;
        bytes memory shallow = abi.encodeCall(this.checkDescriptor, (program, proof, tensor, ofState));
        Check.reverts(address(this), shallow, TreeProof.TreeProofLength.selector, "in a tree of another depth");
    }

    function testFuzz_stepRoots_areThoseOfTheStepInTheSegment(
        bytes32 seed,
        uint8 stepSeed,
        uint32 firstStep
    ) public view {
        uint256 step = stepSeed % STEPS;
        (Subject memory subject, StepProof memory proof, bytes32 segmentRoot) = _segment(seed, step);
        subject.firstStep = firstStep >> 1;
        StepRoots memory roots = this.stepRoots(subject, proof, step, segmentRoot);
        Check.equal(roots.traceRoot, _leaf(seed, 2 * step), "trace");
        Check.equal(roots.stateRoot, step == 0 ? subject.startRoot : _leaf(seed, 2 * step - 1), "state before");
        Check.equal(roots.step, subject.firstStep + step, "step of the run");
        Check.equal(roots.steps, subject.training.steps, "steps of the run");
        Check.equal(roots.seed, subject.training.seed, "seed");
        Check.equal(roots.constantsRoot, subject.training.program.constantsRoot, "constants");
        Check.equal(roots.datasetRoot, subject.training.data.datasetRoot, "dataset");
        Check.equal(roots.scheduleRoot, subject.training.schedule.scheduleRoot, "schedule");
        Check.equal(roots.operatorCount, 11, "operators");
        Check.equal(roots.stateCount, 12, "state tensors");
        Check.equal(roots.constantCount, 13, "constants");
        Check.equal(roots.sampleCount, 14, "samples");
        Check.equal(roots.sampleWords, 15, "words of a sample");
        Check.equal(roots.scheduleWidth, 16, "width of the schedule");
    }

    function testFuzz_stepRoots_ofAnotherStepAreRefused(bytes32 seed, uint8 stepSeed) public view {
        uint256 step = stepSeed % STEPS;
        (Subject memory subject, StepProof memory proof, bytes32 segmentRoot) = _segment(seed, step);
        bytes4 mismatch = TreeProof.TreeProofMismatch.selector;
        bytes memory call = abi.encodeCall(this.stepRoots, (subject, proof, (step + 1) % STEPS, segmentRoot));
        Check.reverts(address(this), call, mismatch, "another step's");
        call = abi.encodeCall(this.stepRoots, (subject, proof, step, ~segmentRoot));
        Check.reverts(address(this), call, mismatch, "another segment's");
        bytes32 trace = proof.traceRoot;
        proof.traceRoot = ~trace;
        call = abi.encodeCall(this.stepRoots, (subject, proof, step, segmentRoot));
        Check.reverts(address(this), call, mismatch, "another trace");
        if (step == 0) return;
        (proof.traceRoot, proof.stateRoot) = (trace, ~proof.stateRoot);
        call = abi.encodeCall(this.stepRoots, (subject, proof, step, segmentRoot));
        Check.reverts(address(this), call, mismatch, "another state");
    }

    function testFuzz_stepRoots_leftOutAreZero(bytes32 seed, uint8 stepSeed) public view {
        uint256 step = stepSeed % STEPS;
        (Subject memory subject, , bytes32 segmentRoot) = _segment(seed, step);
        StepProof memory none;
        StepRoots memory roots = this.stepRoots(subject, none, step, segmentRoot);
        Check.equal(roots.traceRoot, bytes32(0), "trace");
        Check.equal(roots.stateRoot, step == 0 ? subject.startRoot : bytes32(0), "state before");
    }

    /// The state before the first step is the task's word, whatever the challenger calls it.
    function testFuzz_stepRoots_ofTheFirstStepBeginAtTheCheckpoint(bytes32 seed, bytes32 other) public view {
        (Subject memory subject, StepProof memory proof, bytes32 segmentRoot) = _segment(seed, 0);
        (proof.stateRoot, proof.stateSiblings) = (other, new bytes32[](2));
        Check.equal(this.stepRoots(subject, proof, 0, segmentRoot).stateRoot, subject.startRoot, "state before");
    }

    /// A state tensor of three tiles, the third of four in its list; its source is operator 1 of 2, or itself.
    function testFuzz_sourceWord_isTheSameWordOfTheSource(
        bytes32 seed,
        uint8 tile,
        uint8 element,
        bool replaced
    ) public view {
        Walk memory walk;
        (walk.tensor, walk.index, walk.element) = (2, uint32(tile % 3), element % 64);
        bytes memory descriptor =
            replaced ? bytes(hex"0100_000000a0_01_00000001") : bytes(hex"0100_000000a0_00_00000000");
        (StepRoots memory roots, TileWitness memory witness) = _source(seed, walk, replaced);
        uint32 word = this.sourceWord(walk, roots, descriptor, witness);
        bytes memory words = witness.words;
        for (uint256 i = 0; i < 4; ++i)
            Check.equal((word >> (8 * i)) & 0xff, uint8(words[4 * uint256(walk.element) + i]), "word");

        bytes4 mismatch = TreeProof.TreeProofMismatch.selector;
        walk.index = (walk.index + 1) % 3;
        bytes memory call = abi.encodeCall(this.sourceWord, (walk, roots, descriptor, witness));
        Check.reverts(address(this), call, mismatch, "another tile");
        walk.index = uint32(tile % 3);
        bytes memory other = replaced ? bytes(hex"0100_000000a0_01_00000000") : bytes(hex"0100_000000a0_01_00000001");
        (bool taken, ) = address(this).staticcall(abi.encodeCall(this.sourceWord, (walk, roots, other, witness)));
        Check.isTrue(!taken, "another source");
        words[0] ^= 0x01;
        call = abi.encodeCall(this.sourceWord, (walk, roots, descriptor, witness));
        Check.reverts(address(this), call, mismatch, "other words");
    }

    function _segment(
        bytes32 seed,
        uint256 step
    ) private pure returns (Subject memory subject, StepProof memory proof, bytes32 segmentRoot) {
        subject.stepCount = STEPS;
        subject.startRoot = keccak256(abi.encode(seed, "start"));
        subject.training.steps = type(uint32).max;
        subject.training.seed = uint64(uint256(seed));
        subject.training.program.constantsRoot = keccak256(abi.encode(seed, "constants"));
        subject.training.data.datasetRoot = keccak256(abi.encode(seed, "dataset"));
        subject.training.schedule.scheduleRoot = keccak256(abi.encode(seed, "schedule"));
        (subject.training.program.operatorCount, subject.training.program.stateCount) = (11, 12);
        (subject.training.program.constantCount, subject.training.data.sampleCount) = (13, 14);
        (subject.training.data.sampleWords, subject.training.schedule.width) = (15, 16);
        proof.traceRoot = _leaf(seed, 2 * step);
        (segmentRoot, proof.traceSiblings) = _prove(_leaves(seed), 2 * step);
        if (step == 0) return (subject, proof, segmentRoot);
        proof.stateRoot = _leaf(seed, 2 * step - 1);
        (, proof.stateSiblings) = _prove(_leaves(seed), 2 * step - 1);
    }

    function _source(
        bytes32 seed,
        Walk memory walk,
        bool replaced
    ) private pure returns (StepRoots memory roots, TileWitness memory witness) {
        bytes32[] memory tiles = new bytes32[](4);
        for (uint256 i = 0; i < 3; ++i) tiles[i] = sha256(_words(seed, i));
        witness.words = _words(seed, walk.index);
        (bytes32 root, bytes32[] memory inner) = _prove(tiles, walk.index);
        uint256 tensor = replaced ? 1 : walk.tensor;
        bytes32[] memory tensors = new bytes32[](replaced ? 2 : 4);
        for (uint256 i = 0; i < tensors.length; ++i) tensors[i] = i == tensor ? root : keccak256(abi.encode(seed, i));
        (bytes32 outerRoot, bytes32[] memory outer) = _prove(tensors, tensor);
        (roots.operatorCount, roots.stateCount) = (2, 4);
        if (replaced) roots.traceRoot = outerRoot;
        else roots.stateRoot = outerRoot;
        witness.siblings = new bytes32[](inner.length + outer.length);
        for (uint256 i = 0; i < witness.siblings.length; ++i)
            witness.siblings[i] = i < inner.length ? inner[i] : outer[i - inner.length];
    }

    function _words(bytes32 seed, uint256 tile) private pure returns (bytes memory words) {
        for (uint256 i = 0; i < 8; ++i) words = abi.encodePacked(words, keccak256(abi.encode(seed, tile, i)));
    }

    function _leaf(bytes32 seed, uint256 leaf) private pure returns (bytes32) {
        return keccak256(abi.encode(seed, leaf));
    }

    function _leaves(bytes32 seed) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](8);
        for (uint256 i = 0; i < 2 * STEPS; ++i) leaves[i] = _leaf(seed, i);
    }

    /// The root over the leaves and the siblings of one, built naively.
    function _prove(
        bytes32[] memory leaves,
        uint256 leaf
    ) private pure returns (bytes32 root, bytes32[] memory siblings) {
        uint256 depth;
        while (1 << depth < leaves.length) ++depth;
        siblings = new bytes32[](depth);
        bytes32[] memory level = leaves;
        for (uint256 h = 0; h < depth; ++h) {
            siblings[h] = level[(leaf >> h) ^ 1];
            bytes32[] memory above = new bytes32[](level.length / 2);
            for (uint256 i = 0; i < above.length; ++i) above[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
            level = above;
        }
        root = level[0];
    }
}
