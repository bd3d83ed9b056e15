// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Check} from "../test/Check.sol";
import {Descriptor, Operator, StateTensor} from "./Descriptor.sol";

/// One refusal by each of its names; which bytes are refused at all is settled against the TypeScript twin (test/rules/descriptor.test.ts).
contract DescriptorTest {
    /// Map float32 [1] of one operand.
    bytes private constant MAP =
        hex"01010001_00000001_00000000_00_00000000_00000000_01_0200_00000000_00000082_00000001_00000000_00_00";
    /// Sum float32 [] over 130 positions.
    bytes private constant SUM =
        hex"01030000_00000082_14_00000000_00000000_02_0200_00000000_00000082_00000000_00000001_0200_00000000_00000082_00000000_00000000";

    function decode(bytes calldata descriptor) external pure returns (Operator memory) {
        return Descriptor.decode(descriptor);
    }

    function decodeState(bytes calldata descriptor) external pure returns (StateTensor memory) {
        return Descriptor.decodeState(descriptor);
    }

    function test_decode_readsAMapAndASum() public view {
        Operator memory map = this.decode(MAP);
        Check.equal(map.family | (map.count << 8) | (map.operandCount << 16), 0x010101, "map");
        Operator memory sum = this.decode(SUM);
        Check.equal(
            sum.family | (sum.length << 8) | (sum.attributeA << 16) | (sum.operandCount << 24),
            0x02148203,
            "sum"
        );
    }

    function test_decode_namesWhatIsWrong() public view {
        _refused(MAP, 0, 0x02, Descriptor.DescriptorVersion.selector, "version");
        _refused(MAP, 1, 0x00, Descriptor.DescriptorFamily.selector, "family");
        _refused(MAP, 1, 0x0b, Descriptor.DescriptorFamily.selector, "family");
        _refused(MAP, 2, 0x01, Descriptor.DescriptorDtype.selector, "dtype of the output");
        _refused(MAP, 3, 0x07, Descriptor.DescriptorRank.selector, "rank");
        _refused(MAP, 7, 0x00, Descriptor.DescriptorShape.selector, "dimension");
        _refused(MAP, 11, 0x01, Descriptor.DescriptorAttribute.selector, "length of a map");
        _refused(SUM, 8, 0x17, Descriptor.DescriptorAttribute.selector, "bits");
        _refused(MAP, 21, 0x00, Descriptor.DescriptorOperandCount.selector, "operands");
        _refused(SUM, 17, 0x01, Descriptor.DescriptorOperandCount.selector, "operands");
        _refused(MAP, 22, 0x04, Descriptor.DescriptorReferenceKind.selector, "kind of an operand");
        _refused(MAP, 23, 0x02, Descriptor.DescriptorDtype.selector, "dtype of an operand");
        bytes memory immediates = new bytes(4 * 65);
        bytes memory many = bytes.concat(_head(MAP, MAP.length - 2), hex"41", immediates, hex"00");
        _refused(many, Descriptor.DescriptorProgram.selector, "immediates");
        _refused(bytes.concat(MAP, hex"00"), Descriptor.DescriptorLength.selector, "one byte more");
        _refused(_head(MAP, MAP.length - 1), Descriptor.DescriptorLength.selector, "one byte less");
    }

    function test_decodeState_namesWhatIsWrong() public view {
        bytes memory state = hex"0100_00000082_01_00000003";
        Check.equal(this.decodeState(state).source, 3, "source");
        _refusedState(hex"0200_00000082_01_00000003", Descriptor.DescriptorVersion.selector);
        _refusedState(hex"0102_00000082_01_00000003", Descriptor.DescriptorDtype.selector);
        _refusedState(hex"0100_00000000_01_00000003", Descriptor.DescriptorShape.selector);
        _refusedState(hex"0100_00000082_00_00000003", Descriptor.DescriptorSource.selector);
        _refusedState(hex"0100_00000082_02_00000003", Descriptor.DescriptorSource.selector);
        _refusedState(hex"0100_00000082_01_0000000300", Descriptor.DescriptorLength.selector);
    }

    function _refused(
        bytes memory descriptor,
        uint256 position,
        bytes1 value,
        bytes4 selector,
        string memory what
    ) private view {
        bytes memory damaged = _head(descriptor, descriptor.length);
        damaged[position] = value;
        _refused(damaged, selector, what);
    }

    function _refused(bytes memory descriptor, bytes4 selector, string memory what) private view {
        Check.reverts(address(this), abi.encodeCall(this.decode, (descriptor)), selector, what);
    }

    function _refusedState(bytes memory descriptor, bytes4 selector) private view {
        Check.reverts(address(this), abi.encodeCall(this.decodeState, (descriptor)), selector, "state");
    }

    function _head(bytes memory whole, uint256 length) private pure returns (bytes memory head) {
        head = new bytes(length);
        for (uint256 i = 0; i < length; ++i) head[i] = whole[i];
    }
}
