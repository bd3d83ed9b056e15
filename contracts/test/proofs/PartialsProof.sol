// SPDX-License-Identifier: MIT
// A `require` here is an assumption of the proof: nobody reads its reason.
/* solhint-disable gas-custom-errors, reason-string */
pragma solidity 0.8.37;

import {Partials} from "../../libraries/Partials.sol";

/// @notice What the model checker proves of the split of a range, for every argument (`npm run test:smt`).
/// @dev A `require` is what the callers guarantee, an `assert` what they rely on; every operation on the way is a target, too.
contract PartialsProof {
    /// A part lies in its range.
    function partialsRange(uint32 lo, uint32 hi, uint256 part) external pure {
        require(lo < hi && part < Partials.PARTS);
        (uint256 partLo, uint256 partHi) = Partials.range(lo, hi, part);
        assert(lo <= partLo && partLo <= partHi && partHi <= hi);
    }

    /// The first part is never empty.
    function partialsFirst(uint32 lo, uint32 hi) external pure {
        require(lo < hi);
        (uint256 partLo, uint256 partHi) = Partials.range(lo, hi, 0);
        assert(partLo == lo && partHi > partLo);
    }

    /// Parts follow each other without a gap, and the last one ends the range.
    function partialsCover(uint32 lo, uint32 hi, uint256 part) external pure {
        require(lo < hi && part < Partials.PARTS - 1);
        (, uint256 end) = Partials.range(lo, hi, part);
        (uint256 next, uint256 nextEnd) = Partials.range(lo, hi, part + 1);
        assert(end == next && (part != Partials.PARTS - 2 || nextEnd == hi));
    }

    /// A part of a range that is split is shorter than the range: every way down ends.
    function partialsShrink(uint32 lo, uint32 hi, uint256 part) external pure {
        require(lo < hi && hi - lo > 1 && part < Partials.PARTS);
        (uint256 partLo, uint256 partHi) = Partials.range(lo, hi, part);
        assert(partHi - partLo < hi - lo);
    }

    function partialsUsed(uint32 lo, uint32 hi) external pure {
        require(lo < hi);
        uint256 used = Partials.used(lo, hi);
        assert(used >= 1 && used <= Partials.PARTS);
    }
}
