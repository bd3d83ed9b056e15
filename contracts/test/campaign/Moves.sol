// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Choice,
    DescriptorProof,
    Dispute,
    IDisputeGame,
    PartialChoice,
    StepProof
} from "../../interfaces/IDisputeGame.sol";
import {TileWitness} from "../../interfaces/IReferee.sol";
import {Side} from "../../libraries/ChessClock.sol";
import {Partials} from "../../libraries/Partials.sol";
import {Subject} from "../../libraries/Subject.sol";
import {TreeProof} from "../../libraries/TreeProof.sol";
import {Level, Walk, WalkLib} from "../../libraries/Walk.sol";
import {Invariants} from "./Invariants.sol";
import {Action, Actor, Played} from "./Players.sol";
import {Claim} from "./World.sol";

/// @notice Both sides of a dispute. A defendant plays its claim; an honest challenger and the friend look for the first difference, the
/// random one chooses blindly.
abstract contract Moves is Invariants {
    using WalkLib for Walk;

    uint256 private constant PEAK = 0;
    uint256 private constant SUM = 1;
    bytes32 private constant ANSWER_TYPEHASH = keccak256(
        "Answer(address market,bytes32 subjectHash,bytes32 segmentRoot)"
    );
    bytes32 private constant PARTIALS_TYPEHASH = keccak256(
        "Partials(bytes32 disputeId,uint32 lo,uint32 hi,bytes32 claim,int256 exponent,bytes32 valuesRoot)"
    );

    /// The next move of the side whose turn it is; false when it was refused.
    function _move(uint256 d) internal returns (bool accepted) {
        Dispute memory dispute = game.dispute(disputes[d].id);
        Before memory before = _before(d);
        (Action action, uint256 sender, bytes memory data) = dispute.clock.turn == Side.Defendant
            ? _defence(d, dispute.walk)
            : _attack(d, dispute);
        accepted = _call(action, sender, address(game), data);
        if (accepted) _checkMoved(d, action, before);
    }

    /// Whether the side to move never lets its clock run out.
    function _moverIsDiligent(uint256 d) internal view returns (bool) {
        Played storage played = disputes[d];
        if (game.dispute(played.id).clock.turn == Side.Challenger) return played.challenger == Actor.HONEST_CHALLENGER;
        return played.defendant == Actor.HONEST_SOLVER || played.defendant == Actor.HONEST_VERIFIER;
    }

    /// The move, who makes it, and its calldata.
    function _defence(uint256 d, Walk memory walk) internal returns (Action, uint256, bytes memory) {
        if (walk.level == Level.Answer) return _answer(d);
        if (walk.level == Level.Partials) return _claimPartials(d, walk);
        Played storage played = disputes[d];
        uint256 anyone = _roll(2) == 0 ? played.defendant : Actor.STRANGER;
        if (walk.level == Level.Tile)
            return (
                Action.OpenTile,
                anyone,
                abi.encodeCall(IDisputeGame.openTile, (played.id, world.tile(played.claim, walk)))
            );
        bytes memory opening = abi.encodeCall(IDisputeGame.open, (played.id, _children(d, played.claim, walk)));
        if (_roll(3) != 0) return (Action.Open, anyone, opening);
        bytes[] memory both = new bytes[](2);
        both[0] = opening;
        (, , both[1]) = _attackTree(d, walk);
        return (Action.Multicall, played.challenger, abi.encodeCall(IDisputeGame.multicall, (both)));
    }

    function _attack(uint256 d, Dispute memory dispute) internal returns (Action, uint256, bytes memory) {
        Walk memory walk = dispute.walk;
        if (walk.level == Level.Fork) return _enterTree(d);
        if (walk.level == Level.Tile) return _attackTile(d, walk);
        if (walk.level == Level.Partials) return _attackPartials(d, walk);
        return _attackTree(d, walk);
    }

    function _answer(uint256 d) private returns (Action, uint256, bytes memory) {
        Played storage played = disputes[d];
        Subject memory subject = subjects[d];
        bytes32 subjectHash = game.hashSubject(subject);
        if (game.answerOf(address(market), subjectHash) != 0)
            return (Action.Adopt, Actor.STRANGER, abi.encodeCall(IDisputeGame.adopt, (played.id, subject)));
        (bytes32 root, bytes32[] memory siblings) = world.segment(played.claim);
        if (_roll(2) == 0) {
            bytes memory own = abi.encodeCall(IDisputeGame.answer, (played.id, subject, root, siblings));
            return (Action.Answer, played.defendant, own);
        }
        bytes32 structHash = keccak256(abi.encode(ANSWER_TYPEHASH, address(market), subjectHash, root));
        bytes memory signature = _sign(played.defendant, structHash);
        return (
            Action.AnswerFor,
            Actor.STRANGER,
            abi.encodeCall(IDisputeGame.answerFor, (played.id, subject, root, siblings, signature))
        );
    }

    function _enterTree(uint256 d) private returns (Action, uint256, bytes memory) {
        Played storage played = disputes[d];
        (bytes32 theirs, ) = world.segment(played.claim);
        (bytes32 ours, ) = world.segment(_truth(played.claim));
        bool digest = _searches(d) ? theirs == ours : _roll(2) == 0;
        bytes memory data = abi.encodeCall(IDisputeGame.enterTree, (played.id, subjects[d], digest));
        return (Action.EnterTree, played.challenger, data);
    }

    function _attackTree(uint256 d, Walk memory walk) private returns (Action, uint256, bytes memory) {
        (bytes32 id, uint256 sender) = (disputes[d].id, disputes[d].challenger);
        Choice memory choice = _choice(d, walk, _pickChild(d, walk));
        Walk memory next = abi.decode(abi.encode(walk), (Walk));
        next.descend(choice.child);
        if (next.height != 0 || next.isPadding() || walk.level == Level.Tensor)
            return (Action.Choose, sender, abi.encodeCall(IDisputeGame.choose, (id, choice)));
        if (walk.level == Level.Segment)
            return (Action.EnterStep, sender, abi.encodeCall(IDisputeGame.enterStep, (id, choice, subjects[d])));
        if (walk.level == Level.Digest) return _attackDigest(d, next, choice);
        return (Action.EnterTensor, sender, _tensorEntry(d, choice, next));
    }

    function _choice(uint256 d, Walk memory walk, uint256 child) private view returns (Choice memory choice) {
        choice.child = uint8(child);
        (choice.hash, choice.siblings) = world.choice(
            disputes[d].claim,
            walk,
            child,
            subjects[d].beacon,
            _defendant(d)
        );
    }

    function _tensorEntry(uint256 d, Choice memory choice, Walk memory next) private view returns (bytes memory) {
        DescriptorProof memory descriptor = world.descriptor(next.index, next.level == Level.State);
        return abi.encodeCall(IDisputeGame.enterTensor, (disputes[d].id, choice, subjects[d], descriptor));
    }

    function _attackDigest(
        uint256 d,
        Walk memory next,
        Choice memory choice
    ) private view returns (Action, uint256, bytes memory) {
        Played storage played = disputes[d];
        Subject memory subject = subjects[d];
        (DescriptorProof memory descriptor, bytes32 tileHash, bytes32[] memory siblings) = world.digestEvidence(
            played.claim,
            next.index,
            subject.beacon,
            subject.defendant
        );
        bytes memory data = abi.encodeCall(
            IDisputeGame.adjudicateDigest,
            (played.id, choice, subject, descriptor, tileHash, siblings)
        );
        return (Action.AdjudicateDigest, played.challenger, data);
    }

    function _attackTile(uint256 d, Walk memory walk) private returns (Action, uint256, bytes memory) {
        Played storage played = disputes[d];
        bytes memory words = world.tile(played.claim, walk);
        uint256 element = _searches(d) ? _firstDifference(words, world.tile(_truth(played.claim), walk)) : _roll(3);
        if (!walk.ofState && walk.tensor <= SUM && element == 0) {
            DescriptorProof memory descriptor = world.descriptor(walk.tensor, false);
            bytes memory demand = abi.encodeCall(
                IDisputeGame.demandPartials,
                (played.id, uint8(element), words, subjects[d], descriptor)
            );
            return (Action.DemandPartials, played.challenger, demand);
        }
        return (Action.Adjudicate, played.challenger, _adjudication(d, walk, element, words));
    }

    function _adjudication(
        uint256 d,
        Walk memory walk,
        uint256 element,
        bytes memory words
    ) private view returns (bytes memory) {
        Played storage played = disputes[d];
        uint256 count = walk.ofState && walk.tensor == 0 ? world.WORDS() : 1;
        TileWitness[] memory witness = new TileWitness[](0);
        if (64 * uint256(walk.index) + element < count) witness = world.witness(played.claim, walk, 0);
        DescriptorProof memory descriptor = world.descriptor(walk.tensor, walk.ofState);
        StepProof memory step = world.stepProof(played.claim, walk.step);
        return
            abi.encodeCall(
                IDisputeGame.adjudicate,
                (played.id, uint8(element), words, subjects[d], descriptor, step, witness)
            );
    }

    function _claimPartials(uint256 d, Walk memory walk) private returns (Action, uint256, bytes memory) {
        Played storage played = disputes[d];
        (int256 exponent, int256[16] memory values) = world.partials(played.claim, walk);
        DescriptorProof memory descriptor = world.descriptor(walk.tensor, false);
        if (_roll(2) == 0) {
            bytes memory own = abi.encodeCall(
                IDisputeGame.claimPartials,
                (played.id, subjects[d], descriptor, exponent, values)
            );
            return (Action.ClaimPartials, played.defendant, own);
        }
        bytes memory signature = _signPartials(d, walk, exponent, values);
        return (
            Action.ClaimPartialsFor,
            Actor.STRANGER,
            abi.encodeCall(
                IDisputeGame.claimPartialsFor,
                (played.id, subjects[d], descriptor, exponent, values, signature)
            )
        );
    }

    function _signPartials(
        uint256 d,
        Walk memory walk,
        int256 exponent,
        int256[16] memory values
    ) private view returns (bytes memory) {
        Played storage played = disputes[d];
        bytes32 claim = game.dispute(played.id).node;
        (bytes32 root, ) = _part(values, 0);
        return
            _sign(
                played.defendant,
                keccak256(abi.encode(PARTIALS_TYPEHASH, played.id, walk.lo, walk.hi, claim, exponent, root))
            );
    }

    function _attackPartials(uint256 d, Walk memory walk) private returns (Action, uint256, bytes memory) {
        Played storage played = disputes[d];
        (, int256[16] memory values) = world.partials(played.claim, walk);
        uint256 part = _pickPart(d, walk, values);
        PartialChoice memory choice;
        choice.part = uint8(part);
        choice.value = values[part];
        (, choice.siblings) = _part(values, part);
        (uint256 lo, uint256 hi) = Partials.range(walk.lo, walk.hi, part);
        bool spans = lo / 64 != (hi - 1) / 64;
        if (spans || (hi - lo > 1 && _roll(2) == 0))
            return (
                Action.ChoosePartial,
                played.challenger,
                abi.encodeCall(IDisputeGame.choosePartial, (played.id, choice))
            );
        return (Action.AdjudicatePartial, played.challenger, _partialAdjudication(d, walk, choice, lo));
    }

    function _partialAdjudication(
        uint256 d,
        Walk memory walk,
        PartialChoice memory choice,
        uint256 lo
    ) private view returns (bytes memory) {
        Played storage played = disputes[d];
        StepProof memory step = world.stepProof(played.claim, walk.step);
        TileWitness[] memory witness = world.witness(played.claim, walk, lo);
        return
            abi.encodeCall(
                IDisputeGame.adjudicatePartial,
                (played.id, choice, subjects[d], world.descriptor(walk.tensor, false), step, witness)
            );
    }

    function _pickPart(uint256 d, Walk memory walk, int256[16] memory values) private returns (uint256) {
        if (_searches(d)) {
            (, int256[16] memory truth) = world.partials(_truth(disputes[d].claim), walk);
            for (uint256 part = 0; part < 16; ++part) if (truth[part] != values[part]) return part;
        }
        return _roll(Partials.used(walk.lo, walk.hi));
    }

    /// The first child that differs; padding that is not zero convicts as well.
    function _pickChild(uint256 d, Walk memory walk) private returns (uint256) {
        bytes32[] memory theirs = _children(d, disputes[d].claim, walk);
        if (_searches(d)) {
            bytes32[] memory ours = _children(d, _truth(disputes[d].claim), walk);
            bool last = _roll(2) == 0 && walk.level == Level.Segment && theirs[theirs.length - 2] != 0;
            if (last && ours[ours.length - 2] == 0) return theirs.length - 2;
            for (uint256 i = 0; i < theirs.length; ++i) if (theirs[i] != ours[i]) return i;
        }
        // Half of the random walks through a trace go to the operators that differ from the others.
        return walk.level == Level.Trace && walk.height > 5 && _roll(2) == 0 ? 0 : _roll(theirs.length);
    }

    function _children(uint256 d, Claim memory claim, Walk memory walk) internal view returns (bytes32[] memory) {
        return world.children(claim, walk, subjects[d].beacon, _defendant(d));
    }

    function _defendant(uint256 d) private view returns (address) {
        return actors[disputes[d].defendant];
    }

    function _searches(uint256 d) private view returns (bool) {
        uint256 challenger = disputes[d].challenger;
        return challenger == Actor.HONEST_CHALLENGER || challenger == Actor.FRIEND;
    }

    /// The root over sixteen values and the siblings of one of them.
    function _part(
        int256[16] memory values,
        uint256 part
    ) private pure returns (bytes32 root, bytes32[4] memory siblings) {
        bytes32[16] memory nodes;
        for (uint256 i = 0; i < 16; ++i) nodes[i] = bytes32(uint256(values[i]));
        for (uint256 h = 0; h < 4; ++h) {
            siblings[h] = nodes[(part >> h) ^ 1];
            for (uint256 i = 0; i < 16 >> (h + 1); ++i) nodes[i] = TreeProof.parent(nodes[2 * i], nodes[2 * i + 1]);
        }
        root = nodes[0];
    }

    function _firstDifference(bytes memory theirs, bytes memory ours) private pure returns (uint256) {
        for (uint256 i = 0; i < 256; ++i) if (theirs[i] != ours[i]) return i / 4;
        return 0;
    }
}
