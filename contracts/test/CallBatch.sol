// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Many calls of one contract in one, each with its own outcome: keeps differential tests fast.
contract CallBatch {
    struct Outcome {
        bool done;
        /// Returned data, or the revert's.
        bytes data;
    }

    error CallFailed(bytes data);

    /// @notice Gas that one call uses, without its transaction.
    function gasOf(address target, bytes memory call) external view returns (uint256 used) {
        uint256 before = gasleft();
        (bool done, bytes memory data) = target.staticcall(call);
        used = before - gasleft();
        if (!done) revert CallFailed(data);
    }

    function run(address target, bytes[] calldata calls) external view returns (Outcome[] memory outcomes) {
        outcomes = new Outcome[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) (outcomes[i].done, outcomes[i].data) = target.staticcall(calls[i]);
    }
}
