// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Payout} from "./Payout.sol";

contract PayoutTest {
    function testFuzz_conviction_burnsAtLeastHalfAndLosesNothing(uint256 stake) public pure {
        (uint256 challenger, uint256 requester, uint256 burned) = Payout.conviction(stake);
        Check.equal(burned + challenger + requester, stake, "sum");
        Check.isTrue(burned >= stake - stake / 2, "at least half is burned");
        Check.equal(challenger, requester, "challenger and requester get the same");
        Check.equal(challenger, stake / 4, "a quarter");
    }

    function testFuzz_upheld_losesNothing(uint256 bond) public pure {
        (uint256 defendant, uint256 burned) = Payout.upheld(bond);
        Check.equal(defendant + burned, bond, "sum");
        Check.equal(defendant, bond / 2, "half");
    }

    function testFuzz_expiry_losesNothing(uint256 bond) public pure {
        (uint256 burned, uint256 solver) = Payout.expiry(bond);
        Check.equal(burned + solver, bond, "sum");
        Check.equal(burned, bond / 4, "a quarter");
    }
}
