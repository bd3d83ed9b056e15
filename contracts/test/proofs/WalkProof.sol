// SPDX-License-Identifier: MIT
// A `require` here is an assumption of the proof: nobody reads its reason.
/* solhint-disable gas-custom-errors, reason-string */
pragma solidity 0.8.37;

import {Walk, WalkLib} from "../../libraries/Walk.sol";

/// @notice What the model checker proves of the length of an opening, for every argument (`npm run test:smt`).
/// @dev A `require` is what the callers guarantee, an `assert` what they rely on; every operation on the way is a target, too.
contract WalkProof {
    /// An opening goes down at least one level, at most five, and never below the leaves.
    function walkSpan(Walk memory walk) external pure {
        uint256 span = WalkLib.span(walk);
        assert(span <= walk.height && span <= WalkLib.SPAN && (walk.height == 0 || span >= 1));
    }
}
