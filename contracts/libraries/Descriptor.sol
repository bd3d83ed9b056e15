// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SampleOrder} from "./SampleOrder.sol";
import {Tile} from "./Tile.sol";

/// @dev Most dimensions of an output.
uint256 constant MAX_RANK = 6;

/// @notice Numbers of the wire encoding of an operator's family.
library Family {
    uint256 internal constant MAP = 1;
    uint256 internal constant DOT = 2;
    uint256 internal constant SUM = 3;
    uint256 internal constant SUM_BY_INDEX = 4;
    uint256 internal constant PEAK = 5;
    uint256 internal constant GATHER = 6;
    uint256 internal constant BATCH = 7;
    uint256 internal constant SCHEDULE = 8;
    uint256 internal constant JOIN = 9;
    uint256 internal constant RANDOM = 10;
}

/// @notice Numbers of the wire encoding of an operand's reference kind.
library ReferenceKind {
    uint256 internal constant OPERATOR = 1;
    uint256 internal constant STATE = 2;
    uint256 internal constant CONSTANT = 3;
}

/// @notice A decodable operator descriptor: its fixed fields, and where in calldata its lists begin.
struct Operator {
    uint256 family;
    uint256 dtype;
    uint256 rank;
    /// Words of the output, 1 … 2^32 − 1.
    uint256 count;
    /// K; 0 in the families that do not reduce.
    uint256 length;
    uint256 attributeA;
    uint256 attributeB;
    uint256 attributeC;
    uint256 operandCount;
    uint256 immediateCount;
    uint256 instructionCount;
    // Calldata offsets. SAFETY: `decode` has checked that every list lies inside the descriptor.
    uint256 dimensionsOffset;
    uint256 operandsOffset;
    uint256 operandBytes;
    uint256 immediatesOffset;
    uint256 instructionsOffset;
    uint256 rangesOffset;
}

/// @notice A decodable state descriptor.
struct StateTensor {
    uint256 dtype;
    /// Words of the tensor, at least 1.
    uint256 count;
    /// Whether an operator's output replaces the tensor after the step, and which.
    bool replaced;
    uint256 source;
}

