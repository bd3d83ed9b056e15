// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITrainingMarket} from "../interfaces/ITrainingMarket.sol";
import {ITrainingReceiver} from "../interfaces/ITrainingReceiver.sol";

/// @notice A receiver that does its worst with the call.
contract HostileReceiver is ITrainingReceiver {
    enum Manner {
        Accept,
        Revert,
        BurnGas,
        RevertBomb,
        ReturnBomb,
        Reenter
    }

    error Refused();

    ITrainingMarket public immutable market;
    Manner public manner;
    uint256 public calls;
    bool public success;
    uint256 public gasGiven;
    bytes public reentryFailure;

    constructor(ITrainingMarket market_) {
        market = market_;
    }

    function setManner(Manner manner_) external {
        manner = manner_;
    }

    /// @inheritdoc ITrainingReceiver
    function onTrainingResolved(bytes32 taskId, bool success_) external {
        uint256 given = gasleft();
        if (manner == Manner.Revert) revert Refused();
        if (manner == Manner.BurnGas) while (true) {}
        if (manner == Manner.RevertBomb) {
            assembly {
                revert(0, 100000)
            }
        }
        if (manner == Manner.ReturnBomb) {
            assembly {
                return(0, 100000)
            }
        }
        if (manner == Manner.Reenter) {
            (bool done, bytes memory answer) = address(market).call(abi.encodeCall(ITrainingMarket.notify, (taskId)));
            if (!done) reentryFailure = answer;
        }
        calls++;
        success = success_;
        gasGiven = given;
    }
}
