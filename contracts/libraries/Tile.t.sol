// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Tile} from "./Tile.sol";

contract TileTest {
    function hash(bytes calldata words) external view returns (bytes32) {
        return Tile.hash(words);
    }

    function word(bytes calldata words, uint256 position) external pure returns (uint32) {
        return Tile.word(words, position);
    }

    function wordAt(bytes calldata words, uint256 position) external pure returns (uint32) {
        uint256 offset;
        assembly ("memory-safe") {
            offset := words.offset
        }
        return Tile.wordAt(offset, position);
    }

    function test_tiles_ofACount() public pure {
        Check.equal(Tile.tiles(0), 1, "empty tensor");
        Check.equal(Tile.tiles(1), 1, "scalar");
        Check.equal(Tile.tiles(64), 1, "one tile");
        Check.equal(Tile.tiles(65), 2, "two tiles");
        Check.equal(Tile.tiles(type(uint32).max), 1 << 26, "largest tensor");
        Check.equal(Tile.depth(64), 0, "depth of one tile");
        Check.equal(Tile.depth(65), 1, "depth of two tiles");
        Check.equal(Tile.depth(64 * 5), 3, "depth of five tiles");
        Check.equal(Tile.depth(type(uint32).max), 26, "depth of the largest tensor");
    }

    function testFuzz_hash_isSha256OfTheBytes(uint256 seed) public view {
        bytes memory words = _tile(seed, 256);
        Check.equal(this.hash(words), sha256(words), "hash");
    }

    function testFuzz_word_isLittleEndian(uint256 seed) public view {
        bytes memory words = _tile(seed, 256);
        for (uint256 i = 0; i < 64; ++i) {
            uint256 expected;
            for (uint256 j = 0; j < 4; ++j) expected |= uint256(uint8(words[4 * i + j])) << (8 * j);
            Check.equal(this.word(words, i), expected, "word");
            Check.equal(this.wordAt(words, i), expected, "wordAt");
        }
    }

    function test_hashAndWord_refuseOtherLengths() public view {
        uint16[6] memory lengths = [0, 1, 255, 257, 260, 512];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory words = _tile(i, lengths[i]);
            Check.reverts(address(this), abi.encodeCall(this.hash, (words)), Tile.TileLength.selector, "hash");
            Check.reverts(address(this), abi.encodeCall(this.word, (words, 0)), Tile.TileLength.selector, "word");
        }
        Check.reverts(
            address(this),
            abi.encodeCall(this.word, (_tile(0, 256), 64)),
            Tile.TilePosition.selector,
            "position 64"
        );
    }

    function _tile(uint256 seed, uint256 length) private pure returns (bytes memory words) {
        words = new bytes(length);
        for (uint256 i = 0; i < length; ++i) words[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i)))));
    }
}
