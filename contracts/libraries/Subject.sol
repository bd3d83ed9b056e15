// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The canonical program by its commitments (docs/protocol.md, section 1.2).
struct Program {
    bytes32 operatorsRoot;
    bytes32 statesRoot;
    bytes32 constantsRoot;
    uint32 operatorCount;
    uint32 stateCount;
    uint32 constantCount;
}

/// @notice The committed dataset: `sampleCount` samples of `sampleWords` words each.
struct Data {
    bytes32 datasetRoot;
    uint32 sampleCount;
    uint32 sampleWords;
}

/// @notice The committed table of per-step numbers, `[steps, width]` words.
struct Schedule {
    bytes32 scheduleRoot;
    uint32 width;
}

/// @notice Everything that influences a bit of a training run.
struct Training {
    Program program;
    Data data;
    Schedule schedule;
    bytes32 initialStateRoot;
    uint64 seed;
    uint32 steps;
    uint32 interval;
}

/// @notice Everything a dispute depends on. The game stores its hash; the struct travels in calldata.
struct Subject {
    Training training;
    bytes32 taskId;
    /// Zero-based segment whose end is disputed.
    uint32 segment;
    /// The solver, or a verifier that attested the segment.
    address defendant;
    /// stateRoot before the segment: the initial state or the previous checkpoint.
    bytes32 startRoot;
    /// The committed checkpoint of this segment.
    bytes32 endRoot;
    /// First step of the segment, counted over the whole run, and the number of its steps.
    uint32 firstStep;
    uint32 stepCount;
    /// A verifier's revealed replay digest and the beacon that placed it; zero when the defendant is the solver.
    bytes32 digestRoot;
    bytes32 beacon;
}
