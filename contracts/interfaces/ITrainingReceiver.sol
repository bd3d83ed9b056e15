// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A contract that wants to know how a task ended: usually the dapp that posted it.
interface ITrainingReceiver {
    /// @notice Called by the market with at most `CALLBACK_GAS` gas, once the task is settled or has failed.
    /// @dev A revert loses nothing: anyone may have the market try again (`notify`).
    /// @param success True when the run is complete and undisputed; the result is the last checkpoint.
    function onTrainingResolved(bytes32 taskId, bool success) external;
}
