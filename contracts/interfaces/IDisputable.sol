// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Why a dispute ended as it did.
enum Reason {
    /// A side's clock ran out.
    Timeout,
    /// A child or word in the padding was chosen: it must be zero.
    Opening,
    /// An element of an operator's output was recomputed.
    Element,
    /// An element of a state tensor was compared with its source.
    Store,
    /// The value of a range of an element was recomputed.
    Partial,
    /// A digest leaf was compared with the tile that it stands for.
    Digest
}

/// @notice What opens disputes in a game: a market.
interface IDisputable {
    /// @notice The game's verdict on a dispute that the callee opened.
    /// @dev Called once for each dispute, as the last thing of the deciding move. It must not revert: the verdict would be lost
    /// until somebody makes the move again.
    function onDisputeResolved(bytes32 disputeId, address challenger, bool defendantConvicted, Reason reason) external;
}
