// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {StepRoots, TileWitness} from "../interfaces/IReferee.sol";
import {Address, Line} from "./Address.sol";
import {MAX_RANK, Operator, ReferenceKind} from "./Descriptor.sol";
import {Float32} from "./Float32.sol";
import {Quantise} from "./Quantise.sol";
import {Tile} from "./Tile.sol";
import {TreeProof} from "./TreeProof.sol";

/// @notice An operand's line with the tile that was proved for it.
struct Opened {
    Line line;
    /// Calldata offset of the tile's words; 0 when no address is inside.
    uint256 words;
}

/// @notice One tensor of a committed list.
struct CommittedTensor {
    /// Root over the list, and the number of tensors in it.
    bytes32 root;
    uint256 tensors;
    uint256 tensor;
    /// Words of the tensor.
    uint256 count;
}

/// @notice Tiles proved against the defendant's own commitments, and the words read from them (docs/protocol.md, section 3).
library Witness {
    /// @notice A read needs one more tile than the witness brings.
    error WitnessMissing(uint256 position);
    error WitnessUnused(uint256 given, uint256 used);
    /// @notice An operand's addresses over the range are in more than one tile.
    error WitnessSpansTiles(uint256 position, uint256 firstTile, uint256 lastTile);

    /// @notice Proves the tile that an operand touches for k in [lo, hi), if it touches any; more than one reverts.
    /// @param position the operand's place in the witness
    /// @return next `position` + 1, or `position` when every address lies outside and the operand reads 0
    function open(
        Opened memory operand,
        uint256 lo,
        uint256 hi,
        StepRoots calldata roots,
        TileWitness[] calldata witness,
        uint256 position
    ) internal view returns (uint256 next) {
        Line memory line = operand.line;
        CommittedTensor memory tensor = _tensorOf(line, roots);
        // A tensor that does not exist reads 0 everywhere.
        if (tensor.tensor >= tensor.tensors) line.count = 0;
        (uint256 first, uint256 last) = _ends(line, lo, hi);
        if (first >= line.count) return position;
        // Addresses are linear in k: those inside are neighbours in k, and lie between the first and the last.
        uint256 tile = first / Tile.WORDS;
        if (last / Tile.WORDS != tile) revert WitnessSpansTiles(position, tile, last / Tile.WORDS);
        operand.words = prove(tensor, tile, witness, position);
        return position + 1;
    }

    /// @notice Proves `witness[position]` as a tile of a committed tensor, in a single fold.
    /// @return content calldata offset of the tile's words
    function prove(
        CommittedTensor memory tensor,
        uint256 tile,
        TileWitness[] calldata witness,
        uint256 position
    ) internal view returns (uint256 content) {
        if (position >= witness.length) revert WitnessMissing(position);
        TileWitness calldata proof = witness[position];
        uint256 innerDepth = Tile.depth(tensor.count);
        // SAFETY: the tensor's number is below 2^32 and innerDepth ≤ 58, so nothing is shifted out.
        TreeProof.verify(
            tensor.root,
            Tile.hash(proof.words),
            (tensor.tensor << innerDepth) | tile,
            proof.siblings,
            TreeProof.depth(tensor.tensors) + innerDepth
        );
        bytes calldata tileWords = proof.words;
        assembly ("memory-safe") {
            content := tileWords.offset
        }
    }

    /// @notice Reverts unless the rule has used every tile that was brought.
    function requireUsed(TileWitness[] calldata witness, uint256 used) internal pure {
        if (witness.length != used) revert WitnessUnused(witness.length, used);
    }

    /// @notice The operand's word at reduced index `k` of the range that was opened; 0 outside the operand.
    function word(Opened memory operand, uint256 k) internal pure returns (uint32) {
        Line memory line = operand.line;
        uint256 place = Address.addressAt(line, k);
        if (place >= line.count) return 0;
        // INVARIANT (oneTileARange): `open` has proved the one tile in which all the range's addresses inside the operand lie.
        return Tile.wordAt(operand.words, place % Tile.WORDS);
    }

    /// @notice As `word`, for every k of the range that was opened.
    /// @dev Rules spend most of their gas here, so the tile is read in one loop without a call.
    function words(Opened memory operand, uint256 lo, uint256 hi) internal pure returns (uint256[] memory values) {
        Line memory line = operand.line;
        uint256 tile = operand.words;
        uint256 count = line.count;
        uint256 place = Address.addressAt(line, lo);
        int256 stride = line.stride;
        values = new uint256[](hi - lo);
        assembly ("memory-safe") {
            let end := add(add(values, 0x20), shl(5, sub(hi, lo)))
            for {
                let target := add(values, 0x20)
            } lt(target, end) {
                target := add(target, 0x20)
            } {
                // A negative address is an unsigned number above every count; new memory is 0.
                // INVARIANT (oneTileARange): `open` has proved the one tile in which all the range's addresses inside the operand lie.
                if lt(place, count) {
                    let big := calldataload(add(tile, shl(2, and(place, 63))))
                    mstore(
                        target,
                        or(or(byte(0, big), shl(8, byte(1, big))), or(shl(16, byte(2, big)), shl(24, byte(3, big))))
                    )
                }
                place := add(place, stride)
            }
        }
    }

    /// @notice As `words`, as numbers: int32 is converted, float32 taken as it is.
    function numbers(Opened memory operand, uint256 lo, uint256 hi) internal pure returns (uint256[] memory values) {
        values = words(operand, lo, hi);
        if (operand.line.dtype == 0) return values;
        for (uint256 i = 0; i < values.length; ++i) values[i] = Float32.fromInt(uint32(values[i]));
    }

    /// @notice The operand's word at `k` as a number: int32 is converted, float32 taken as it is.
    function number(Opened memory operand, uint256 k) internal pure returns (uint32) {
        uint32 value = word(operand, k);
        return operand.line.dtype == 0 ? value : Float32.fromInt(value);
    }

    /// @notice Proves and reads a peak operand, at k = 0: the exponent E of its word.
    /// @param operand the peak's number in the descriptor
    /// @param position its place in the witness
    function peak(
        Operator memory operator,
        uint256[MAX_RANK] memory index,
        uint256 operand,
        StepRoots calldata roots,
        TileWitness[] calldata witness,
        uint256 position
    ) internal view returns (int256 exponent, uint256 next) {
        Opened memory opened;
        opened.line = Address.operandLine(operator, index, operand);
        next = open(opened, 0, 1, roots, witness, position);
        exponent = Quantise.peakExponent(word(opened, 0));
    }

    /// @dev The addresses at the first and at the last k of [lo, hi) that lie inside the operand; outside it if none does.
    function _ends(Line memory line, uint256 lo, uint256 hi) private pure returns (uint256 first, uint256 last) {
        unchecked {
            uint256 count = line.count;
            first = Address.addressAt(line, lo);
            while (first >= count && ++lo < hi) first = Address.addressAt(line, lo);
            if (first >= count) return (first, first);
            last = Address.addressAt(line, --hi);
            // SAFETY: ends at `lo`, whose address is inside.
            while (last >= count) last = Address.addressAt(line, --hi);
        }
    }

    function _tensorOf(Line memory line, StepRoots calldata roots) private pure returns (CommittedTensor memory) {
        if (line.kind == ReferenceKind.OPERATOR)
            return CommittedTensor(roots.traceRoot, roots.operatorCount, line.tensor, line.count);
        if (line.kind == ReferenceKind.STATE)
            return CommittedTensor(roots.stateRoot, roots.stateCount, line.tensor, line.count);
        return CommittedTensor(roots.constantsRoot, roots.constantCount, line.tensor, line.count);
    }
}
