// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The randomness of a draw, from a block fixed when the checkpoint was committed (docs/protocol.md, section 5).
library Beacon {
    /// @notice The block's hash is known only after the block.
    error BeaconEarly(uint256 beaconBlock);
    /// @notice This chain does not give the block's hash; a later block is tried every 8191 blocks.
    error BeaconUnreadable(uint256 beaconBlock);

    /// @dev Hashes that EIP-2935 keeps, and the step from a missed block to the next.
    uint256 internal constant HISTORY = 8191;
    address private constant HISTORY_CONTRACT = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @notice The block whose hash counts now: `beaconBlock`, or the fixed next one when that can no longer be read.
    // INVARIANT (oneBeacon): nobody chooses the block: one of beaconBlock + k·8191 is readable at a time.
    function readable(uint256 beaconBlock, uint256 current) internal pure returns (uint256) {
        if (current <= beaconBlock) revert BeaconEarly(beaconBlock);
        return beaconBlock + ((current - beaconBlock - 1) / HISTORY) * HISTORY;
    }

    /// @notice keccak256(blockhash, taskId, segment).
    function read(uint256 beaconBlock, bytes32 taskId, uint32 segment) internal view returns (bytes32) {
        uint256 block_ = readable(beaconBlock, block.number);
        bytes32 hash = _hashOf(block_);
        if (hash == 0) revert BeaconUnreadable(block_);
        return keccak256(abi.encode(hash, taskId, segment));
    }

    /// @notice Whether the beacon samples the segment, with probability rate / 65536.
    function sampled(bytes32 beacon, uint256 rate) internal pure returns (bool) {
        return uint16(uint256(beacon)) < rate;
    }

    /// @notice The seat of draw `draw`, of `seats`.
    function seat(bytes32 beacon, uint256 draw, uint256 seats) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(beacon, draw))) % seats;
    }

    /// BLOCKHASH knows 256 blocks, the history contract 8191. Zero when neither answers.
    // SAFETY: only a successful answer of 32 bytes counts: a chain without the history may have anything at its address, and what
    // a failing call returns is not a hash.
    function _hashOf(uint256 block_) private view returns (bytes32 hash) {
        hash = blockhash(block_);
        if (hash != 0) return hash;
        (bool done, bytes memory answer) = HISTORY_CONTRACT.staticcall(abi.encode(block_));
        if (done && answer.length == 32) hash = abi.decode(answer, (bytes32));
    }
}
