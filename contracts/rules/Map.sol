// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address} from "../libraries/Address.sol";
import {MAX_RANK, Operator} from "../libraries/Descriptor.sol";
import {Float32} from "../libraries/Float32.sol";
import {Opened, Witness} from "../libraries/Witness.sol";

/// @notice Map: a straight-line scalar program for each element (docs/numerics.md, section 2.2).
library Map {
    uint256 private constant ADD = 1;
    uint256 private constant SUB = 2;
    uint256 private constant MUL = 3;
    uint256 private constant DIV = 4;
    uint256 private constant SQRT = 5;
    uint256 private constant ABS = 6;
    uint256 private constant NEG = 7;
    uint256 private constant MAX = 8;
    uint256 private constant MIN = 9;
    uint256 private constant LESS = 10;
    uint256 private constant EQUAL = 11;
    uint256 private constant SELECT = 12;

    /// @notice The canonical word of one element.
    function element(
        Operator memory operator,
        uint256 element_,
        StepRoots calldata roots,
        TileWitness[] calldata witness
    ) internal view returns (uint32) {
        // Every register number is a byte and memory starts as zeros, so a register that is not written yet reads +0.
        uint32[256] memory registers;
        _readOperands(operator, element_, roots, witness, registers);
        return Float32.canonical(_run(operator, registers));
    }

    function _readOperands(
        Operator memory operator,
        uint256 element_,
        StepRoots calldata roots,
        TileWitness[] calldata witness,
        uint32[256] memory registers
    ) private view {
        uint256[MAX_RANK] memory index = Address.multiIndex(operator, element_);
        Opened memory operand;
        uint256 used;
        for (uint256 i = 0; i < operator.operandCount; ++i) {
            operand.line = Address.operandLine(operator, index, i);
            used = Witness.open(operand, 0, 1, roots, witness, used);
            registers[i] = Witness.number(operand, 0);
        }
        Witness.requireUsed(witness, used);
    }

    /// @dev SAFETY of the assembly: a register number is one byte or, for results, at most 8 + 64 + 64, so every access lies inside
    /// the 256 words of `registers`; the lists lie inside the descriptor.
    function _run(Operator memory operator, uint32[256] memory registers) private pure returns (uint32 result) {
        unchecked {
            uint256 next = operator.operandCount;
            result = registers[next - 1];
            uint256 cursor = operator.immediatesOffset;
            for (uint256 end = cursor + 4 * operator.immediateCount; cursor < end; cursor += 4) {
                assembly ("memory-safe") {
                    result := shr(224, calldataload(cursor))
                    mstore(add(registers, shl(5, next)), result)
                }
                ++next;
            }
            cursor = operator.instructionsOffset;
            for (uint256 end = cursor + 4 * operator.instructionCount; cursor < end; cursor += 4) {
                result = _execute(cursor, registers);
                assembly ("memory-safe") {
                    mstore(add(registers, shl(5, next)), result)
                }
                ++next;
            }
        }
    }

    /// @dev The result of the instruction at a calldata offset.
    function _execute(uint256 cursor, uint32[256] memory registers) private pure returns (uint32) {
        uint256 opcode;
        uint32 a;
        uint32 b;
        assembly ("memory-safe") {
            let instruction := calldataload(cursor)
            opcode := byte(0, instruction)
            a := mload(add(registers, shl(5, byte(1, instruction))))
            b := mload(add(registers, shl(5, byte(2, instruction))))
        }
        if (opcode < SQRT) {
            if (opcode == MUL) return Float32.mul(a, b);
            if (opcode == ADD) return Float32.add(a, b);
            if (opcode == SUB) return Float32.sub(a, b);
            if (opcode == DIV) return Float32.div(a, b);
        } else if (opcode < MIN) {
            if (opcode == MAX) return Float32.max(a, b);
            if (opcode == SQRT) return Float32.sqrt(a);
            if (opcode == ABS) return Float32.abs(a);
            if (opcode == NEG) return Float32.neg(a);
        } else {
            if (opcode == MIN) return Float32.min(a, b);
            if (opcode == LESS) return Float32.less(a, b);
            if (opcode == EQUAL) return Float32.equal(a, b);
            if (opcode == SELECT) {
                uint32 c;
                assembly ("memory-safe") {
                    c := mload(add(registers, shl(5, byte(3, calldataload(cursor)))))
                }
                return Float32.select(a, b, c);
            }
        }
        return Float32.NAN;
    }
}