/// @notice Bytes of operator and state descriptors (docs/protocol.md, section 1.1). Whatever is not decodable there reverts here.
library Descriptor {
    error DescriptorLength(uint256 given, uint256 needed);
    error DescriptorVersion(uint256 version);
    error DescriptorFamily(uint256 family);
    error DescriptorDtype(uint256 dtype);
    error DescriptorRank(uint256 rank);
    /// @notice A dimension is 0 or the output has 2^32 words or more.
    error DescriptorShape(uint256 dimension);
    /// @notice K, A, B or C is not one that the family can have.
    error DescriptorAttribute(uint256 family, uint256 length, uint256 a, uint256 b, uint256 c);
    error DescriptorOperandCount(uint256 family, uint256 operands);
    error DescriptorReferenceKind(uint256 kind);
    error DescriptorProgram(uint256 immediates, uint256 instructions);
    error DescriptorSource(uint256 kind, uint256 index);

    uint256 private constant VERSION = 1;
    uint256 private constant MAX_BITS = 22;
    uint256 private constant MAX_MAP_OPERANDS = 8;
    uint256 private constant MAX_JOIN_OPERANDS = 8;
    uint256 private constant MAX_IMMEDIATES = 64;
    uint256 private constant MAX_INSTRUCTIONS = 64;
    /// @dev version, family, dtype, rank.
    uint256 private constant HEAD_BYTES = 4;
    /// @dev K, A, B, C, operand count.
    uint256 private constant ATTRIBUTE_BYTES = 14;
    /// @dev Of an operand, without its strides.
    uint256 private constant OPERAND_BYTES = 14;
    /// @dev Start and extent of an operand of Join.
    uint256 private constant RANGE_BYTES = 8;
    uint256 private constant STATE_BYTES = 11;

    /// @notice Reads and checks a whole operator descriptor.
    function decode(bytes calldata descriptor) internal pure returns (Operator memory operator) {
        uint256 start;
        assembly ("memory-safe") {
            start := descriptor.offset
        }
        unchecked {
            _requireLength(descriptor.length, HEAD_BYTES + ATTRIBUTE_BYTES);
            uint256 head = _load(start, 4);
            if (head >> 24 != VERSION) revert DescriptorVersion(head >> 24);
            operator.family = (head >> 16) & 0xff;
            operator.dtype = (head >> 8) & 0xff;
            operator.rank = head & 0xff;
            if (operator.rank > MAX_RANK) revert DescriptorRank(operator.rank);
            uint256 needed = HEAD_BYTES + 4 * operator.rank + ATTRIBUTE_BYTES;
            _requireLength(descriptor.length, needed);

            operator.dimensionsOffset = start + HEAD_BYTES;
            operator.count = _outputCount(operator);

            uint256 attributes = _load(operator.dimensionsOffset + 4 * operator.rank, ATTRIBUTE_BYTES);
            operator.length = attributes >> 80;
            operator.attributeA = (attributes >> 72) & 0xff;
            operator.attributeB = (attributes >> 40) & 0xffffffff;
            operator.attributeC = (attributes >> 8) & 0xffffffff;
            operator.operandCount = attributes & 0xff;
            _checkFamily(operator);

            operator.operandsOffset = start + needed;
            operator.operandBytes = OPERAND_BYTES + 4 * (operator.rank + (reduces(operator.family) ? 1 : 0));
            needed += operator.operandCount * operator.operandBytes;
            if (operator.family == Family.MAP) needed = _mapProgram(operator, descriptor.length, start, needed);
            if (operator.family == Family.JOIN) {
                operator.rangesOffset = start + needed;
                needed += operator.operandCount * RANGE_BYTES;
            }
            if (descriptor.length != needed) revert DescriptorLength(descriptor.length, needed);
            _checkOperands(operator);
        }
    }

    /// @notice Words of the output of a descriptor that `decode` has accepted.
    function countOf(bytes calldata descriptor) internal pure returns (uint256 count) {
        unchecked {
            (uint256 offset, uint256 rank) = _dimensionsOf(descriptor);
            count = 1;
            // SAFETY: decode has bounded the product.
            for (uint256 end = offset + 4 * rank; offset < end; offset += 4) count *= _load(offset, 4);
        }
    }

    /// @notice Reduced length K of a descriptor that `decode` has accepted.
    function lengthOf(bytes calldata descriptor) internal pure returns (uint256) {
        unchecked {
            (uint256 offset, uint256 rank) = _dimensionsOf(descriptor);
            return _load(offset + 4 * rank, 4);
        }
    }

    /// @notice Reads and checks a state descriptor.
    function decodeState(bytes calldata descriptor) internal pure returns (StateTensor memory state) {
        if (descriptor.length != STATE_BYTES) revert DescriptorLength(descriptor.length, STATE_BYTES);
        uint256 start;
        assembly ("memory-safe") {
            start := descriptor.offset
        }
        uint256 fields = _load(start, STATE_BYTES);
        if (fields >> 80 != VERSION) revert DescriptorVersion(fields >> 80);
        state.dtype = (fields >> 72) & 0xff;
        if (state.dtype > 1) revert DescriptorDtype(state.dtype);
        state.count = (fields >> 40) & 0xffffffff;
        if (state.count == 0) revert DescriptorShape(0);
        uint256 kind = (fields >> 32) & 0xff;
        state.replaced = kind == 1;
        state.source = fields & 0xffffffff;
        if (kind > 1 || (kind == 0 && state.source != 0)) revert DescriptorSource(kind, state.source);
    }

    /// @notice Whether the family has a reduced axis: its operands carry one more stride, its elements split into parts.
    function reduces(uint256 family) internal pure returns (bool) {
        return family >= Family.DOT && family <= Family.PEAK;
    }

    /// @notice Depth of the output tensor's tree of tiles.
    function depth(Operator memory operator) internal pure returns (uint256) {
        return Tile.depth(operator.count);
    }

    /// @notice Depth of a state tensor's tree of tiles.
    function depth(StateTensor memory state) internal pure returns (uint256) {
        return Tile.depth(state.count);
    }

    /// @notice The size of output dimension `d` < rank.
    function dimension(Operator memory operator, uint256 d) internal pure returns (uint256) {
        unchecked {
            return _load(operator.dimensionsOffset + 4 * d, 4);
        }
    }

    /// @notice Where operand `i` of a Join lies along the axis: `extent` positions from `start` on.
    function joinRange(Operator memory operator, uint256 i) internal pure returns (uint256 start, uint256 extent) {
        unchecked {
            uint256 range = _load(operator.rangesOffset + i * RANGE_BYTES, RANGE_BYTES);
            return (range >> 32, range & 0xffffffff);
        }
    }

    function _dimensionsOf(bytes calldata descriptor) private pure returns (uint256 offset, uint256 rank) {
        uint256 start;
        assembly ("memory-safe") {
            start := descriptor.offset
        }
        unchecked {
            return (start + HEAD_BYTES, _load(start, 4) & 0xff);
        }
    }

    /// @notice The `size` ≤ 32 bytes of calldata from `offset` on, as a big-endian number.
    function _load(uint256 offset, uint256 size) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, size)), calldataload(offset))
        }
    }

    function _requireLength(uint256 given, uint256 needed) private pure {
        if (given < needed) revert DescriptorLength(given, needed);
    }

    function _outputCount(Operator memory operator) private pure returns (uint256 count) {
        count = 1;
        for (uint256 d = 0; d < operator.rank; ++d) {
            uint256 size = dimension(operator, d);
            unchecked {
                // SAFETY: both factors are below 2^32.
                count *= size;
            }
            if (count == 0 || count > type(uint32).max) revert DescriptorShape(d);
        }
    }

    function _checkFamily(Operator memory operator) private pure {
        uint256 family = operator.family;
        if (family < Family.MAP || family > Family.RANDOM) revert DescriptorFamily(family);
        bool hasBoth = family == Family.GATHER || family == Family.BATCH || family >= Family.JOIN;
        uint256 dtypes = hasBoth ? 1 : 0;
        if (operator.dtype > dtypes) revert DescriptorDtype(operator.dtype);
        if (family == Family.BATCH && operator.rank != 2) revert DescriptorRank(operator.rank);

        uint256 length = operator.length;
        uint256 a = operator.attributeA;
        uint256 b = operator.attributeB;
        uint256 c = operator.attributeC;
        bool decodable;
        uint256 operands;
        if (family == Family.MAP) {
            decodable = length | a | b | c == 0;
            operands = operator.operandCount;
            if (operands == 0 || operands > MAX_MAP_OPERANDS) revert DescriptorOperandCount(family, operands);
        } else if (family <= Family.SUM_BY_INDEX) {
            decodable = length != 0 && a != 0 && a <= MAX_BITS && c == 0;
            if (family == Family.SUM_BY_INDEX) {
                decodable = decodable && b < operator.rank;
                operands = 3;
            } else {
                decodable = decodable && b == 0;
                operands = family == Family.DOT ? 4 : 2;
            }
        } else if (family == Family.PEAK) {
            decodable = length != 0 && a <= 1 && b | c == 0;
            operands = 1;
        } else if (family == Family.JOIN) {
            decodable = length | a | c == 0 && b < operator.rank;
            operands = operator.operandCount;
            if (operands == 0 || operands > MAX_JOIN_OPERANDS) revert DescriptorOperandCount(family, operands);
        } else {
            uint256 mostA = family == Family.BATCH ? SampleOrder.SEQUENTIAL : 0;
            decodable = length == 0 && a <= mostA && (c == 0 || family == Family.GATHER);
            if (family == Family.GATHER) operands = 2;
        }
        if (!decodable) revert DescriptorAttribute(family, length, a, b, c);
        if (operator.operandCount != operands) revert DescriptorOperandCount(family, operator.operandCount);
    }

    /// @dev Places Map's immediates and instructions behind the operands; returns the bytes needed with them.
    function _mapProgram(
        Operator memory operator,
        uint256 given,
        uint256 start,
        uint256 needed
    ) private pure returns (uint256) {
        unchecked {
            _requireLength(given, needed + 1);
            operator.immediateCount = _load(start + needed, 1);
            operator.immediatesOffset = start + needed + 1;
            needed += 1 + 4 * operator.immediateCount;
            _requireLength(given, needed + 1);
            operator.instructionCount = _load(start + needed, 1);
            operator.instructionsOffset = start + needed + 1;
            if (operator.immediateCount > MAX_IMMEDIATES || operator.instructionCount > MAX_INSTRUCTIONS)
                revert DescriptorProgram(operator.immediateCount, operator.instructionCount);
            return needed + 1 + 4 * operator.instructionCount;
        }
    }

    function _checkOperands(Operator memory operator) private pure {
        unchecked {
            uint256 offset = operator.operandsOffset;
            uint256 size = operator.operandBytes;
            uint256 end = offset + operator.operandCount * size;
            for (; offset < end; offset += size) {
                uint256 kindAndDtype = _load(offset, 2);
                uint256 kind = kindAndDtype >> 8;
                if (kind < ReferenceKind.OPERATOR || kind > ReferenceKind.CONSTANT)
                    revert DescriptorReferenceKind(kind);
                if (kindAndDtype & 0xff > 1) revert DescriptorDtype(kindAndDtype & 0xff);
            }
        }
    }
}
