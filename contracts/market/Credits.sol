// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Account, ITrainingMarket} from "../interfaces/ITrainingMarket.sol";
import {Payout} from "../libraries/Payout.sol";

/// @notice The market's money: what comes in is counted, what is owed is credited, and accounts are paid on demand.
// INVARIANT (solvency): the token balance is at least the sum of all credits, escrows, bonds and stakes.
abstract contract Credits is ITrainingMarket, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc ITrainingMarket
    IERC20 public immutable token;

    mapping(address owner => Account) internal _accounts;

    constructor(IERC20 token_) {
        token = token_;
        // A slot that is not zero, so that no verdict pays for the first burned share.
        _accounts[Payout.BURNED].tasks = 1;
    }

    /// @inheritdoc ITrainingMarket
    function withdraw(address account) external nonReentrant {
        uint256 amount = _accounts[account].credit;
        if (amount == 0) revert NothingToWithdraw(account);
        _accounts[account].credit = 0;
        emit Withdrawn(account, amount);
        token.safeTransfer(account, amount);
    }

    /// @inheritdoc ITrainingMarket
    function credit(address account) external view returns (uint256) {
        return _accounts[account].credit;
    }

    /// @inheritdoc ITrainingMarket
    function accountOf(address account) external view returns (Account memory) {
        return _accounts[account];
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
        Account storage stored = _accounts[account];
        // SAFETY: credits are tokens that the market holds; 2^144 units of one would be needed to make this revert.
        stored.credit = SafeCast.toUint144(stored.credit + amount);
        emit Credited(account, amount);
    }
}
