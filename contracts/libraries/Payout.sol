// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Who gets what of a forfeited amount (docs/protocol.md, section 7).
/// @dev Every split gives its last share the remainder, so that nothing is lost or made by rounding.
library Payout {
    /// @dev Where burned shares are credited; anyone may send them there.
    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;

    /// @notice A convicted defendant's stake: a quarter to the challenger, a quarter to the requester, the rest burned.
    // INVARIANT (halfIsBurned): the burned share is at least half, so with stake ≥ 2 · gain a cheat that convicts itself through a
    // friend loses.
    function conviction(uint256 stake) internal pure returns (uint256 challenger, uint256 requester, uint256 burned) {
        challenger = stake / 4;
        requester = stake / 4;
        burned = stake - challenger - requester;
    }

    /// @notice A losing challenger's bond: half to the defendant, for its gas, the rest burned.
    function upheld(uint256 bond) internal pure returns (uint256 defendant, uint256 burned) {
        defendant = bond / 2;
        burned = bond - defendant;
    }

    /// @notice The bond of a solver that stopped: a quarter burned, the rest back.
    // INVARIANT (stoppingEarnsNobody): nobody earns by it, so a requester has nothing to gain from a task that cannot be finished.
    function expiry(uint256 bond) internal pure returns (uint256 burned, uint256 solver) {
        burned = bond / 4;
        solver = bond - burned;
    }
}
