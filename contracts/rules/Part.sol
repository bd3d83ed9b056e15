// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The positions [lo, hi) of the reduced axis of one output element.
struct Part {
    uint256 element;
    uint256 lo;
    uint256 hi;
}
