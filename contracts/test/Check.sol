// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Assertions of the Solidity tests; a failed one reverts with both values.
library Check {
    error CheckFailed(string what);
    error CheckEqualFailed(string what, uint256 actual, uint256 expected);
    error CheckRevertFailed(string what, bytes4 actual, bytes4 expected);

    function isTrue(bool condition, string memory what) internal pure {
        if (!condition) revert CheckFailed(what);
    }

    function equal(uint256 actual, uint256 expected, string memory what) internal pure {
        if (actual != expected) revert CheckEqualFailed(what, actual, expected);
    }

    function equal(int256 actual, int256 expected, string memory what) internal pure {
        equal(uint256(actual), uint256(expected), what);
    }

    function equal(bytes32 actual, bytes32 expected, string memory what) internal pure {
        equal(uint256(actual), uint256(expected), what);
    }

    /// @notice Calls `target` and demands that it reverts with the custom error `selector`.
    function reverts(address target, bytes memory call, bytes4 selector, string memory what) internal view {
        (bool done, bytes memory answer) = target.staticcall(call);
        if (done) revert CheckRevertFailed(what, 0x00000000, selector);
        bytes4 actual = answer.length < 4 ? bytes4(0) : bytes4(answer);
        if (actual != selector) revert CheckRevertFailed(what, actual, selector);
    }
}
