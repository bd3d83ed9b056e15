// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ITrainingMarket, TaskSpec} from "../interfaces/ITrainingMarket.sol";
import {ITrainingReceiver} from "../interfaces/ITrainingReceiver.sol";

/// @notice An example dapp: buys trained models for its owner and learns of each from the market's callback.
contract ModelBuyer is ITrainingReceiver {
    using SafeERC20 for IERC20;

    enum Order {
        None,
        Placed,
        Delivered,
        Failed
    }

    struct Model {
        Order order;
        /// State after the last step of the run, once delivered.
        bytes32 stateRoot;
    }

    error BuyerSenderNot(address expected);
    error BuyerReceiverNot(address expected);
    error BuyerOrderUnknown(bytes32 taskId);

    event ModelOrdered(bytes32 indexed taskId);
    event ModelResolved(bytes32 indexed taskId, Order order, bytes32 stateRoot);

    ITrainingMarket public immutable market;
    IERC20 public immutable token;
    address public immutable owner;

    mapping(bytes32 taskId => Model) public models;

    constructor(ITrainingMarket market_, address owner_) {
        market = market_;
        token = market_.token();
        owner = owner_;
    }

    /// @notice Orders a training run and pays for it from the owner's allowance.
    /// @param cost What the market escrows: price + verifierFee · draws · segments.
    function buy(TaskSpec calldata spec, uint256 cost) external returns (bytes32 taskId) {
        if (msg.sender != owner) revert BuyerSenderNot(owner);
        if (spec.receiver != address(this)) revert BuyerReceiverNot(address(this));
        token.safeTransferFrom(owner, address(this), cost);
        token.forceApprove(address(market), cost);
        taskId = market.post(spec);
        models[taskId].order = Order.Placed;
        emit ModelOrdered(taskId);
    }

    /// @inheritdoc ITrainingReceiver
    function onTrainingResolved(bytes32 taskId, bool success) external {
        if (msg.sender != address(market)) revert BuyerSenderNot(address(market));
        Model storage model = models[taskId];
        // A task that somebody else posted with this contract as receiver is none of its orders.
        if (model.order != Order.Placed) revert BuyerOrderUnknown(taskId);
        model.order = success ? Order.Delivered : Order.Failed;
        model.stateRoot = market.finalStateRoot(taskId);
        emit ModelResolved(taskId, model.order, model.stateRoot);
    }

    /// @notice Sends the owner everything that the market refunded to this contract.
    function refund() external {
        if (market.credit(address(this)) > 0) market.withdraw(address(this));
        token.safeTransfer(owner, token.balanceOf(address(this)));
    }
}
