// SPDX-License-Identifier: MIT
// A `require` here is an assumption of the proof: nobody reads its reason.
/* solhint-disable gas-custom-errors, reason-string */
pragma solidity 0.8.37;

import {Payout} from "../../libraries/Payout.sol";

/// @notice What the model checker proves of payouts, for every argument (`npm run test:smt`).
/// @dev A `require` is what the callers guarantee, an `assert` what they rely on; every operation on the way is a target, too.
contract PayoutProof {
    function payoutConviction(uint256 stake) external pure {
        (uint256 challenger, uint256 requester, uint256 burned) = Payout.conviction(stake);
        assert(challenger + requester + burned == stake && burned >= stake - burned);
    }

    function payoutUpheld(uint256 bond) external pure {
        (uint256 defendant, uint256 burned) = Payout.upheld(bond);
        assert(defendant + burned == bond);
    }

    function payoutExpiry(uint256 bond) external pure {
        (uint256 burned, uint256 solver) = Payout.expiry(bond);
        assert(burned + solver == bond);
    }
}
