// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ITrainingMarket} from "../interfaces/ITrainingMarket.sol";

/// @notice The market's money: what comes in is counted, what is owed is credited, and accounts are paid on demand.
// INVARIANT: the token balance is at least the sum of all credits, escrows, bonds and stakes.
abstract contract Credits is ITrainingMarket, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc ITrainingMarket
    IERC20 public immutable token;

    /// @inheritdoc ITrainingMarket
    mapping(address account => uint256) public credit;

    constructor(IERC20 token_) {
        token = token_;
    }

    /// @inheritdoc ITrainingMarket
    function withdraw(address account) external nonReentrant {
        uint256 amount = credit[account];
        if (amount == 0) revert NothingToWithdraw(account);
        credit[account] = 0;
        emit Withdrawn(account, amount);
        token.safeTransfer(account, amount);
    }

    /// @dev A token that takes a fee on the way would leave the market short: it is refused.
    function _take(uint256 amount) internal {
        if (amount == 0) return;
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert AmountReceived(amount, received);
    }

    function _credit(address account, uint256 amount) internal {
        if (amount == 0) return;
        credit[account] += amount;
        emit Credited(account, amount);
    }
}
