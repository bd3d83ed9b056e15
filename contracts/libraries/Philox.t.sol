// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Philox} from "./Philox.sol";

contract PhiloxTest {
    /// Known answers of Random123 (kat_vectors, philox4x32, 10 rounds).
    function test_philox4x32_knownAnswers() public pure {
        uint32 f = 0xffffffff;
        _check([uint32(0), 0, 0, 0], 0, [uint32(0x6627e8d5), 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        _check([f, f, f, f], type(uint64).max, [uint32(0x408f276d), 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        _check(
            [uint32(0x243f6a88), 0x85a308d3, 0x13198a2e, 0x03707344],
            0x299f31d0a4093822,
            [uint32(0xd16cfe09), 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    function testFuzz_sampleRow_isARow(uint64 seed, uint32 step, uint32 row, uint32 sampleCount) public pure {
        uint256 sample = Philox.sampleRow(seed, step, row, sampleCount);
        Check.isTrue(sampleCount == 0 ? sample == 0 : sample < sampleCount, "sample");
    }

    function _check(uint32[4] memory counter, uint64 key, uint32[4] memory expected) private pure {
        uint32[4] memory lanes = Philox.philox4x32(counter, key);
        for (uint256 i = 0; i < 4; ++i) Check.equal(lanes[i], expected[i], "lane");
    }
}
