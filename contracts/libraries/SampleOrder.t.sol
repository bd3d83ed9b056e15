// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Philox} from "./Philox.sol";
import {SampleOrder} from "./SampleOrder.sol";

contract SampleOrderTest {
    function test_sampleAt_sequential_goesOnFromStepToStep() public pure {
        // Steps of 3 rows over 5 samples: 0 1 2 | 3 4 0 | 1 2 3.
        Check.equal(_sequential(1, 2), 0, "the fifth and last, then the first");
        Check.equal(_sequential(2, 0), 1, "and on");
    }

    function testFuzz_permute_takesEverySampleOnce(uint64 seed, uint64 epoch, uint8 countSeed) public pure {
        uint256 count = uint256(countSeed % 80) + 1;
        uint32[8] memory keys = Philox.permutationKeys(seed, epoch);
        uint256 seen;
        for (uint256 place = 0; place < count; ++place) seen |= 1 << SampleOrder.permute(keys, place, count);
        Check.equal(seen, (1 << count) - 1, "all of them");
    }

    function testFuzz_sampleAt_isASample(
        uint64 seed,
        uint32 step,
        uint32 rows,
        uint32 row,
        uint32 sampleCount,
        uint8 order
    ) public view {
        if (sampleCount == 0) sampleCount = 1;
        uint256 gasBefore = gasleft();
        uint256 sample = SampleOrder.sampleAt(order % 3, seed, step, rows, row, sampleCount);
        Check.isTrue(gasBefore - gasleft() < 100_000, "gas");
        Check.isTrue(sample < sampleCount, "sample");
    }

    /// The longest walk: 3 of two bits stays where it is for these keys.
    function test_permute_endsEveryWalk() public view {
        uint256 cut;
        for (uint64 epoch = 0; epoch < 30; ++epoch) {
            uint32[8] memory keys = Philox.permutationKeys(1, epoch);
            if (SampleOrder.permute(keys, 3, 4) != 3) continue;
            ++cut;
            uint256 gasBefore = gasleft();
            Check.equal(SampleOrder.permute(keys, 3, 3), 0, "cut");
            Check.isTrue(gasBefore - gasleft() < 150_000, "gas");
        }
        Check.isTrue(cut > 2, "walks that were cut");
    }

    function _sequential(uint32 step, uint32 row) private pure returns (uint256) {
        return SampleOrder.sampleAt(SampleOrder.SEQUENTIAL, 0, step, 3, row, 5);
    }
}
