// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What the walk needs of a descriptor: how large its tensor is and where a state tensor comes from.
/// @dev Reads the fields of docs/protocol.md, section 1.1, that stand before the family's own; the referee decodes the rest.
library DescriptorHead {
    error DescriptorHeadMalformed();

    uint256 private constant VERSION = 1;
    uint256 private constant MAX_RANK = 6;
    uint256 private constant STATE_BYTES = 11;

    /// @notice Words of the operator's output, and its reduced length K (0 where the family does not reduce).
    function operator(bytes calldata descriptor) internal pure returns (uint256 count, uint256 length) {
        if (descriptor.length < 4 || uint8(descriptor[0]) != VERSION) revert DescriptorHeadMalformed();
        uint256 rank = uint8(descriptor[3]);
        uint256 end = 4 + 4 * rank;
        if (rank > MAX_RANK || descriptor.length < end + 4) revert DescriptorHeadMalformed();
        count = 1;
        for (uint256 offset = 4; offset < end; offset += 4) count *= _u32(descriptor, offset);
        if (count == 0 || count > type(uint32).max) revert DescriptorHeadMalformed();
        length = _u32(descriptor, end);
    }

    /// @notice Words of a state tensor and the operator that replaces it after a step, if one does.
    function state(
        bytes calldata descriptor
    ) internal pure returns (uint256 count, bool unchanged, uint256 sourceOperator) {
        if (descriptor.length != STATE_BYTES || uint8(descriptor[0]) != VERSION) revert DescriptorHeadMalformed();
        count = _u32(descriptor, 2);
        uint256 kind = uint8(descriptor[6]);
        if (count == 0 || kind > 1) revert DescriptorHeadMalformed();
        unchanged = kind == 0;
        sourceOperator = _u32(descriptor, 7);
    }

    function _u32(bytes calldata data, uint256 offset) private pure returns (uint256) {
        return uint32(bytes4(data[offset:offset + 4]));
    }
}
