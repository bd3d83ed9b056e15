// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Subject} from "./Subject.sol";

/// @notice The hash that stands for a subject in storage: keccak256(abi.encode(subject)).
library SubjectHash {
    /// @dev 15 words of Training and 9 more.
    uint256 private constant BYTES = 24 * 32;

    /// @dev A struct of value types is its own encoding, so the calldata is hashed as it lies. Dirty upper bits give another
    /// hash than the encoder's, which the caller's comparison refuses.
    function hash(Subject calldata subject) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, subject, BYTES)
            digest := keccak256(buffer, BYTES)
        }
    }
}
