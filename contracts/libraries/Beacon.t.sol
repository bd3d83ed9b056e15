// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Beacon} from "./Beacon.sol";

contract BeaconTest {
    function readable(uint256 beaconBlock, uint256 current) external pure returns (uint256) {
        return Beacon.readable(beaconBlock, current);
    }

    function testFuzz_readable_isTheOneBlockOfTheSeriesInTheHistory(uint40 beaconBlock, uint40 current) public view {
        if (current <= beaconBlock) {
            bytes memory call = abi.encodeCall(this.readable, (beaconBlock, current));
            Check.reverts(address(this), call, Beacon.BeaconEarly.selector, "before the block is over");
            return;
        }
        uint256 block_ = Beacon.readable(beaconBlock, current);
        Check.equal((block_ - beaconBlock) % 8191, 0, "in the series");
        Check.isTrue(block_ < current && block_ + 8191 >= current, "in the history, and the only one there");
    }

    function testFuzz_sampled_followsTheRate(bytes32 beacon, uint16 rate) public pure {
        Check.isTrue(!Beacon.sampled(beacon, 0), "never at rate 0");
        Check.isTrue(Beacon.sampled(beacon, 65536), "always at rate 65536");
        Check.isTrue(Beacon.sampled(beacon, rate) == ((uint256(beacon) & 0xffff) < rate), "rate");
    }

    function testFuzz_seat_isOneOfTheSeats(bytes32 beacon, uint256 draw, uint32 seats) public pure {
        uint256 count = uint256(seats) + 1;
        Check.isTrue(Beacon.seat(beacon, draw, count) < count, "seat");
    }
}
