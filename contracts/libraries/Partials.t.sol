// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Partials} from "./Partials.sol";

contract PartialsTest {
    function testFuzz_range_coversEveryPositionOnce(uint32 lo, uint32 length) public pure {
        uint256 hi = uint256(lo) + (length == 0 ? 1 : length);
        uint256 next = lo;
        uint256 used = Partials.used(lo, hi);
        for (uint256 part = 0; part < 16; ++part) {
            (uint256 partLo, uint256 partHi) = Partials.range(lo, hi, part);
            Check.equal(partLo, next, "a part begins where the one before ends");
            Check.isTrue(partLo < partHi == part < used, "the parts that are not empty come first");
            Check.isTrue(partHi - partLo <= (hi - lo + 15) / 16, "no part is longer than a sixteenth, rounded up");
            next = partHi;
        }
        Check.equal(next, hi, "the last part ends the range");
    }
}
