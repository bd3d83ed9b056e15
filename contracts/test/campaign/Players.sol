// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DisputeGame} from "../../DisputeGame.sol";
import {TrainingMarket} from "../../TrainingMarket.sol";
import {LocalToken} from "../../examples/LocalToken.sol";
import {IReferee} from "../../interfaces/IReferee.sol";
import {Subject, Training} from "../../libraries/Subject.sol";
import {Claim, Lie, World} from "./World.sol";
import {VM} from "./Vm.sol";

/// @notice Everything that somebody does in a campaign; the last ones are not calls of the contracts.
enum Action {
    Post,
    Cancel,
    Accept,
    AppendCheckpoint,
    JoinSeats,
    LeaveSeat,
    WithdrawSeat,
    Draw,
    Seal,
    ReportUnavailable,
    Reveal,
    CloseAttestation,
    Challenge,
    CloseMoot,
    Settle,
    Expire,
    Withdraw,
    Answer,
    AnswerFor,
    Adopt,
    EnterTree,
    Open,
    Choose,
    EnterStep,
    EnterTensor,
    OpenTile,
    Adjudicate,
    DemandPartials,
    ClaimPartials,
    ClaimPartialsFor,
    ChoosePartial,
    AdjudicatePartial,
    AdjudicateDigest,
    Multicall,
    ClaimTimeout,
    Meddle,
    Wait
}

uint256 constant ACTIONS = 37;

/// @notice Who takes part, by number.
library Actor {
    uint256 internal constant REQUESTER = 0;
    uint256 internal constant OTHER_REQUESTER = 1;
    uint256 internal constant HONEST_SOLVER = 2;
    uint256 internal constant FALSE_SOLVER = 3;
    uint256 internal constant HONEST_VERIFIER = 4;
    uint256 internal constant FALSE_VERIFIER = 5;
    uint256 internal constant HONEST_CHALLENGER = 6;
    uint256 internal constant RANDOM_CHALLENGER = 7;
    /// @dev Of the false solver: convicts it if it gets there first.
    uint256 internal constant FRIEND = 8;
    uint256 internal constant STRANGER = 9;
    uint256 internal constant COUNT = 10;
}

/// @notice A task, and the lie that its solver will tell.
struct Posted {
    bytes32 id;
    address requester;
    uint256 solver;
    Lie lie;
    uint32 lieSegment;
    uint32 lieStep;
    uint32 place;
    bool leaf;
}

/// @notice An attestation that was sealed.
struct Sworn {
    uint256 task;
    uint32 segment;
    uint256 verifier;
    uint32 digestLie;
    bytes32 digestRoot;
}

/// @notice A dispute as the players see it.
struct Played {
    bytes32 id;
    uint256 task;
    uint32 segment;
    uint256 defendant;
    uint256 challenger;
    /// What the defendant claims.
    Claim claim;
    uint256 bond;
    bool live;
    /// 0 none, 1 defendant convicted, 2 challenger lost, 3 moot.
    uint256 outcome;
}

/// @notice The contracts of a campaign, its actors and its dice.
abstract contract Players {
    uint96 internal constant SEAT_STAKE = 6_407;
    uint256 internal constant PURSE = 1_000_000;
    uint256 private constant KEYS = 0x70c4;

    World internal immutable world;
    LocalToken internal immutable token;
    DisputeGame internal immutable game;
    TrainingMarket internal immutable market;

    Training internal training;
    address[] internal actors;
    Posted[] internal tasks;
    Sworn[] internal attestations;
    Played[] internal disputes;
    mapping(uint256 dispute => Subject) internal subjects;
    mapping(uint256 task => mapping(uint256 segment => Claim)) internal claims;

    /// Calls tried and calls that did something, by action; and the actions in order.
    uint32[ACTIONS] internal tried;
    uint32[ACTIONS] internal done;
    bytes internal history;

    uint256 private dice;
    /// Seconds and blocks of the campaign.
    uint256 internal time;
    uint256 internal height;

    constructor(World world_, IReferee referee, uint256 seed) {
        world = world_;
        token = new LocalToken();
        game = new DisputeGame(referee);
        market = new TrainingMarket(token, game, SEAT_STAKE);
        training = world_.training();
        dice = seed;
        (time, height) = (block.timestamp, block.number);
        for (uint256 i = 0; i < Actor.COUNT; ++i) {
            address actor = VM.addr(KEYS + i);
            actors.push(actor);
            VM.prank(actor);
            token.faucet(PURSE);
            VM.prank(actor);
            token.approve(address(market), type(uint256).max);
        }
        VM.recordLogs();
    }

    /// A number below `sides`.
    function _roll(uint256 sides) internal returns (uint256) {
        dice = uint256(keccak256(abi.encode(dice)));
        return dice % sides;
    }

    function _advance(uint256 seconds_, uint256 blocks) internal {
        time += seconds_;
        height += blocks;
        VM.warp(time);
        VM.roll(height);
    }

    /// The actor calls a contract; a revert is an answer.
    function _call(Action action, uint256 actor, address target, bytes memory data) internal returns (bool accepted) {
        (accepted, ) = _callFor(action, actor, target, data);
    }

    /// As `_call`, with the word that the function returns.
    function _callFor(
        Action action,
        uint256 actor,
        address target,
        bytes memory data
    ) internal returns (bool accepted, bytes32 word) {
        ++tried[uint256(action)];
        VM.prank(actors[actor]);
        bytes memory answer;
        (accepted, answer) = target.call(data);
        if (!accepted) return (false, answer.length < 4 ? bytes32(0) : bytes32(bytes4(answer)));
        if (answer.length != 0) word = bytes32(answer);
        ++done[uint256(action)];
        history.push(bytes1(uint8(action)));
    }

    function _sign(uint256 actor, bytes32 structHash) internal view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Touchstone DisputeGame"),
                keccak256("1"),
                block.chainid,
                address(game)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(
            KEYS + actor,
            keccak256(abi.encodePacked(hex"1901", domain, structHash))
        );
        return abi.encodePacked(r, s, v);
    }

    /// The claim without its lies: what an honest replay from the same start gives.
    function _truth(Claim memory claim) internal pure returns (Claim memory truth) {
        truth.start = claim.start;
        truth.stepCount = claim.stepCount;
    }

    function _isFalse(Claim memory claim) internal pure returns (bool) {
        return claim.lie != Lie.None || claim.leaf || claim.digestLie != 0;
    }
}
