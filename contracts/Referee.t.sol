// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "./interfaces/IReferee.sol";
import {Referee} from "./Referee.sol";
import {Check} from "./test/Check.sol";
import {TreeProof} from "./libraries/TreeProof.sol";

/// A reader's example of each call, and a fuzz that no bytes can make the referee panic, loop or run dry.
contract RefereeTest {
    Referee private immutable referee = new Referee();

    uint32 private constant ONE = 0x3f800000;
    uint32 private constant TWO = 0x40000000;
    uint32 private constant THREE = 0x40400000;
    /// What the greatest Map or range may use, calldata aside.
    uint256 private constant GAS_BOUND = 600_000;
    bytes4 private constant PANIC = 0x4e487b71;

    function test_element_addsTwoTensorsOfTheState() public view {
        // Map float32 [2]: out[i] = state 0 [i] + state 1 [i].
        bytes memory descriptor = abi.encodePacked(
            hex"01010001_00000002_00000000_00_00000000_00000000_02",
            hex"0200_00000000_00000002_00000000_00000001",
            hex"0200_00000001_00000002_00000000_00000001",
            hex"00_01_01000100"
        );
        (StepRoots memory roots, TileWitness[] memory witness) = _state(_tile(ONE, TWO), _tile(TWO, ONE));
        Check.equal(referee.element(descriptor, 0, roots, witness), THREE, "1 + 2");
        Check.equal(referee.element(descriptor, 1, roots, witness), THREE, "2 + 1");
        Check.reverts(
            address(referee),
            abi.encodeCall(referee.element, (descriptor, 2, roots, witness)),
            Referee.RefereeElementOutside.selector,
            "element 2 of 2"
        );
    }

    function test_partialValue_ofADot() public view {
        // Dot float32 [], K = 2, P = 20: a = state 0, b = state 1, both peaks the word 1 of state 0 (2.0, exponent 1).
        bytes memory descriptor = abi.encodePacked(
            hex"01020000_00000002_14_00000000_00000000_04",
            hex"0200_00000000_00000002_00000000_00000001",
            hex"0200_00000001_00000002_00000000_00000001",
            hex"0200_00000000_00000002_00000001_00000000",
            hex"0200_00000000_00000002_00000001_00000000"
        );
        (StepRoots memory roots, TileWitness[] memory pair) = _state(_tile(ONE, TWO), _tile(TWO, ONE));
        TileWitness[] memory witness = new TileWitness[](4);
        (witness[0], witness[1], witness[2], witness[3]) = (pair[0], pair[1], pair[0], pair[0]);
        // The unit is 2^(1 − 20): 1 is 2^19 digits, 2 is 2^20.
        (int256 value, int256 exponent) = referee.partialValue(descriptor, 0, 0, 1, roots, witness);
        Check.equal(value, int256(1 << 39), "1 * 2 in units");
        Check.equal(exponent, -38, "exponent");
        int256[16] memory values;
        (values[0], values[1]) = (value, value);
        int256 total = referee.combine(descriptor, values);
        Check.equal(referee.finish(descriptor, total, exponent), 0x40800000, "1 * 2 + 2 * 1");
        Check.equal(referee.element(descriptor, 0, roots, witness), 0x40800000, "the whole element");
    }

    function test_element_ofAJoin() public view {
        // Join float32 [5] along dimension 0: state 0 at 0 and 1, state 1 at 3 and 4, zero between.
        bytes memory descriptor = abi.encodePacked(
            hex"01090001_00000005_00000000_00_00000000_00000000_02",
            hex"0200_00000000_00000002_00000000_00000001",
            hex"0200_00000001_00000002_00000000_00000001",
            hex"00000000_00000002_00000003_00000002"
        );
        (StepRoots memory roots, TileWitness[] memory pair) = _state(_tile(ONE, TWO), _tile(THREE, ONE));
        TileWitness[] memory witness = new TileWitness[](1);
        witness[0] = pair[0];
        Check.equal(referee.element(descriptor, 1, roots, witness), TWO, "the second of state 0");
        witness[0] = pair[1];
        Check.equal(referee.element(descriptor, 3, roots, witness), THREE, "the first of state 1");
        Check.equal(referee.element(descriptor, 2, roots, new TileWitness[](0)), 0, "the gap");
    }

    function testFuzz_element_ofARandomIsBelowOne(uint64 seed, uint32 step, uint32 stream, uint32 element) public view {
        bytes memory descriptor = abi.encodePacked(hex"010a0001_ffffffff_00000000_00", stream, hex"00000000_00");
        StepRoots memory roots;
        (roots.seed, roots.step) = (seed, step);
        if (element == type(uint32).max) element = 0;
        uint32 word = referee.element(descriptor, element, roots, new TileWitness[](0));
        Check.isTrue(word < ONE, "in [0, 1)");
        // The same words as integers: the upper 24 bits are the fraction.
        descriptor[2] = 0x01;
        uint256 bits = referee.element(descriptor, element, roots, new TileWitness[](0)) >> 8;
        Check.equal(bits == 0 ? 0 : (word >> 23) + 24 - 127, bits == 0 ? 0 : 255 - _leadingZeros(bits), "its exponent");
    }

    function testFuzz_element_anyBytesGiveAWordOrANamedError(bytes calldata noise, uint256 element) public view {
        _settles(noise, element);
    }

    function testFuzz_element_anyFieldsGiveAWordOrANamedError(
        uint8 family,
        uint8 dtype,
        uint32[2] calldata shape,
        bytes14 attributes,
        bytes calldata noise,
        uint256 element
    ) public view {
        bytes memory head = abi.encodePacked(
            uint8(1),
            family % 12,
            dtype % 2,
            uint8(2),
            shape[0],
            shape[1],
            attributes
        );
        _settles(abi.encodePacked(head, noise), element);
    }

    function testFuzz_element_ofASchedulePastItsTableIsZero(uint16[2] calldata shape, uint32 column) public view {
        (uint32 rows, uint32 columns) = (uint32(shape[0]) + 1, uint32(shape[1] / 2) + 1);
        bytes memory descriptor = abi.encodePacked(
            hex"01080002",
            rows,
            columns,
            uint32(0),
            uint8(0),
            column,
            uint32(0),
            uint8(0)
        );
        StepRoots memory roots;
        uint256 last = uint256(rows) * columns - 1;
        Check.equal(referee.element(descriptor, last, roots, new TileWitness[](0)), 0, "word");
    }

    function _settles(bytes memory descriptor, uint256 element) private view {
        StepRoots memory roots;
        TileWitness[] memory none = new TileWitness[](0);
        _settles(abi.encodeCall(referee.element, (descriptor, element, roots, none)));
        _settles(abi.encodeCall(referee.partialValue, (descriptor, element, 0, 64, roots, none)));
        int256[16] memory values;
        _settles(abi.encodeCall(referee.combine, (descriptor, values)));
        _settles(abi.encodeCall(referee.finish, (descriptor, int256(element), int256(element))));
    }

    function _settles(bytes memory call) private view {
        (bool done, bytes memory answer) = address(referee).staticcall{gas: GAS_BOUND}(call);
        if (done) return;
        Check.isTrue(answer.length >= 4 && bytes4(answer) != PANIC, "reverts with a named error");
    }

    /// Two tensors of one tile each.
    function _state(
        bytes memory first,
        bytes memory second
    ) private pure returns (StepRoots memory roots, TileWitness[] memory witness) {
        witness = new TileWitness[](2);
        witness[0] = TileWitness({words: first, siblings: new bytes32[](1)});
        witness[1] = TileWitness({words: second, siblings: new bytes32[](1)});
        witness[0].siblings[0] = sha256(second);
        witness[1].siblings[0] = sha256(first);
        roots.stateRoot = TreeProof.parent(sha256(first), sha256(second));
        roots.stateCount = 2;
    }

    function _leadingZeros(uint256 value) private pure returns (uint256 zeros) {
        for (uint256 rest = value; rest >> 255 == 0; rest <<= 1) ++zeros;
    }

    function _tile(uint32 first, uint32 second) private pure returns (bytes memory words) {
        words = new bytes(256);
        uint32[2] memory given = [first, second];
        for (uint256 i = 0; i < 8; ++i) words[i] = bytes1(uint8(given[i / 4] >> (8 * (i % 4))));
    }
}
