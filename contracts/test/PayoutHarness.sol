// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Payout} from "../libraries/Payout.sol";

/// @notice Lets the differential test of shared/economics call the library that it is the twin of.
contract PayoutHarness {
    function conviction(uint256 stake) external pure returns (uint256 challenger, uint256 requester, uint256 burned) {
        return Payout.conviction(stake);
    }

    function upheld(uint256 bond) external pure returns (uint256 defendant, uint256 burned) {
        return Payout.upheld(bond);
    }

    function expiry(uint256 bond) external pure returns (uint256 burned, uint256 solver) {
        return Payout.expiry(bond);
    }

    function burnedAccount() external pure returns (address) {
        return Payout.BURNED;
    }
}
