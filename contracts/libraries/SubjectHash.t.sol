// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Subject} from "./Subject.sol";
import {SubjectHash} from "./SubjectHash.sol";

contract SubjectHashTest {
    function hash(Subject calldata subject) external pure returns (bytes32) {
        return SubjectHash.hash(subject);
    }

    function testFuzz_hash_isThatOfTheEncoding(Subject memory subject) public view {
        Check.equal(this.hash(subject), keccak256(abi.encode(subject)), "hash");
    }

    /// A word whose upper bits are dirty does not pass for the clean one.
    function testFuzz_hash_seesEveryBitOfCalldata(Subject memory subject, uint256 word, uint8 bit) public view {
        bytes memory data = abi.encodeCall(this.hash, (subject));
        uint256 offset = 4 + 32 * (word % 24);
        assembly ("memory-safe") {
            let place := add(add(data, 0x20), offset)
            mstore(place, xor(mload(place), shl(bit, 1)))
        }
        (bool done, bytes memory answer) = address(this).staticcall(data);
        Check.isTrue(!done || bytes32(answer) != keccak256(abi.encode(subject)), "a changed bit changes the hash");
    }
}
