// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Address, Line} from "../libraries/Address.sol";
import {Descriptor, MAX_RANK, Operator, StateTensor} from "../libraries/Descriptor.sol";

/// @notice The decoders and the address arithmetic, for comparison with `shared/program/encoding.ts` and `shared/operators/address.ts`.
contract DescriptorHarness {
    struct Fields {
        uint256 family;
        uint256 dtype;
        uint256[] shape;
        uint256 length;
        uint256 attributeA;
        uint256 attributeB;
        uint256 attributeC;
        uint256 operandCount;
        uint256 immediateCount;
        uint256 instructionCount;
        uint256 count;
        uint256 depth;
    }

    function decode(bytes calldata descriptor) external pure returns (Fields memory fields) {
        Operator memory operator = Descriptor.decode(descriptor);
        fields.family = operator.family;
        fields.dtype = operator.dtype;
        fields.shape = new uint256[](operator.rank);
        for (uint256 d = 0; d < operator.rank; ++d) fields.shape[d] = Descriptor.dimension(operator, d);
        fields.length = operator.length;
        fields.attributeA = operator.attributeA;
        fields.attributeB = operator.attributeB;
        fields.attributeC = operator.attributeC;
        fields.operandCount = operator.operandCount;
        fields.immediateCount = operator.immediateCount;
        fields.instructionCount = operator.instructionCount;
        fields.count = operator.count;
        fields.depth = Descriptor.depth(operator);
    }

    function decodeState(bytes calldata descriptor) external pure returns (StateTensor memory state, uint256 depth) {
        state = Descriptor.decodeState(descriptor);
        depth = Descriptor.depth(state);
    }

    /// @notice The multi-index of an element and the line of every operand there.
    function place(
        bytes calldata descriptor,
        uint256 element
    ) external pure returns (uint256[MAX_RANK] memory index, Line[] memory lines) {
        Operator memory operator = Descriptor.decode(descriptor);
        index = Address.multiIndex(operator, element);
        lines = new Line[](operator.operandCount);
        for (uint256 i = 0; i < lines.length; ++i) lines[i] = Address.operandLine(operator, index, i);
    }

    /// @notice The address of an operand at reduced index `k`, and whether it lies inside.
    function addressAt(Line memory line, uint256 k) external pure returns (uint256 place_, bool inside) {
        place_ = Address.addressAt(line, k);
        inside = place_ < line.count;
    }
}
