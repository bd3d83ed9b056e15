// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DescriptorProof, StepProof} from "../interfaces/IDisputeGame.sol";
import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Descriptor, StateTensor} from "./Descriptor.sol";
import {Program, Subject} from "./Subject.sol";
import {Tile} from "./Tile.sol";
import {TreeProof} from "./TreeProof.sol";
import {Walk} from "./Walk.sol";

/// @notice Checks what the challenger brings from outside the node: descriptors, a step's roots, tiles of other tensors.
// INVARIANT (evidenceHasItsPlace): each is proved at the place that the position names, with a proof of exactly that depth.
library Evidence {
    /// @notice Reverts unless the descriptor is that of operator (or state tensor) `tensor` of the task's program.
    function checkDescriptor(
        Program calldata program,
        DescriptorProof calldata proof,
        uint256 tensor,
        bool ofState
    ) internal pure {
        TreeProof.verify(
            ofState ? program.statesRoot : program.operatorsRoot,
            sha256(proof.descriptor),
            tensor,
            proof.siblings,
            TreeProof.depth(ofState ? program.stateCount : program.operatorCount)
        );
    }

    /// @notice The roots that the referee proves a step's witness against, themselves proved against `segmentRoot`.
    function stepRoots(
        Subject calldata subject,
        StepProof calldata proof,
        uint256 step,
        bytes32 segmentRoot
    ) internal pure returns (StepRoots memory roots) {
        uint256 depth = TreeProof.depth(2 * uint256(subject.stepCount));
        // SAFETY: a root left at zero is not proved. No witness is either against it: neither a tile nor a node hashes to zero.
        if (proof.traceRoot != 0) {
            TreeProof.verify(segmentRoot, proof.traceRoot, 2 * step, proof.traceSiblings, depth);
            roots.traceRoot = proof.traceRoot;
        }
        if (step == 0) {
            roots.stateRoot = subject.startRoot;
        } else if (proof.stateRoot != 0) {
            TreeProof.verify(segmentRoot, proof.stateRoot, 2 * step - 1, proof.stateSiblings, depth);
            roots.stateRoot = proof.stateRoot;
        }
        Program calldata program = subject.training.program;
        roots.constantsRoot = program.constantsRoot;
        roots.operatorCount = program.operatorCount;
        roots.stateCount = program.stateCount;
        roots.constantCount = program.constantCount;
        roots.datasetRoot = subject.training.data.datasetRoot;
        roots.sampleCount = subject.training.data.sampleCount;
        roots.sampleWords = subject.training.data.sampleWords;
        roots.scheduleRoot = subject.training.schedule.scheduleRoot;
        roots.scheduleWidth = subject.training.schedule.width;
        roots.steps = subject.training.steps;
        roots.seed = subject.training.seed;
        // SAFETY: step < stepCount, and firstStep + stepCount ≤ steps, a uint32 (openDispute).
        roots.step = uint32(subject.firstStep + step);
    }

    /// @notice The word that the walk's element of a state tensor must equal: the same word of its source.
    /// @dev Both tensors have one count: a program whose source has another is malformed and cannot be proved here.
    /// @param descriptor The state tensor's.
    /// @param witness The source's tile: an operator's output in this step, or the tensor itself before the step.
    function sourceWord(
        Walk memory walk,
        StepRoots memory roots,
        bytes calldata descriptor,
        TileWitness calldata witness
    ) internal view returns (uint32) {
        StateTensor memory state = Descriptor.decodeState(descriptor);
        uint256 inner = Descriptor.depth(state);
        uint256 tensor = state.replaced ? state.source : walk.tensor;
        uint256 tensors = state.replaced ? roots.operatorCount : roots.stateCount;
        TreeProof.verify(
            state.replaced ? roots.traceRoot : roots.stateRoot,
            Tile.hash(witness.words),
            (tensor << inner) | walk.index,
            witness.siblings,
            TreeProof.depth(tensors) + inner
        );
        return Tile.word(witness.words, walk.element);
    }
}
