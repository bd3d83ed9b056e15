// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Training} from "./Subject.sol";
import {TrainingHash} from "./TrainingHash.sol";

contract TrainingHashTest {
    function hash(Training calldata training) external pure returns (bytes32) {
        return TrainingHash.hash(training);
    }

    function testFuzz_hash_isThatOfTheEncoding(Training memory training) public view {
        Check.equal(this.hash(training), keccak256(abi.encode(training)), "hash");
    }

    /// A word whose upper bits are dirty does not pass for the clean one.
    function testFuzz_hash_seesEveryBitOfCalldata(Training memory training, uint256 word, uint8 bit) public view {
        bytes memory data = abi.encodeCall(this.hash, (training));
        uint256 offset = 4 + 32 * (word % 15);
        assembly ("memory-safe") {
            let place := add(add(data, 0x20), offset)
            mstore(place, xor(mload(place), shl(bit, 1)))
        }
        (bool done, bytes memory answer) = address(this).staticcall(data);
        Check.isTrue(!done || bytes32(answer) != keccak256(abi.encode(training)), "a changed bit changes the hash");
    }
}
