// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITrainingMarket, Seat} from "../interfaces/ITrainingMarket.sol";
import {TaskRules} from "../libraries/TaskRules.sol";
import {Credits} from "./Credits.sol";

/// @notice Verifier stake, in units that the draw can name (docs/protocol.md, section 5).
abstract contract Seats is Credits {
    /// @notice Seconds between leaving and withdrawing, so that draws in flight still find the stake.
    uint256 public constant EXIT_DELAY = 1 days;

    uint256 private constant MAX_JOIN = 64;

    /// @inheritdoc ITrainingMarket
    uint96 public immutable seatStake;

    // INVARIANT: append-only, so that the number of seats at a checkpoint freezes what its draw can take.
    Seat[] private _seats;

    constructor(uint96 seatStake_) {
        seatStake = seatStake_;
    }

    /// @inheritdoc ITrainingMarket
    function joinSeats(uint256 count) external nonReentrant returns (uint256 firstSeat) {
        if (count == 0 || count > MAX_JOIN) revert SeatWrong(count);
        firstSeat = _seats.length;
        for (uint256 i = 0; i < count; ++i) {
            _seats.push(Seat({verifier: msg.sender, leftAt: 0, live: 0, empty: false}));
            emit SeatJoined(firstSeat + i, msg.sender);
        }
        _take(count * seatStake);
    }

    /// @inheritdoc ITrainingMarket
    function leaveSeat(uint256 seat) external {
        Seat storage stored = _seat(seat);
        if (msg.sender != stored.verifier) revert SenderNot(stored.verifier);
        if (stored.leftAt != 0) revert SeatWrong(seat);
        stored.leftAt = uint40(block.timestamp);
        emit SeatLeft(seat);
    }

    /// @inheritdoc ITrainingMarket
    function withdrawSeat(uint256 seat) external {
        Seat storage stored = _seat(seat);
        if (stored.leftAt == 0 || stored.empty) revert SeatWrong(seat);
        // INVARIANT: a seat pays for every attestation that it stands for: its stake stays until all are closed.
        if (stored.live != 0) revert SeatBusy(seat, stored.live);
        if (block.timestamp < stored.leftAt + EXIT_DELAY) revert TooEarly(stored.leftAt + EXIT_DELAY);
        stored.empty = true;
        emit SeatWithdrawn(seat);
        _credit(stored.verifier, seatStake);
    }

    /// @inheritdoc ITrainingMarket
    function seatOf(uint256 seat) external view returns (Seat memory) {
        return _seat(seat);
    }

    /// @inheritdoc ITrainingMarket
    function seatCount() public view returns (uint256) {
        return _seats.length;
    }

    /// The verifier of a seat, and whether the seat was active just before `time`.
    function _holder(uint256 seat, uint256 time) internal view returns (address verifier, bool active) {
        Seat storage stored = _seats[seat];
        return (stored.verifier, stored.leftAt == 0 || stored.leftAt > time);
    }

    function _occupy(uint256 seat) internal {
        Seat storage stored = _seats[seat];
        if (stored.empty) revert SeatWrong(seat);
        if (stored.live >= TaskRules.MAX_LIVE) revert SeatBusy(seat, stored.live);
        stored.live++;
    }

    function _release(uint256 seat) internal {
        _seats[seat].live--;
    }

    /// The stake that the seat forfeits: once all of it, then nothing.
    function _forfeit(uint256 seat) internal returns (uint256 stake) {
        Seat storage stored = _seats[seat];
        stored.live--;
        if (stored.empty) return 0;
        stored.empty = true;
        if (stored.leftAt == 0) {
            stored.leftAt = uint40(block.timestamp);
            emit SeatLeft(seat);
        }
        return seatStake;
    }

    function _seat(uint256 seat) private view returns (Seat storage) {
        if (seat >= _seats.length) revert SeatWrong(seat);
        return _seats[seat];
    }
}
