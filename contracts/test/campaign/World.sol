// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DescriptorProof, StepProof} from "../../interfaces/IDisputeGame.sol";
import {TileWitness} from "../../interfaces/IReferee.sol";
import {Data, Program, Schedule, Training} from "../../libraries/Subject.sol";
import {Partials} from "../../libraries/Partials.sol";
import {TreeProof} from "../../libraries/TreeProof.sol";
import {Level, Walk, WalkLib} from "../../libraries/Walk.sol";

/// @notice The first wrong word of a claim.
enum Lie {
    None,
    /// The output of the Peak: 2 instead of 1.
    Peak,
    /// The output of the Sum: one more.
    Sum,
    /// The output of the Map: one more.
    Map,
    /// The state after the step is not the Map's output.
    Store,
    /// A word of the table changes, though nothing replaces the table.
    Table,
    /// A word behind the last one of a tensor is not zero.
    Word
}

/// @notice The state by what can differ in it.
struct State {
    /// The running total, an integer.
    uint32 total;
    /// One more than the word of the table that is 0 instead of 1; 0 when there is none.
    uint32 hole;
    /// Whether the total's tile has a word in its padding.
    bool word;
}

/// @notice What a defendant claims of a segment: the true run from `start`, but for one lie that it carries on.
struct Claim {
    State start;
    uint32 stepCount;
    Lie lie;
    uint32 lieStep;
    /// Where in [0, 130) the lie sits: the table's word, or the position whose partial result is false.
    uint32 place;
    /// Whether the first leaf behind the segment's last is not zero.
    bool leaf;
    /// One more than the step whose digest leaf is false; 0 when there is none.
    uint32 digestLie;
}

