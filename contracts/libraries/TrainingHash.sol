// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Training} from "./Subject.sol";

/// @notice The hash that a task keeps of its training: keccak256(abi.encode(training)).
library TrainingHash {
    /// @dev Six words of Program, three of Data, two of Schedule and four more.
    uint256 private constant BYTES = 15 * 32;

    /// @dev As SubjectHash: a struct of value types is its own encoding. Dirty upper bits give another hash than the one that was
    /// stored, which the caller's comparison refuses.
    function hash(Training calldata training) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, training, BYTES)
            digest := keccak256(buffer, BYTES)
        }
    }
}
