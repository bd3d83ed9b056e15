// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IReferee, StepRoots, TileWitness} from "./interfaces/IReferee.sol";
import {Descriptor, Family, Operator} from "./libraries/Descriptor.sol";
import {Float32} from "./libraries/Float32.sol";
import {Rounding} from "./libraries/Rounding.sol";
import {Batch} from "./rules/Batch.sol";
import {Dot} from "./rules/Dot.sol";
import {Gather} from "./rules/Gather.sol";
import {Join} from "./rules/Join.sol";
import {Map} from "./rules/Map.sol";
import {Part} from "./rules/Part.sol";
import {Peak} from "./rules/Peak.sol";
import {Random} from "./rules/Random.sol";
import {Schedule} from "./rules/Schedule.sol";
import {Sum} from "./rules/Sum.sol";
import {SumByIndex} from "./rules/SumByIndex.sol";

/// @notice Decides one element of one operator; the rules themselves are in `rules/`, one library a family.
/// @dev Bounded whatever the descriptor says: at most 8 operands, 64 instructions, 64 reduced positions.
contract Referee is IReferee {
    error RefereeElementOutside(uint256 element, uint256 count);
    error RefereeFamilyDoesNotReduce(uint256 family);
    /// @notice [lo, hi) is empty or leaves [0, length).
    error RefereeRangeOutside(uint256 lo, uint256 hi, uint256 length);
    error RefereeRangeTooLong(uint256 positions);
    error RefereeSumOverflow();

    /// @notice Positions of the reduced axis that one call may read (docs/protocol.md, section 3).
    uint256 public constant MAX_RANGE = 64;

    /// @inheritdoc IReferee
    function element(
        bytes calldata descriptor,
        uint256 element_,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) external view override returns (uint32 word) {
        Operator memory operator = Descriptor.decode(descriptor);
        _requireElement(operator, element_);
        if (operator.family == Family.MAP) return Map.element(operator, element_, roots, witness);
        if (operator.family == Family.GATHER) return Gather.element(operator, element_, roots, witness);
        if (operator.family == Family.BATCH) return Batch.element(operator, element_, roots, witness);
        if (operator.family == Family.SCHEDULE) return Schedule.element(operator, roots, witness);
        if (operator.family == Family.JOIN) return Join.element(operator, element_, roots, witness);
        if (operator.family == Family.RANDOM) return Random.element(operator, element_, roots, witness);
        (int256 value, int256 exponent) = _partialValue(
            operator,
            Part({element: element_, lo: 0, hi: operator.length}),
            roots,
            witness
        );
        return _finish(operator, value, exponent);
    }

    /// @inheritdoc IReferee
    function partialValue(
        bytes calldata descriptor,
        uint256 element_,
        uint256 lo,
        uint256 hi,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) external view override returns (int256 value, int256 exponent) {
        Operator memory operator = _decodeReducing(descriptor);
        _requireElement(operator, element_);
        if (lo >= hi || hi > operator.length) revert RefereeRangeOutside(lo, hi, operator.length);
        return _partialValue(operator, Part({element: element_, lo: lo, hi: hi}), roots, witness);
    }

    /// @inheritdoc IReferee
    function combine(
        bytes calldata descriptor,
        int256[16] calldata values
    ) external pure override returns (int256 value) {
        Operator memory operator = _decodeReducing(descriptor);
        if (operator.family == Family.PEAK) return Peak.combine(values);
        unchecked {
            for (uint256 i = 0; i < 16; ++i) {
                int256 sum = value + values[i];
                if (values[i] < 0 != sum < value) revert RefereeSumOverflow();
                value = sum;
            }
        }
    }

    /// @inheritdoc IReferee
    function finish(
        bytes calldata descriptor,
        int256 value,
        int256 exponent
    ) external pure override returns (uint32 word) {
        return _finish(_decodeReducing(descriptor), value, exponent);
    }

    // INVARIANT (rangesAreBounded): the range lies in [0, length); here its length is bounded, so a rule's loop is.
    function _partialValue(
        Operator memory operator,
        Part memory part,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) private view returns (int256 value, int256 exponent) {
        if (part.hi - part.lo > MAX_RANGE) revert RefereeRangeTooLong(part.hi - part.lo);
        if (operator.family == Family.DOT) return Dot.partialValue(operator, part, roots, witness);
        if (operator.family == Family.SUM) return Sum.partialValue(operator, part, roots, witness);
        if (operator.family == Family.SUM_BY_INDEX) return SumByIndex.partialValue(operator, part, roots, witness);
        return (Peak.partialValue(operator, part, roots, witness), 0);
    }

    function _finish(Operator memory operator, int256 value, int256 exponent) private pure returns (uint32) {
        if (operator.family == Family.PEAK) return Peak.finish(operator, value, exponent);
        return Float32.canonical(Rounding.roundToFloat32(value, exponent));
    }

    function _decodeReducing(bytes calldata descriptor) private pure returns (Operator memory operator) {
        operator = Descriptor.decode(descriptor);
        if (!Descriptor.reduces(operator.family)) revert RefereeFamilyDoesNotReduce(operator.family);
    }

    function _requireElement(Operator memory operator, uint256 element_) private pure {
        if (element_ >= operator.count) revert RefereeElementOutside(element_, operator.count);
    }
}