/// @notice The smallest training run that has every state of a dispute in it, with the trees over any claim about it.
/// @dev State: a table of 130 words, all 1, that nothing replaces (three tiles), and a total. A step adds Σ table · max |table| to the
/// total: a Peak, a Sum (both too long to be recomputed whole), a Map, and 33 copies of a word that make the trace two openings deep.
contract World {
    using WalkLib for Walk;

    struct Step {
        State before;
        uint256 peak;
        uint256 sum;
        uint256 next;
        State after_;
    }

    uint256 public constant WORDS = 130;
    uint32 public constant STEPS = 4;
    uint32 public constant INTERVAL = 3;
    uint32 private constant OPERATORS = 36;
    uint256 private constant PEAK = 0;
    uint256 private constant SUM = 1;
    uint256 private constant MAP = 2;
    uint32 private constant ONE = 0x3f800000;
    uint32 private constant TWO = 0x40000000;
    /// @dev The Sum's grid for a peak of 1: 2^-20.
    int256 private constant SUM_EXPONENT = -20;

    bytes private constant TABLE = hex"0100_00000082_00_00000000";
    bytes private constant TOTAL = hex"0100_00000001_01_00000002";
    bytes private constant PEAK_OPERATOR =
        hex"01050000_00000082_00_00000000_00000000_01_0200_00000000_00000082_00000000_00000001";
    bytes private constant SUM_OPERATOR =
        hex"01030000_00000082_14_00000000_00000000_02_0200_00000000_00000082_00000000_00000001_0200_00000000_00000082_00000000_00000000";
    bytes private constant MAP_OPERATOR =
        hex"01010001_00000001_00000000_00_00000000_00000000_03_0200_00000001_00000001_00000000_00000000_0100_00000001_00000001_00000000_00000000_0100_00000000_00000001_00000000_00000000_00_02_03010200_01000300";
    bytes private constant COPY_OPERATOR =
        hex"01010001_00000001_00000000_00_00000000_00000000_01_0200_00000000_00000082_00000001_00000000_00_00";

    bytes32 private immutable fullTile;
    bytes32 private immutable lastTile;
    bytes32 private immutable copyTile;
    bytes32 private immutable wholeTable;

    constructor() {
        fullTile = sha256(_tableTile(0, 0));
        lastTile = sha256(_tableTile(2, 0));
        copyTile = sha256(_tile(ONE, 0));
        wholeTable = TreeProof.parent(TreeProof.parent(fullTile, fullTile), TreeProof.parent(lastTile, 0));
    }

    /// @notice What a task about this run binds.
    function training() external view returns (Training memory) {
        (, bytes32 operatorsRoot) = _proof(_sixteen(_operatorHashes(), sha256(COPY_OPERATOR)), 0);
        bytes32 statesRoot = TreeProof.parent(sha256(TABLE), sha256(TOTAL));
        return
            Training({
                program: Program(operatorsRoot, statesRoot, 0, OPERATORS, 2, 0),
                data: Data(0, 0, 0),
                schedule: Schedule(0, 0),
                initialStateRoot: stateRoot(State(0, 0, false)),
                seed: 0,
                steps: STEPS,
                interval: INTERVAL
            });
    }

    /// @notice The state after the segment's last step.
    function endState(Claim calldata claim) external pure returns (State memory) {
        return _step(claim, claim.stepCount - 1).after_;
    }

    function stateRoot(State memory state) public view returns (bytes32) {
        return TreeProof.parent(_tableRoot(state.hole), _totalTile(state));
    }

    /// @notice The root of the segment's tree, and the proof of its last state.
    function segment(Claim calldata claim) external view returns (bytes32 root, bytes32[] memory siblings) {
        (siblings, root) = _proof(_segmentLeaves(claim), 2 * claim.stepCount - 1);
    }

    function digestRoot(Claim calldata claim, bytes32 beacon, address verifier) external view returns (bytes32 root) {
        (, root) = _proof(_digestLeaves(claim, beacon, verifier), 0);
    }

    /// @notice The opening of the walk's node.
    function children(
        Claim calldata claim,
        Walk calldata walk,
        bytes32 beacon,
        address verifier
    ) public view returns (bytes32[] memory) {
        if (walk.level == Level.Segment) return _segmentLeaves(claim);
        if (walk.level == Level.Digest) return _digestLeaves(claim, beacon, verifier);
        Step memory step = _step(claim, walk.step);
        if (walk.level == Level.Trace) {
            uint256 span = walk.span();
            return _slice(_traceLevel(step, walk.height - span), uint256(walk.index) << span, 1 << span);
        }
        if (walk.level == Level.State) return _pair(_tableRoot(step.after_.hole), _totalTile(step.after_));
        return _tableTiles(step.after_.hole);
    }

    /// @notice A child of the walk's node and its siblings.
    function choice(
        Claim calldata claim,
        Walk calldata walk,
        uint256 child,
        bytes32 beacon,
        address verifier
    ) external view returns (bytes32 hash, bytes32[] memory siblings) {
        bytes32[] memory nodes = children(claim, walk, beacon, verifier);
        hash = nodes[child];
        (siblings, ) = _proof(nodes, child);
    }

    /// @notice The words of the tile that the walk has reached.
    function tile(Claim calldata claim, Walk calldata walk) external pure returns (bytes memory) {
        Step memory step = _step(claim, walk.step);
        if (walk.ofState) {
            return walk.tensor == 0 ? _tableTile(walk.index, step.after_.hole) : _stateTile(step.after_);
        }
        return _tile(_outputWord(step, walk.tensor), 0);
    }

    function descriptor(uint256 tensor, bool ofState) public pure returns (DescriptorProof memory proof) {
        if (ofState) {
            proof.descriptor = tensor == 0 ? TABLE : TOTAL;
            proof.siblings = new bytes32[](1);
            proof.siblings[0] = sha256(tensor == 0 ? TOTAL : TABLE);
            return proof;
        }
        proof.descriptor = COPY_OPERATOR;
        if (tensor == PEAK) proof.descriptor = PEAK_OPERATOR;
        if (tensor == SUM) proof.descriptor = SUM_OPERATOR;
        if (tensor == MAP) proof.descriptor = MAP_OPERATOR;
        proof.siblings = _wideProof(_operatorHashes(), sha256(COPY_OPERATOR), tensor);
    }

    /// @notice The step's roots in the claim's segment.
    function stepProof(Claim calldata claim, uint256 step) external view returns (StepProof memory proof) {
        bytes32[] memory leaves = _segmentLeaves(claim);
        proof.traceRoot = leaves[2 * step];
        bytes32 before = step == 0 ? bytes32(0) : leaves[2 * step - 1];
        (proof.traceSiblings, ) = _proof(_segmentLeaves(claim), 2 * step);
        if (step == 0) return proof;
        proof.stateRoot = before;
        (proof.stateSiblings, ) = _proof(leaves, 2 * step - 1);
    }

    /// @notice The witness of an element of the walk's tensor, or of its reduction over [lo, hi).
    function witness(
        Claim calldata claim,
        Walk calldata walk,
        uint256 lo
    ) external view returns (TileWitness[] memory tiles) {
        Step memory step = _step(claim, walk.step);
        if (walk.ofState) {
            tiles = new TileWitness[](1);
            tiles[0] = walk.tensor == 0 ? _tableWitness(step.before, walk.index) : _outputWitness(step, MAP);
        } else if (walk.tensor == MAP) {
            tiles = new TileWitness[](3);
            tiles[0] = TileWitness(_stateTile(step.before), new bytes32[](1));
            tiles[0].siblings[0] = _tableRoot(step.before.hole);
            tiles[1] = _outputWitness(step, SUM);
            tiles[2] = _outputWitness(step, PEAK);
        } else {
            tiles = new TileWitness[](walk.tensor == SUM ? 2 : 1);
            tiles[0] = _tableWitness(step.before, lo / 64);
            if (walk.tensor == SUM) tiles[1] = _tableWitness(step.before, 0);
        }
    }

    /// @notice The claimed values of the parts of the walk's range.
    function partials(
        Claim calldata claim,
        Walk calldata walk
    ) external pure returns (int256 exponent, int256[16] memory values) {
        State memory before = _step(claim, walk.step).before;
        exponent = walk.tensor == SUM ? SUM_EXPONENT : int256(0);
        for (uint256 part = 0; part < 16; ++part) {
            (uint256 lo, uint256 hi) = Partials.range(walk.lo, walk.hi, part);
            if (lo == hi) continue;
            bool lies = walk.step == claim.lieStep && claim.place >= lo && claim.place < hi;
            bool holed = before.hole > lo && before.hole <= hi;
            if (walk.tensor == SUM) {
                uint256 ones = hi - lo - (holed ? 1 : 0) + (lies && claim.lie == Lie.Sum ? 1 : 0);
                values[part] = int256(ones << 20);
            } else {
                uint32 most = holed && hi - lo == 1 ? 0 : ONE;
                values[part] = int256(uint256(lies && claim.lie == Lie.Peak ? TWO : most));
            }
        }
    }

    /// @notice The tile behind a digest leaf, and its siblings up to the segment's root.
    function digestEvidence(
        Claim calldata claim,
        uint256 step,
        bytes32 beacon,
        address verifier
    ) external view returns (DescriptorProof memory proof, bytes32 tileHash, bytes32[] memory siblings) {
        State memory state = _step(claim, step).after_;
        (uint256 tensor, uint256 index) = _position(beacon, verifier, step);
        proof = descriptor(tensor, true);
        bytes32[] memory tiles = _tableTiles(state.hole);
        tileHash = tensor == 0 ? tiles[index] : _totalTile(state);
        (bytes32[] memory inner, ) = _proof(tiles, index);
        if (tensor != 0) inner = new bytes32[](0);
        (bytes32[] memory outer, ) = _proof(_segmentLeaves(claim), 2 * step + 1);
        bytes32 other = tensor == 0 ? _totalTile(state) : _tableRoot(state.hole);
        siblings = new bytes32[](inner.length + 1 + outer.length);
        for (uint256 i = 0; i < inner.length; ++i) siblings[i] = inner[i];
        siblings[inner.length] = other;
        for (uint256 i = 0; i < outer.length; ++i) siblings[inner.length + 1 + i] = outer[i];
    }

    /// The claim's step: what it reads, what it says, what it leaves.
    function _step(Claim calldata claim, uint256 wanted) private pure returns (Step memory step) {
        step.after_ = claim.start;
        for (uint256 i = 0; i <= wanted; ++i) {
            Lie lie = i == claim.lieStep ? claim.lie : Lie.None;
            State memory before = step.after_;
            step.before = before;
            step.peak = lie == Lie.Peak ? 2 : 1;
            step.sum = WORDS - (before.hole == 0 ? 0 : 1) + (lie == Lie.Sum ? 1 : 0);
            step.next = before.total + step.sum * step.peak + (lie == Lie.Map ? 1 : 0);
            step.after_ = State({
                total: uint32(step.next + (lie == Lie.Store ? 1 : 0)),
                hole: lie == Lie.Table ? claim.place + 1 : before.hole,
                word: lie == Lie.Word
            });
        }
    }

    function _segmentLeaves(Claim calldata claim) private view returns (bytes32[] memory leaves) {
        uint256 count = 2 * uint256(claim.stepCount);
        leaves = new bytes32[](1 << TreeProof.depth(count));
        for (uint256 i = 0; i < claim.stepCount; ++i) {
            Step memory step = _step(claim, i);
            leaves[2 * i] = _wideRoot(_traceHashes(step));
            leaves[2 * i + 1] = stateRoot(step.after_);
        }
        if (claim.leaf && leaves.length > count) leaves[count] = bytes32(uint256(1));
    }

    function _digestLeaves(
        Claim calldata claim,
        bytes32 beacon,
        address verifier
    ) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](1 << TreeProof.depth(claim.stepCount));
        for (uint256 i = 0; i < claim.stepCount; ++i) {
            State memory state = _step(claim, i).after_;
            (uint256 tensor, uint256 index) = _position(beacon, verifier, i);
            leaves[i] = tensor == 0 ? _tableTiles(state.hole)[index] : _totalTile(state);
            if (i + 1 == claim.digestLie) leaves[i] = ~leaves[i];
        }
    }

    function _position(bytes32 beacon, address verifier, uint256 step) private pure returns (uint256, uint256) {
        uint256 x = uint256(keccak256(abi.encode(beacon, verifier, step)));
        return (x % 2, x % 2 == 0 ? (x >> 64) % 3 : 0);
    }

    function _outputWord(Step memory step, uint256 operator) private pure returns (uint32) {
        if (operator == PEAK) return _float(step.peak);
        if (operator == SUM) return _float(step.sum);
        return operator == MAP ? _float(step.next) : ONE;
    }

    function _traceHashes(Step memory step) private pure returns (bytes32[3] memory) {
        return
            [
                sha256(_tile(_float(step.peak), 0)),
                sha256(_tile(_float(step.sum), 0)),
                sha256(_tile(_float(step.next), 0))
            ];
    }

    function _operatorHashes() private pure returns (bytes32[3] memory) {
        return [sha256(PEAK_OPERATOR), sha256(SUM_OPERATOR), sha256(MAP_OPERATOR)];
    }

    function _outputWitness(Step memory step, uint256 operator) private view returns (TileWitness memory) {
        return TileWitness(_tile(_outputWord(step, operator), 0), _wideProof(_traceHashes(step), copyTile, operator));
    }

    function _tableWitness(State memory state, uint256 index) private view returns (TileWitness memory proved) {
        proved.words = _tableTile(index, state.hole);
        (bytes32[] memory inner, ) = _proof(_tableTiles(state.hole), index);
        proved.siblings = new bytes32[](3);
        (proved.siblings[0], proved.siblings[1], proved.siblings[2]) = (inner[0], inner[1], _totalTile(state));
    }

    function _stateTile(State memory state) private pure returns (bytes memory) {
        return _tile(_float(state.total), state.word ? 1 : 0);
    }

    function _totalTile(State memory state) private pure returns (bytes32) {
        return sha256(_stateTile(state));
    }

    function _tableRoot(uint32 hole) private view returns (bytes32 root) {
        if (hole == 0) return wholeTable;
        (, root) = _proof(_tableTiles(hole), 0);
    }

    function _tableTiles(uint32 hole) private view returns (bytes32[] memory tiles) {
        tiles = new bytes32[](4);
        (tiles[0], tiles[1], tiles[2]) = (fullTile, fullTile, lastTile);
        if (hole == 0) return tiles;
        uint256 index = (hole - 1) / 64;
        tiles[index] = sha256(_tableTile(index, hole));
    }

    /// The tree over three own leaves and 33 equal ones, as the sixteen nodes four levels below its root.
    function _sixteen(bytes32[3] memory own, bytes32 copy) private pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](16);
        (, nodes[0]) = _proof(_group(own, copy, 0), 0);
        bytes32 pair = TreeProof.parent(copy, copy);
        for (uint256 i = 1; i < 9; ++i) nodes[i] = TreeProof.parent(pair, pair);
        for (uint256 i = 9; i < 16; ++i) nodes[i] = TreeProof.zero(2);
    }

    function _group(bytes32[3] memory own, bytes32 copy, uint256 index) private pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](4);
        for (uint256 i = 0; i < 4; ++i) nodes[i] = index == 0 && i < 3 ? own[i] : copy;
    }

    /// All nodes of the trace's tree at a height.
    function _traceLevel(Step memory step, uint256 height) private view returns (bytes32[] memory nodes) {
        nodes = new bytes32[](64);
        for (uint256 i = 0; i < OPERATORS; ++i) nodes[i] = i < 3 ? _traceHashes(step)[i] : copyTile;
        for (uint256 h = 0; h < height; ++h) {
            for (uint256 i = 0; i < 64 >> (h + 1); ++i) nodes[i] = TreeProof.parent(nodes[2 * i], nodes[2 * i + 1]);
        }
    }

    function _slice(bytes32[] memory nodes, uint256 from, uint256 count) private pure returns (bytes32[] memory slice) {
        slice = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) slice[i] = nodes[from + i];
    }

    function _wideRoot(bytes32[3] memory own) private view returns (bytes32 root) {
        (, root) = _proof(_sixteen(own, copyTile), 0);
    }

    function _wideProof(
        bytes32[3] memory own,
        bytes32 copy,
        uint256 leaf
    ) private pure returns (bytes32[] memory siblings) {
        (bytes32[] memory low, ) = _proof(_group(own, copy, leaf / 4), leaf % 4);
        (bytes32[] memory high, ) = _proof(_sixteen(own, copy), leaf / 4);
        siblings = new bytes32[](6);
        for (uint256 i = 0; i < 6; ++i) siblings[i] = i < 2 ? low[i] : high[i - 2];
    }

    function _pair(bytes32 left, bytes32 right) private pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](2);
        (nodes[0], nodes[1]) = (left, right);
    }

    /// The siblings of a leaf, and the root; overwrites the nodes.
    function _proof(
        bytes32[] memory nodes,
        uint256 leaf
    ) private pure returns (bytes32[] memory siblings, bytes32 root) {
        uint256 depth = TreeProof.depth(nodes.length);
        siblings = new bytes32[](depth);
        for (uint256 h = 0; h < depth; ++h) {
            siblings[h] = nodes[(leaf >> h) ^ 1];
            for (uint256 i = 0; i < nodes.length >> (h + 1); ++i)
                nodes[i] = TreeProof.parent(nodes[2 * i], nodes[2 * i + 1]);
        }
        root = nodes[0];
    }

    /// A tile of a tensor of one word, with what stands at word 5, behind the tensor.
    function _tile(uint32 word, uint32 behind) private pure returns (bytes memory words) {
        words = new bytes(256);
        _put(words, 0, word);
        if (behind != 0) _put(words, 5, behind);
    }

    function _tableTile(uint256 index, uint32 hole) private pure returns (bytes memory words) {
        words = new bytes(256);
        uint256 end = index == 2 ? 2 : 64;
        for (uint256 i = 0; i < end; ++i) if (64 * index + i + 1 != hole) _put(words, i, ONE);
    }

    function _put(bytes memory words, uint256 position, uint32 word) private pure {
        for (uint256 i = 0; i < 4; ++i) words[4 * position + i] = bytes1(uint8(word >> (8 * i)));
    }

    /// An integer below 2^24 as binary32.
    function _float(uint256 value) private pure returns (uint32) {
        if (value == 0) return 0;
        uint256 exponent = 23;
        while (value >> exponent == 0) --exponent;
        return uint32(((127 + exponent) << 23) | ((value << (23 - exponent)) & 0x7fffff));
    }
}
