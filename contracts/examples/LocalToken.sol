// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token for local chains and tests only: anyone mints as much as they like, so it is worth nothing.
contract LocalToken is ERC20 {
    constructor() ERC20("Touchstone local token", "LOCAL") {}

    /// @notice Mints `amount` to the sender.
    function faucet(uint256 amount) external {
        _mint(msg.sender, amount);
    }
}
