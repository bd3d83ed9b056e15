// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDisputable, Reason} from "../interfaces/IDisputable.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {Subject} from "../libraries/Subject.sol";

/// @notice A market that opens a dispute about whatever it likes, and remembers the verdicts that it is told.
contract RogueMarket is IDisputable {
    event Verdict(bytes32 indexed disputeId, bool defendantConvicted, Reason reason);

    IDisputeGame public immutable game;
    bytes32 public last;
    uint64 private _nonce;

    constructor(IDisputeGame game_) {
        game = game_;
    }

    function open(
        Subject calldata subject,
        address challenger,
        uint24 defendantClock,
        uint24 challengerClock
    ) external {
        last = game.openDispute(subject, challenger, _nonce++, defendantClock, challengerClock);
    }

    /// @inheritdoc IDisputable
    function onDisputeResolved(bytes32 disputeId, address, bool defendantConvicted, Reason reason) external {
        emit Verdict(disputeId, defendantConvicted, reason);
    }
}
