// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The opening of a node: all of its descendants some levels down (docs/protocol.md, section 1).
library Opening {
    /// @notice The node that the children fold to; their number must be a power of two.
    /// @dev As TreeProof.rootOf, without a copy that lasts: every round of every walk pays for this.
    function fold(bytes32[] calldata children) internal pure returns (bytes32 node) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let size := shl(5, children.length)
            calldatacopy(buffer, children.offset, size)
            for {} gt(size, 0x20) {
                size := shr(1, size)
            } {
                let end := add(buffer, size)
                let target := buffer
                for {
                    let pair := buffer
                } lt(pair, end) {
                    pair := add(pair, 0x40)
                } {
                    mstore(target, keccak256(pair, 0x40))
                    target := add(target, 0x20)
                }
            }
            node := mload(buffer)
        }
    }
}
