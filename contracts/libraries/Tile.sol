// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TreeProof} from "./TreeProof.sol";

/// @notice The leaf of every tensor tree: 64 words of 4 bytes, little-endian, hashed with SHA-256 (docs/protocol.md, section 1).
library Tile {
    error TileLength(uint256 length);
    error TilePosition(uint256 position);
    error TileHashFailed();

    uint256 internal constant WORDS = 64;
    uint256 internal constant BYTES = 256;

    /// @notice Number of tiles of a tensor of `count` words; at least 1.
    function tiles(uint256 count) internal pure returns (uint256) {
        return count == 0 ? 1 : (count - 1) / WORDS + 1;
    }

    /// @notice Depth of the tree of a tensor of `count` words.
    function depth(uint256 count) internal pure returns (uint256) {
        return TreeProof.depth(tiles(count));
    }

    /// @notice SHA-256 of a tile's 256 bytes; any other length reverts.
    function hash(bytes calldata words) internal view returns (bytes32 digest) {
        if (words.length != BYTES) revert TileLength(words.length);
        bool done;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            calldatacopy(buffer, words.offset, 256)
            done := staticcall(gas(), 0x02, buffer, 256, 0x00, 0x20)
            done := and(done, eq(returndatasize(), 0x20))
            digest := mload(0x00)
        }
        if (!done) revert TileHashFailed();
    }

    /// @notice The word at `position` (0 … 63) of a tile.
    function word(bytes calldata words, uint256 position) internal pure returns (uint32) {
        if (words.length != BYTES) revert TileLength(words.length);
        if (position >= WORDS) revert TilePosition(position);
        uint256 offset;
        assembly ("memory-safe") {
            offset := words.offset
        }
        return wordAt(offset, position);
    }

    /// @notice As `word`, from the calldata offset of a tile that `hash` has accepted; `position` must be below 64.
    function wordAt(uint256 offset, uint256 position) internal pure returns (uint32 value) {
        assembly ("memory-safe") {
            let big := calldataload(add(offset, shl(2, position)))
            value := or(or(byte(0, big), shl(8, byte(1, big))), or(shl(16, byte(2, big)), shl(24, byte(3, big))))
        }
    }
}
