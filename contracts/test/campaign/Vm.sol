// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What the campaign needs of the test runner.
// solhint-disable-next-line interface-starts-with-i
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function warp(uint256 timestamp) external;

    function roll(uint256 blockNumber) external;

    function prank(address sender) external;

    function addr(uint256 key) external pure returns (address);

    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);

    function recordLogs() external;

    function getRecordedLogs() external returns (Vm.Log[] memory);

    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);
}

Vm constant VM = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
