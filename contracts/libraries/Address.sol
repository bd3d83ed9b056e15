// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Descriptor, MAX_RANK, Operator} from "./Descriptor.sol";

/// @notice The addresses of one operand for one output element: `base + k · stride`, of which those in [0, count) exist.
struct Line {
    uint256 kind;
    uint256 dtype;
    uint256 tensor;
    uint256 count;
    int256 base;
    /// Stride of the reduced axis; 0 in the families that do not reduce.
    int256 stride;
}

/// @notice Where an operand is read (docs/numerics.md, section 2.1).
/// @dev SAFETY of the unchecked arithmetic: an offset and an index are below 2^32 and a stride has 32 bits, so a base stays below 2^67
/// and an address, for k below 2^32, below 2^68 in magnitude.
library Address {
    /// @notice Row-major multi-index of an element; entries from the rank on are 0.
    function multiIndex(
        Operator memory operator,
        uint256 element
    ) internal pure returns (uint256[MAX_RANK] memory index) {
        unchecked {
            for (uint256 d = operator.rank; d > 0;) {
                uint256 size = Descriptor.dimension(operator, --d);
                // SAFETY: a decoded dimension is not 0.
                index[d] = element % size;
                element /= size;
            }
        }
    }

    /// @notice Places operand `position` of the descriptor at a multi-index.
    function operandLine(
        Operator memory operator,
        uint256[MAX_RANK] memory index,
        uint256 position
    ) internal pure returns (Line memory line) {
        unchecked {
            uint256 offset = operator.operandsOffset + position * operator.operandBytes;
            uint256 fields;
            assembly ("memory-safe") {
                fields := shr(144, calldataload(offset))
            }
            line.kind = fields >> 104;
            line.dtype = (fields >> 96) & 0xff;
            line.tensor = (fields >> 64) & 0xffffffff;
            line.count = (fields >> 32) & 0xffffffff;
            int256 base = int256(fields & 0xffffffff);
            offset += 14;
            uint256 rank = operator.rank;
            for (uint256 d = 0; d < rank; ++d) {
                base += int256(index[d]) * _stride(offset);
                offset += 4;
            }
            line.base = base;
            if (Descriptor.reduces(operator.family)) line.stride = _stride(offset);
        }
    }

    /// @notice The address at reduced index `k`. It lies inside the operand, and does not read 0, if it is below `line.count`.
    function addressAt(Line memory line, uint256 k) internal pure returns (uint256) {
        unchecked {
            // A negative address becomes an unsigned number above every count.
            return uint256(line.base + int256(k) * line.stride);
        }
    }

    function _stride(uint256 offset) private pure returns (int256 stride) {
        assembly ("memory-safe") {
            stride := sar(224, calldataload(offset))
        }
    }
}
