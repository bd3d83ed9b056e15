// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A tile (64 words, 256 bytes, little-endian words) and its siblings, leaf to root.
struct TileWitness {
    bytes words;
    bytes32[] siblings;
}

/// @notice The roots that witnesses are proved against, and what the rules need to know of the step.
struct StepRoots {
    bytes32 traceRoot;
    /// State before the step.
    bytes32 stateRoot;
    bytes32 constantsRoot;
    bytes32 datasetRoot;
    bytes32 scheduleRoot;
    uint32 operatorCount;
    uint32 stateCount;
    uint32 constantCount;
    uint32 sampleCount;
    uint32 sampleWords;
    uint32 scheduleWidth;
    /// Total steps of the run (rows of the schedule table) and this step's number, from 0.
    uint32 steps;
    uint32 step;
    uint64 seed;
}

/// @notice Decides one element of one operator by docs/numerics.md. Stateless: everything arrives with its proof.
/// @dev Witness order: one tile for each operand in descriptor order, leaving out operands whose address lies outside the
/// operand (they read 0); Batch brings one sample tile (none when it reads outside a sample), Schedule one table tile, Random none, Join that of
/// the one operand that holds the element; over a range of k, the one tile that the range touches.
interface IReferee {
    /// @notice The canonical word of output element `element` (row-major index), all reduced positions included.
    /// @dev For the reducing families only when [0, length) fits the witness (one tile an operand).
    function element(
        bytes calldata descriptor,
        uint256 element_,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) external view returns (uint32 word);

    /// @notice The exact value of an element of Dot, Sum, SumByIndex or Peak over k in [lo, hi).
    /// @return value Integer sum; for Peak the maximum as a canonical float32 word.
    /// @return exponent Power of two that scales the sum; 0 for Peak.
    function partialValue(
        bytes calldata descriptor,
        uint256 element_,
        uint256 lo,
        uint256 hi,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) external view returns (int256 value, int256 exponent);

    /// @notice The combined value of partial results: their sum, or for Peak the greatest.
    function combine(bytes calldata descriptor, int256[16] calldata values) external pure returns (int256 value);

    /// @notice The element's word that a combined value stands for: RN32(value · 2^exponent), or Peak's mode applied.
    function finish(bytes calldata descriptor, int256 value, int256 exponent) external pure returns (uint32 word);
}
