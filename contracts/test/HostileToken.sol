// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that keeps a fee of what is sent, and calls somebody in the middle of every transfer.
contract HostileToken is ERC20 {
    uint256 public feePercent;
    address public hookTarget;
    bytes public hookData;
    /// Return data of the last hook that failed.
    bytes public hookFailure;

    constructor() ERC20("Hostile token", "HOSTILE") {}

    function faucet(uint256 amount) external {
        _mint(msg.sender, amount);
    }

    function setFee(uint256 percent) external {
        feePercent = percent;
    }

    function setHook(address target, bytes calldata data) external {
        hookTarget = target;
        hookData = data;
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 fee = from == address(0) ? 0 : (amount * feePercent) / 100;
        super._update(from, to, amount - fee);
        if (fee > 0) super._update(from, address(0xfee), fee);
        if (hookTarget == address(0)) return;
        (bool done, bytes memory answer) = hookTarget.call(hookData);
        if (!done) hookFailure = answer;
    }
}
