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

    /// @dev The entry of `_history` that tells how many seats are active.
    uint256 private constant ACTIVE = type(uint256).max;

    /// @inheritdoc ITrainingMarket
    uint96 public immutable seatStake;

    /// @inheritdoc ITrainingMarket
    uint256 public seatCount;

    mapping(uint256 seat => Seat) private _seats;
    // INVARIANT (activeSeatsAreDense): the seats at places 0 … active − 1 are exactly the active ones, so that seats that left take no
    // draws. Seats and their number are kept by block (block · 2^32 + value, ascending), so that a checkpoint freezes what its draw can
    // take.
    mapping(uint256 place => uint256[]) private _history;

    constructor(uint96 seatStake_) {
        seatStake = seatStake_;
    }

    /// @inheritdoc ITrainingMarket
    function joinSeats(uint256 count) external nonReentrant returns (uint256 firstSeat) {
        if (count == 0 || count > MAX_JOIN) revert SeatWrong(count);
        firstSeat = seatCount;
        seatCount = firstSeat + count;
        uint256 active = _at(ACTIVE, block.number);
        for (uint256 i = 0; i < count; ++i) {
            uint256 place = active + i;
            // SAFETY: 2^32 seats would cost 2^32 storage slots.
            Seat storage stored = _seats[firstSeat + i];
            stored.verifier = msg.sender;
            stored.place = uint32(place);
            _set(place, firstSeat + i);
            emit SeatJoined(firstSeat + i, msg.sender);
        }
        _set(ACTIVE, active + count);
        _take(count * seatStake);
    }

    /// @inheritdoc ITrainingMarket
    function leaveSeat(uint256 seat) external {
        Seat storage stored = _seat(seat);
        if (msg.sender != stored.verifier) revert SenderNot(stored.verifier);
        if (stored.leftAt != 0) revert SeatWrong(seat);
        _leave(seat, stored);
    }

    /// @inheritdoc ITrainingMarket
    function withdrawSeat(uint256 seat) external {
        Seat storage stored = _seat(seat);
        if (stored.leftAt == 0 || stored.empty) revert SeatWrong(seat);
        // INVARIANT (seatsStand): a seat pays for every attestation that it stands for: its stake stays until all are closed.
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

    /// Number of seats that were active when a block ended.
    function _activeAt(uint256 block_) internal view returns (uint256) {
        return _at(ACTIVE, block_);
    }

    /// The seat, with its verifier, that stood at a place below `_activeAt` when the block ended.
    function _seatAt(uint256 place, uint256 block_) internal view returns (uint256 seat, address verifier) {
        seat = _at(place, block_);
        verifier = _seats[seat].verifier;
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
        if (stored.leftAt == 0) _leave(seat, stored);
        return seatStake;
    }

    /// The last active seat takes the place of the one that leaves.
    function _leave(uint256 seat, Seat storage stored) private {
        stored.leftAt = uint40(block.timestamp);
        uint256 last = _at(ACTIVE, block.number) - 1;
        uint256 moved = _at(last, block.number);
        _seats[moved].place = stored.place;
        _set(stored.place, moved);
        _set(ACTIVE, last);
        emit SeatLeft(seat);
    }

    function _set(uint256 place, uint256 value) private {
        _history[place].push((block.number << 32) | value);
    }

    /// What `_set` wrote last up to the end of a block; 0 when nothing.
    function _at(uint256 place, uint256 block_) private view returns (uint256) {
        uint256[] storage entries = _history[place];
        uint256 next;
        uint256 end = entries.length;
        // SAFETY: next ≤ middle < end ≤ the number of entries.
        unchecked {
            while (next < end) {
                uint256 middle = (next + end) >> 1;
                if (entries[middle] >> 32 > block_) end = middle;
                else next = middle + 1;
            }
        }
        return next == 0 ? 0 : uint32(entries[next - 1]);
    }

    function _seat(uint256 seat) private view returns (Seat storage) {
        if (seat >= seatCount) revert SeatWrong(seat);
        return _seats[seat];
    }
}
