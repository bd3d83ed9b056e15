// SPDX-License-Identifier: MIT
// A `require` here is an assumption of the proof: nobody reads its reason.
/* solhint-disable gas-custom-errors, reason-string */
pragma solidity 0.8.37;

import {Tile} from "../../libraries/Tile.sol";

/// @notice What the model checker proves of the number of tiles, for every argument (`npm run test:smt`).
/// @dev A `require` is what the callers guarantee, an `assert` what they rely on; every operation on the way is a target, too.
contract TileProof {
    /// The tiles hold every word, and the last one at least one.
    function tiles(uint256 count) external pure {
        require(count <= type(uint32).max);
        uint256 number = Tile.tiles(count);
        assert(number >= 1 && number * Tile.WORDS >= count && (count == 0 || (number - 1) * Tile.WORDS < count));
    }
}
