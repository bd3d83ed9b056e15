/** The moves of the game one by one: who may make them, when, and what they refuse. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Abi, encodeAbiParameters, encodeFunctionData, keccak256, toHex } from "viem";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { partialsTree } from "../../shared/commitment/partialsTree.ts";
import { openingHeight, zeroHash } from "../../shared/commitment/treeProof.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import { type Arena, atNextBlock, by, deployArena, networkHelpers, viem, wallets } from "./support/arena.ts";
import { lieAbout } from "./support/lies.ts";
import { type Dispute, Level, Reason, sixteen } from "./support/player.ts";
import { disputeSolver, disputeVerifier } from "./support/scene.ts";
import { domainOf, signAnswer, signPartials } from "./support/signatures.ts";
import { challenge } from "./support/task.ts";
import { wideProgram } from "./support/wide.ts";

const { revertWithCustomError, revertWithCustomErrorWithArgs, emitWithArgs } = viem.assertions;
const wide = {
  job: exampleJob(wideProgram(), 1, { steps: 5, interval: 3 }),
  initial: exampleState(wideProgram(), 1),
};
const small = {
  job: exampleJob(regressionProgram(), 2, { steps: 5, interval: 3 }),
  initial: exampleState(regressionProgram(), 2),
};
const operatorNamed = (name: string) => wide.job.program.operators.findIndex((operator) => operator.name === name);

/** A wrong word in the middle of a tensor of five tiles. */
async function mapDispute() {
  const arena = await networkHelpers.loadFixture(deployArena);
  return {
    arena,
    ...(await disputeSolver({ arena, ...wide, ...lieAbout(wide.job, new Random(1), 1, operatorNamed("square"), 130) })),
  };
}

/** A wrong Dot over 100 positions. */
async function dotDispute() {
  const arena = await networkHelpers.loadFixture(deployArena);
  const told = lieAbout(wide.job, new Random(2), 1, operatorNamed("weight.gradient"), 4);
  return { arena, ...(await disputeSolver({ arena, ...wide, ...told })) };
}

async function stateDispute() {
  const arena = await networkHelpers.loadFixture(deployArena);
  const lie = {
    state: (step: number, state: Uint32Array[]) => {
      if (step === 0) state[0]![0]! ^= 1;
    },
  };
  return { arena, ...(await disputeSolver({ arena, ...wide, lie })) };
}

async function digestDispute() {
  const arena = await networkHelpers.loadFixture(deployArena);
  const digestLie = (leaves: `0x${string}`[]) => {
    leaves[2] = ZERO_BYTES32;
  };
  return { arena, ...(await disputeVerifier({ arena, ...wide, digestLie })) };
}

function reaches(level: number, turn: number) {
  return (walk: { level: number }, atTurn: number) => walk.level === level && atTurn === turn;
}

describe("clocks", () => {
  const places = [
    ["Answer", Level.answer, 0, mapDispute],
    ["Segment", Level.segment, 0, mapDispute],
    ["Segment", Level.segment, 1, mapDispute],
    ["Trace", Level.trace, 0, mapDispute],
    ["Trace", Level.trace, 1, mapDispute],
    ["Tensor", Level.tensor, 0, mapDispute],
    ["Tensor", Level.tensor, 1, mapDispute],
    ["Tile", Level.tile, 0, mapDispute],
    ["Tile", Level.tile, 1, mapDispute],
    ["State", Level.state, 0, stateDispute],
    ["State", Level.state, 1, stateDispute],
    ["Tile with a long sum", Level.tile, 1, dotDispute],
    ["Partials", Level.partials, 0, dotDispute],
    ["Partials", Level.partials, 1, dotDispute],
    ["Fork", Level.fork, 1, digestDispute],
    ["Digest", Level.digest, 0, digestDispute],
    ["Digest", Level.digest, 1, digestDispute],
  ] as const;
  for (const [name, level, turn, open] of places) {
    it(`give the ${turn === 0 ? "defendant" : "challenger"} at ${name} its last second and no more`, async () => {
      const { arena, dispute, disputeId } = await open();
      await dispute.play(reaches(level, turn));
      const { walk, clock } = await dispute.state();
      assert.deepEqual([walk.level, clock.turn], [level, turn]);
      const deadline = Number(await arena.game.read.deadline([disputeId]));
      const move = () => (turn === 0 ? dispute.defend(walk) : dispute.attack(walk));
      const early = await networkHelpers.takeSnapshot();
      for (const second of [deadline - 1, deadline]) {
        await atNextBlock(second);
        await revertWithCustomErrorWithArgs(
          arena.game.write.claimTimeout([disputeId], by(wallets.stranger)),
          arena.game,
          "TimeoutEarly",
          [BigInt(deadline)],
        );
        await early.restore();
        await atNextBlock(second);
        await move();
        const { walk: after, clock: left } = await dispute.state();
        // What is left to the side that moved, unless its move decided.
        const own = turn === 0 ? left.defendant : left.challenger;
        if (after.level !== Level.none) assert.equal(own, deadline - second);
        await early.restore();
      }
      await atNextBlock(deadline + 1);
      await revertWithCustomErrorWithArgs(move(), arena.game, "ChessClockExpired", [turn, BigInt(deadline)]);
      await arena.game.write.claimTimeout([disputeId], by(wallets.stranger));
      assert.deepEqual(await dispute.outcome(), { defendantConvicted: turn === 0, reason: Reason.timeout });
    });
  }

  it("count as well for what others send in the defendant's name", async () => {
    const { arena, dispute, disputeId, subject, defendant, taskId, training } = await mapDispute();
    const { game, market } = arena;
    const second = await challenge(arena, taskId, 0, wallets.solver, training, wallets.stranger);
    const { segment } = defendant.claimed;
    const message = {
      market: market.address,
      subjectHash: await game.read.hashSubject([subject]),
      segmentRoot: segment.root,
    };
    const signature = await signAnswer(wallets.solver, domainOf(game), message);
    const answered = [subject, segment.root, segment.proof(5)] as const;
    const relay = () => game.write.answerFor([disputeId, ...answered, signature], by(wallets.stranger));
    const adopt = () => game.write.adopt([second.disputeId, subject], by(wallets.stranger));
    const exactly = async (id: Hash, move: () => Promise<unknown>) => {
      const deadline = Number(await game.read.deadline([id]));
      const early = await networkHelpers.takeSnapshot();
      await atNextBlock(deadline + 1);
      await revertWithCustomErrorWithArgs(move(), game, "ChessClockExpired", [0, BigInt(deadline)]);
      for (const time of [deadline - 1, deadline]) {
        await early.restore();
        await atNextBlock(time);
        await move();
      }
      await early.restore();
    };
    await exactly(disputeId, relay);
    await dispute.play(reaches(Level.segment, 0));
    await exactly(second.disputeId, adopt);
  });

  it("charge only the side to move", async () => {
    const { dispute } = await mapDispute();
    await dispute.play(reaches(Level.segment, 0));
    const { clock: start } = await dispute.state();
    await atNextBlock(start.movedAt + 100);
    const { walk } = await dispute.state();
    await dispute.defend(walk);
    const { clock: opened } = await dispute.state();
    assert.deepEqual(opened, { ...start, turn: 1, defendant: start.defendant - 100, movedAt: start.movedAt + 100 });
    await atNextBlock(opened.movedAt + 7);
    await dispute.attack(walk);
    const { clock: chosen } = await dispute.state();
    assert.deepEqual(chosen, { ...opened, turn: 0, challenger: opened.challenger - 7, movedAt: opened.movedAt + 7 });
  });

  it("start with the graces", async () => {
    const { dispute } = await mapDispute();
    const { clock } = await dispute.state();
    assert.deepEqual([clock.defendant, clock.challenger], [3600 + 600, 3600 + 300]);
  });

  it("say nothing about a dispute that does not exist", async () => {
    const { game } = await networkHelpers.loadFixture(deployArena);
    await revertWithCustomError(game.read.deadline([ZERO_BYTES32]), game, "DisputeUnknown");
    await revertWithCustomError(game.write.claimTimeout([ZERO_BYTES32], by(wallets.stranger)), game, "DisputeUnknown");
  });
});

describe("opening a dispute", () => {
  it("makes a new id each time and refuses subjects that cannot be walked", async () => {
    const { arena, subject, disputeId } = await mapDispute();
    const { game } = arena;
    const rogue = await viem.deployContract("RogueMarket", [game.address]);
    const challenger = wallets.challenger.account.address;
    const open = (changed: object, clocks: [number, number] = [10, 10], by_: `0x${string}` = challenger) =>
      rogue.write.open([{ ...subject, ...changed }, by_, ...clocks], by(wallets.stranger));
    const ids = new Set([disputeId]);
    for (let round = 0; round < 3; round++) {
      await open({});
      ids.add(await rogue.read.last());
    }
    assert.equal(ids.size, 4);
    const program = (changed: object) => ({
      training: { ...subject.training, program: { ...subject.training.program, ...changed } },
    });
    const refused = [
      open({ stepCount: 0 }),
      open({ stepCount: 2 ** 31 }),
      open({ firstStep: 3 }),
      open(program({ operatorCount: 0 })),
      open(program({ stateCount: 0 })),
      open({}, [0, 10]),
      open({}, [10, 0]),
      open({}, [10, 10], `0x${"00".repeat(20)}`),
    ];
    for (const attempt of refused) await revertWithCustomError(attempt, game, "DisputeParameters");
    assert.equal((await game.read.dispute([disputeId])).walk.level, Level.answer);
  });

  it("names it by everything that it depends on", async () => {
    const { arena, disputeId, subject } = await mapDispute();
    const [opened] = await arena.game.getEvents.DisputeOpened({ disputeId }, { fromBlock: 0n });
    const { inputs } = arena.game.abi.find((entry) => entry.type === "function" && entry.name === "hashSubject")!;
    const subjectHash = keccak256(encodeAbiParameters(inputs, [subject]));
    assert.equal(await arena.game.read.hashSubject([subject]), subjectHash);
    assert.equal(opened!.args.subjectHash, subjectHash);
    assert.deepEqual(opened!.args.subject, subject);
    const typehash = keccak256(
      toHex(
        "TouchstoneDisputeV1(uint256 chainId,address game,address market,bytes32 subjectHash,address challenger,uint256 nonce)",
      ),
    );
    const types = ["bytes32", "uint256", "address", "address", "bytes32", "address", "uint256"];
    const { market, challenger, nonce } = await arena.game.read.dispute([disputeId]);
    const fields = [typehash, 31337n, arena.game.address, market, subjectHash, challenger, nonce];
    assert.equal(
      disputeId,
      keccak256(
        encodeAbiParameters(
          types.map((type) => ({ type })),
          fields,
        ),
      ),
    );
  });
});

describe("answering", () => {
  it("is for the defendant, about this subject, with a proof of the checkpoint", async () => {
    const { arena, dispute, disputeId, subject, defendant } = await mapDispute();
    const { game } = arena;
    const { root } = defendant.claimed.segment;
    const siblings = defendant.claimed.segment.proof(5);
    const answer = (changed: object, root_ = root, siblings_ = siblings, wallet = wallets.solver) =>
      game.write.answer([disputeId, { ...subject, ...changed }, root_, siblings_], by(wallet));
    await revertWithCustomError(answer({}, root, siblings, wallets.challenger), game, "DisputeSender");
    await revertWithCustomError(answer({ stepCount: 2 }), game, "DisputeSubject");
    await revertWithCustomError(
      answer({ defendant: wallets.stranger.account.address }, root, siblings, wallets.stranger),
      game,
      "DisputeSubject",
    );
    await revertWithCustomError(answer({}, zeroHash(3)), game, "TreeProofMismatch");
    await revertWithCustomError(answer({}, root, siblings.slice(1)), game, "TreeProofLength");
    await revertWithCustomError(answer({}, root, [...siblings, zeroHash(3)]), game, "TreeProofLength");
    await answer({});
    const { walk, node, clock } = await dispute.state();
    assert.deepEqual([walk.level, walk.height, walk.leaves, node, clock.turn], [Level.segment, 3, 6, root, 0]);
    await revertWithCustomErrorWithArgs(answer({}), game, "DisputeLevel", [Level.segment]);
  });

  it("once serves every dispute about the subject", async () => {
    const { arena, dispute, disputeId, subject, taskId, training, defendant } = await mapDispute();
    const { game } = arena;
    const second = await challenge(arena, taskId, 0, wallets.solver, training, wallets.stranger);
    const adopt = () => game.write.adopt([second.disputeId, subject], by(wallets.requester));
    await revertWithCustomError(adopt(), game, "DisputeUnanswered");
    await dispute.play(reaches(Level.segment, 0));
    const { root } = defendant.claimed.segment;
    await revertWithCustomError(
      game.write.answer([second.disputeId, subject, root, defendant.claimed.segment.proof(5)], by(wallets.solver)),
      game,
      "DisputeAnswered",
    );
    await emitWithArgs(adopt(), game, "Answered", [second.disputeId, root, Level.segment]);
    const third = await challenge(arena, taskId, 0, wallets.solver, training, wallets.requester);
    const { walk, node } = await game.read.dispute([third.disputeId]);
    assert.deepEqual([walk.level, node], [Level.segment, root]);
    assert.equal(await game.read.answerOf([arena.market.address, await game.read.hashSubject([subject])]), root);
    assert.notEqual(third.disputeId, disputeId);
  });

  it("by signature takes the defendant's own", async () => {
    const { arena, dispute, disputeId, subject, defendant } = await mapDispute();
    const { game } = arena;
    const { root } = defendant.claimed.segment;
    const siblings = defendant.claimed.segment.proof(5);
    const message = {
      market: arena.market.address,
      subjectHash: await game.read.hashSubject([subject]),
      segmentRoot: root,
    };
    const signed = await signAnswer(wallets.solver, domainOf(game), message);
    const forged = await signAnswer(wallets.stranger, domainOf(game), message);
    const other = await signAnswer(wallets.solver, domainOf(game), { ...message, segmentRoot: ZERO_BYTES32 });
    const relay = (signature: `0x${string}`) =>
      game.write.answerFor([disputeId, subject, root, siblings, signature], by(wallets.stranger));
    for (const signature of [forged, other, "0x" as const]) {
      await revertWithCustomError(relay(signature), game, "DisputeSignature");
    }
    await relay(signed);
    assert.equal((await dispute.state()).walk.level, Level.segment);
  });
});

type Hash = `0x${string}`;

describe("opening a node", () => {
  it("is for anyone in the defendant's turn, with all children that fold to it", async () => {
    const { arena, dispute, disputeId, defendant } = await mapDispute();
    const { game } = arena;
    const open = (children: Hash[], wallet = wallets.stranger) => game.write.open([disputeId, children], by(wallet));
    const children = defendant.claimed.segment.opening(3, 0);
    await revertWithCustomErrorWithArgs(open(children), game, "DisputeLevel", [Level.answer]);
    await dispute.play(reaches(Level.segment, 0));
    await revertWithCustomErrorWithArgs(open(children.slice(4)), game, "OpeningLength", [8n, 4n]);
    await revertWithCustomErrorWithArgs(open([]), game, "OpeningLength", [8n, 0n]);
    await revertWithCustomErrorWithArgs(open([...children, ...children]), game, "OpeningLength", [8n, 16n]);
    await revertWithCustomError(open(children.toReversed()), game, "OpeningMismatch");
    await emitWithArgs(open(children), game, "NodeOpened", [disputeId, children]);
    await revertWithCustomErrorWithArgs(open(children), game, "DisputeTurn", [1]);
  });
});

describe("choosing a child", () => {
  let scene: Awaited<ReturnType<typeof mapDispute>>;
  let walk: Awaited<ReturnType<Dispute["state"]>>["walk"];
  before(async () => {
    scene = await mapDispute();
    await scene.dispute.play(reaches(Level.trace, 1));
    ({ walk } = await scene.dispute.state());
  });
  const choose = (choice: object, wallet = wallets.challenger) =>
    scene.arena.game.write.choose([scene.disputeId, { ...scene.dispute.choiceOf(walk, 1), ...choice }], by(wallet));

  it("is the challenger's alone", async () => {
    for (const wallet of [wallets.solver, wallets.stranger, wallets.requester]) {
      await revertWithCustomError(choose({}, wallet), scene.arena.game, "DisputeSender");
    }
  });

  it("needs the child in its place, proved by exactly its siblings", async () => {
    const { game } = scene.arena;
    const { siblings } = scene.dispute.choiceOf(walk, 1);
    await revertWithCustomErrorWithArgs(choose({ child: 16 }), game, "ChoiceChild", [16, 16n]);
    await revertWithCustomError(choose({ child: 0 }), game, "TreeProofMismatch");
    await revertWithCustomError(choose({ hash: zeroHash(1) }), game, "TreeProofMismatch");
    await revertWithCustomError(choose({ siblings: siblings.slice(0, 3) }), game, "TreeProofLength");
    await revertWithCustomError(choose({ siblings: [...siblings, zeroHash(0)] }), game, "TreeProofLength");
    await revertWithCustomErrorWithArgs(choose({}), game, "ChoiceReachesLeaf", [Level.trace]);
  });

  it("that reaches a leaf brings the right descriptor", async () => {
    const { game } = scene.arena;
    const { dispute, disputeId, subject } = scene;
    const enter = (child: number, descriptor: ReturnType<Dispute["descriptorOf"]>, subject_: object = {}) =>
      game.write.enterTensor(
        [disputeId, dispute.choiceOf(walk, child), { ...subject, ...subject_ }, descriptor],
        by(wallets.challenger),
      );
    const right = dispute.descriptorOf(1, false);
    await revertWithCustomError(enter(1, dispute.descriptorOf(0, false)), game, "TreeProofMismatch");
    await revertWithCustomError(enter(1, dispute.descriptorOf(1, true)), game, "TreeProofLength");
    await revertWithCustomError(enter(1, { ...right, siblings: right.siblings.slice(1) }), game, "TreeProofLength");
    await revertWithCustomError(enter(1, { ...right, descriptor: `${right.descriptor}00` }), game, "TreeProofMismatch");
    await revertWithCustomError(enter(1, right, { segment: 1 }), game, "DisputeSubject");
    await revertWithCustomErrorWithArgs(
      game.write.enterStep([disputeId, dispute.choiceOf(walk, 1), subject], by(wallets.challenger)),
      game,
      "DisputeLevel",
      [Level.trace],
    );
  });

  it("of zero padding loses", async () => {
    const { arena, dispute, disputeId } = await mapDispute();
    await dispute.play(reaches(Level.segment, 1));
    const { walk: at } = await dispute.state();
    const { subject } = scene;
    await revertWithCustomErrorWithArgs(
      arena.game.write.enterStep([disputeId, dispute.choiceOf(at, 6), subject], by(wallets.challenger)),
      arena.game,
      "ChoiceInPadding",
      [6, 6],
    );
    await arena.game.write.choose([disputeId, dispute.choiceOf(at, 7)], by(wallets.challenger));
    assert.deepEqual(await dispute.outcome(), { defendantConvicted: false, reason: Reason.opening });
  });

  it("of a tile goes through choose alone", async () => {
    const { arena, dispute, disputeId, subject } = await mapDispute();
    await dispute.play(reaches(Level.tensor, 1));
    const tensor = (await dispute.state()).walk;
    await revertWithCustomErrorWithArgs(
      arena.game.write.enterTensor(
        [disputeId, dispute.choiceOf(tensor, 0), subject, dispute.descriptorOf(0, false)],
        by(wallets.challenger),
      ),
      arena.game,
      "DisputeLevel",
      [Level.tensor],
    );
  });
});

describe("a tile", () => {
  it("is opened by its own 256 bytes, by anyone", async () => {
    const { arena, dispute, disputeId, defendant } = await mapDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.tile, 0));
    const { walk } = await dispute.state();
    assert.equal(walk.index, 2);
    const words = dispute.tileOf(defendant, walk);
    const open = (bytes: Hash) => game.write.openTile([disputeId, bytes], by(wallets.stranger));
    await revertWithCustomError(open(words.slice(0, -2) as Hash), game, "TileLength");
    await revertWithCustomError(open(`${words}00`), game, "TileLength");
    await revertWithCustomError(open(`${words.slice(0, -2)}ff` as Hash), game, "OpeningMismatch");
    await emitWithArgs(open(words), game, "TileOpened", [disputeId, words]);
  });

  it("is adjudicated by its challenger, with the words that were opened and the witness that the element needs", async () => {
    const { arena, dispute, disputeId, subject, defendant } = await mapDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.tile, 1));
    const { walk } = await dispute.state();
    const right = {
      element: 2,
      words: dispute.tileOf(defendant, walk),
      subject,
      descriptor: dispute.descriptorOf(walk.tensor, false),
      step: dispute.stepProof(walk.step),
      witness: dispute.witnessOf(walk, 130, 0, 1),
      wallet: wallets.challenger,
    };
    const adjudicate = (changed: Partial<typeof right>) => {
      const { element, words, subject, descriptor, step, witness, wallet } = { ...right, ...changed };
      return game.write.adjudicate([disputeId, element, words, subject, descriptor, step, witness], by(wallet));
    };
    await revertWithCustomError(adjudicate({ wallet: wallets.solver }), game, "DisputeSender");
    await revertWithCustomError(adjudicate({ element: 64 }), game, "TilePosition");
    await revertWithCustomError(adjudicate({ words: `0x${"00".repeat(256)}` }), game, "OpeningMismatch");
    await revertWithCustomError(adjudicate({ subject: { ...subject, beacon: zeroHash(1) } }), game, "DisputeSubject");
    await revertWithCustomError(adjudicate({ descriptor: dispute.descriptorOf(0, false) }), game, "TreeProofMismatch");
    const traceSiblings = right.step.traceSiblings.toReversed();
    await revertWithCustomError(adjudicate({ step: { ...right.step, traceSiblings } }), game, "TreeProofMismatch");
    const { referee } = arena;
    // A trace root that is not proved is none: nothing can be proved against it.
    const step = { ...right.step, traceRoot: ZERO_BYTES32, traceSiblings: [] };
    await revertWithCustomError(adjudicate({ step }), referee, "TreeProofMismatch");
    await revertWithCustomError(adjudicate({ witness: [] }), referee, "WitnessMissing");
    const twice = [...right.witness, ...right.witness];
    await revertWithCustomError(adjudicate({ witness: twice }), referee, "WitnessUnused");
    await adjudicate({});
    assert.deepEqual(await dispute.outcome(), { defendantConvicted: true, reason: Reason.element });
    await revertWithCustomError(adjudicate({}), game, "DisputeUnknown");
  });

  it("of a state tensor takes its source's tile and nothing else", async () => {
    const { arena, dispute, disputeId, subject, defendant } = await stateDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.tile, 1));
    const { walk } = await dispute.state();
    const words = dispute.tileOf(defendant, walk);
    const descriptor = dispute.descriptorOf(walk.tensor, true);
    const step = dispute.stepProof(walk.step);
    const [witness] = dispute.storeWitness(walk);
    const adjudicate = (witnesses: (typeof witness)[]) =>
      game.write.adjudicate(
        [disputeId, 0, words, subject, descriptor, step, witnesses.map((tile) => tile!)],
        by(wallets.challenger),
      );
    await revertWithCustomErrorWithArgs(adjudicate([]), game, "StoreWitness", [0n]);
    await revertWithCustomErrorWithArgs(adjudicate([witness, witness]), game, "StoreWitness", [2n]);
    const longer = { ...witness!, siblings: [...witness!.siblings, zeroHash(0)] };
    await revertWithCustomError(adjudicate([longer]), game, "TreeProofLength");
    await revertWithCustomError(
      game.write.demandPartials([disputeId, 0, words, subject, descriptor], by(wallets.challenger)),
      game,
      "PartialsUnsplittable",
    );
    await adjudicate([witness]);
    assert.deepEqual(await dispute.outcome(), { defendantConvicted: true, reason: Reason.store });
  });
});

describe("partial results", () => {
  it("are demanded of an element that reduces, by the challenger", async () => {
    const { arena, dispute, disputeId, subject, defendant } = await dotDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.tile, 1));
    const { walk } = await dispute.state();
    const words = dispute.tileOf(defendant, walk);
    const demand = (element: number, wallet = wallets.challenger) =>
      game.write.demandPartials(
        [disputeId, element, words, subject, dispute.descriptorOf(walk.tensor, false)],
        by(wallet),
      );
    await revertWithCustomError(demand(0, wallets.solver), game, "DisputeSender");
    await revertWithCustomErrorWithArgs(demand(9), game, "ElementOutside", [9n, 9n]);
    await demand(4);
    const { walk: at, clock } = await dispute.state();
    assert.deepEqual([at.level, at.element, at.lo, at.hi, clock.turn], [Level.partials, 4, 0, 100, 0]);
    await revertWithCustomErrorWithArgs(demand(4), game, "DisputeTurn", [0]);

    const map = await mapDispute();
    await map.dispute.play(reaches(Level.tile, 1));
    const other = (await map.dispute.state()).walk;
    await revertWithCustomError(
      map.arena.game.write.demandPartials(
        [
          map.disputeId,
          2,
          map.dispute.tileOf(map.defendant, other),
          map.subject,
          map.dispute.descriptorOf(other.tensor, false),
        ],
        by(wallets.challenger),
      ),
      map.arena.game,
      "PartialsUnsplittable",
    );
  });

  it("must combine to what they refine, and are the defendant's to claim", async () => {
    const { arena, dispute, disputeId, subject } = await dotDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.partials, 0));
    const { walk } = await dispute.state();
    const { values, exponent } = dispute.claimOf(walk);
    const descriptor = dispute.descriptorOf(walk.tensor, false);
    const claim = (values_: bigint[], exponent_ = BigInt(exponent), wallet = wallets.solver) =>
      game.write.claimPartials([disputeId, subject, descriptor, exponent_, sixteen(values_)], by(wallet));
    const with_ = (at: number, value: bigint) => values.with(at, value);
    await revertWithCustomError(claim(values, BigInt(exponent), wallets.challenger), game, "DisputeSender");
    await revertWithCustomError(claim(with_(0, values[0]! + 2n ** 60n)), game, "PartialsMismatch");
    // 100 positions make fifteen parts of seven.
    await revertWithCustomErrorWithArgs(claim(with_(15, 1n)), game, "PartialsUnused", [15n]);
    await revertWithCustomErrorWithArgs(claim(values, 2n ** 15n), game, "PartialsExponent", [2n ** 15n]);
    await revertWithCustomErrorWithArgs(claim(values, -(2n ** 15n) - 1n), game, "PartialsExponent", [
      -(2n ** 15n) - 1n,
    ]);
    await revertWithCustomError(claim(values, BigInt(exponent) + 1n), game, "PartialsMismatch");
    const most = 2n ** 255n - 1n;
    await revertWithCustomError(claim(with_(0, most).with(1, most)), arena.referee, "RefereeSumOverflow");
    await claim(values);
    assert.equal((await dispute.state()).walk.exponent, exponent);
  });

  it("are chosen in their place, split while longer than one, and refined exactly", async () => {
    const { arena, dispute, disputeId, subject } = await dotDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.partials, 1));
    const choose = (changed: object, wallet = wallets.challenger) =>
      game.write.choosePartial([disputeId, { ...dispute.partialChoice(2), ...changed }], by(wallet));
    await revertWithCustomError(choose({}, wallets.solver), game, "DisputeSender");
    await revertWithCustomError(choose({ part: 3 }), game, "TreeProofMismatch");
    await revertWithCustomError(choose({ part: 16 }), game, "TreeProofIndex");
    await revertWithCustomError(choose({ value: 0n }), game, "TreeProofMismatch");
    await revertWithCustomErrorWithArgs(choose(dispute.partialChoice(15)), game, "PartialsRange", [15n, 100n, 100n]);
    await choose({});
    const { walk } = await dispute.state();
    assert.deepEqual([walk.lo, walk.hi], [14, 21]);
    const { values, exponent } = dispute.claimOf(walk);
    const descriptor = dispute.descriptorOf(walk.tensor, false);
    const claim = (values_: bigint[], exponent_ = BigInt(exponent)) =>
      game.write.claimPartials([disputeId, subject, descriptor, exponent_, sixteen(values_)], by(wallets.solver));
    await revertWithCustomError(claim(values.with(0, values[0]! + 1n)), game, "PartialsMismatch");
    const doubled = values.map((value) => 2n * value);
    await revertWithCustomErrorWithArgs(claim(doubled, BigInt(exponent) - 1n), game, "PartialsExponent", [
      BigInt(exponent) - 1n,
    ]);
    await dispute.defend(walk);
    // Seven positions make seven parts of one.
    await revertWithCustomErrorWithArgs(choose(dispute.partialChoice(0)), game, "PartialsRange", [0n, 14n, 15n]);
    await revertWithCustomErrorWithArgs(choose(dispute.partialChoice(7)), game, "PartialsRange", [7n, 21n, 21n]);
  });

  it("of another exponent are convicted even where the value is 0", async () => {
    const arena = await networkHelpers.loadFixture(deployArena);
    // All samples are zero: every partial sum is 0 and only the exponent can be wrong.
    const job = { ...wide.job, samples: new Uint32Array(wide.job.samples.length) };
    const { dispute, disputeId, subject, defendant } = await disputeSolver({ arena, job, initial: wide.initial });
    const operator = operatorNamed("weight.gradient");
    await walkTo(dispute, disputeId, subject, arena, 0, operator, 0);
    const { walk } = await dispute.state();
    const element = { ...walk, element: 0 };
    await arena.game.write.demandPartials(
      [disputeId, 0, dispute.tileOf(defendant, walk), subject, dispute.descriptorOf(operator, false)],
      by(wallets.challenger),
    );
    const { exponent } = dispute.partialOf(defendant, element, 0, 100);
    const none = new Array<bigint>(16).fill(0n);
    const descriptor = dispute.descriptorOf(operator, false);
    await arena.game.write.claimPartials(
      [disputeId, subject, descriptor, BigInt(exponent) + 1n, sixteen(none)],
      by(wallets.solver),
    );
    const choice = { part: 0, value: 0n, siblings: [zeroHash(0), zeroHash(1), zeroHash(2), zeroHash(3)] as const };
    const witness = dispute.witnessOf(walk, 0, 0, 7);
    await arena.game.write.adjudicatePartial(
      [disputeId, choice, subject, descriptor, dispute.stepProof(0), witness],
      by(wallets.challenger),
    );
    assert.deepEqual(await dispute.outcome(), { defendantConvicted: true, reason: Reason.partial });
  });

  it("by signature bind the dispute, the range and the claim that they refine", async () => {
    const { arena, dispute, disputeId, subject } = await dotDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.partials, 0));
    const { walk, node } = await dispute.state();
    const { values, exponent } = dispute.claimOf(walk);
    const message = {
      disputeId,
      lo: 0,
      hi: 100,
      claim: node,
      exponent: BigInt(exponent),
      valuesRoot: partialsTree(values).root,
    };
    const descriptor = dispute.descriptorOf(walk.tensor, false);
    const relay = (signature: Hash) =>
      game.write.claimPartialsFor(
        [disputeId, subject, descriptor, BigInt(exponent), sixteen(values), signature],
        by(wallets.stranger),
      );
    const wrong = [
      await signPartials(wallets.stranger, domainOf(game), message),
      await signPartials(wallets.solver, domainOf(game), { ...message, disputeId: ZERO_BYTES32 }),
      await signPartials(wallets.solver, domainOf(game), { ...message, hi: 99 }),
      await signPartials(wallets.solver, domainOf(game), { ...message, claim: ZERO_BYTES32 }),
      await signPartials(wallets.solver, domainOf(game), { ...message, exponent: 0n }),
    ];
    for (const signature of wrong) await revertWithCustomError(relay(signature), game, "DisputeSignature");
    await relay(await signPartials(wallets.solver, domainOf(game), message));
    assert.equal((await dispute.state()).clock.turn, 1);
  });
});

/** Challenger and defendant go to a tile together, whatever the claims say. */
async function walkTo(
  dispute: Dispute,
  disputeId: Hash,
  subject: Awaited<ReturnType<typeof mapDispute>>["subject"],
  { game }: Arena,
  step: number,
  operator: number,
  tile: number,
): Promise<void> {
  const options = by(wallets.challenger);
  for (;;) {
    const { walk, clock } = await dispute.state();
    if (walk.level === Level.tile && clock.turn === 1) return;
    if (clock.turn === 0) {
      await dispute.defend(walk);
      continue;
    }
    const goal = { [Level.segment]: 2 * step, [Level.trace]: operator, [Level.tensor]: tile }[walk.level]!;
    const span = openingHeight(walk.height);
    const below = walk.height - span;
    const choice = dispute.choiceOf(walk, Math.floor(goal / 2 ** below) % 2 ** span);
    if (below > 0 || walk.level === Level.tensor) await game.write.choose([disputeId, choice], options);
    else if (walk.level === Level.segment) await game.write.enterStep([disputeId, choice, subject], options);
    else await game.write.enterTensor([disputeId, choice, subject, dispute.descriptorOf(operator, false)], options);
  }
}

describe("several moves in one transaction", () => {
  it("keep their sender, and are made all or none", async () => {
    const { arena, dispute } = await mapDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.trace, 0));
    const { walk } = await dispute.state();
    const encode = ([functionName, args]: ReturnType<Dispute["defence"]>) =>
      encodeFunctionData({ abi: game.abi as Abi, functionName, args });
    const moves = [encode(dispute.defence(walk)), encode(dispute.accusation(walk))];
    await revertWithCustomError(game.write.multicall([moves], by(wallets.stranger)), game, "DisputeSender");
    assert.equal((await dispute.state()).clock.turn, 0);
    await game.write.multicall([moves], by(wallets.challenger));
    const { walk: after } = await dispute.state();
    assert.deepEqual([after.level, after.tensor], [Level.tensor, operatorNamed("square")]);
  });
});

describe("a digest", () => {
  it("is compared with the tile at the place that the beacon names", async () => {
    const { arena, dispute, disputeId, subject } = await digestDispute();
    const { game } = arena;
    await dispute.play(reaches(Level.fork, 1));
    const enter = (wallet: typeof wallets.challenger) => game.write.enterTree([disputeId, subject, true], by(wallet));
    await revertWithCustomError(enter(wallets.stranger), game, "DisputeSender");
    await dispute.play(reaches(Level.digest, 1));
    const { walk } = await dispute.state();
    const choice = dispute.choiceOf(walk, 2);
    const { descriptor, tileHash, siblings } = dispute.digestEvidence(2);
    const adjudicate = (changed: Partial<{ tileHash: Hash; siblings: Hash[]; child: number }>) =>
      game.write.adjudicateDigest(
        [
          disputeId,
          changed.child === undefined ? choice : dispute.choiceOf(walk, changed.child),
          subject,
          descriptor,
          changed.tileHash ?? tileHash,
          changed.siblings ?? siblings,
        ],
        by(wallets.challenger),
      );
    await revertWithCustomErrorWithArgs(
      game.write.choose([disputeId, choice], by(wallets.challenger)),
      game,
      "ChoiceReachesLeaf",
      [Level.digest],
    );
    await revertWithCustomErrorWithArgs(adjudicate({ child: 3 }), game, "ChoiceInPadding", [3, 3]);
    await revertWithCustomError(adjudicate({ tileHash: choice.hash }), game, "TreeProofMismatch");
    await revertWithCustomError(adjudicate({ siblings: siblings.slice(1) }), game, "TreeProofLength");
    const other = dispute.digestEvidence(1);
    await revertWithCustomError(adjudicate(other), game, "TreeProofMismatch");
    await adjudicate({});
    assert.deepEqual(await dispute.outcome(), { defendantConvicted: true, reason: Reason.digest });
  });
});

describe("moves at other levels", () => {
  it("are refused", async () => {
    const arena = await networkHelpers.loadFixture(deployArena);
    const { game } = arena;
    const { dispute, disputeId, subject } = await disputeSolver({
      arena,
      ...small,
      ...lieAbout(small.job, new Random(3), 1, 5, 1),
    });
    const words: Hash = `0x${"00".repeat(256)}`;
    const descriptor = dispute.descriptorOf(0, false);
    const none = sixteen(new Array<bigint>(16).fill(0n));
    const proof = { traceRoot: ZERO_BYTES32, traceSiblings: [], stateRoot: ZERO_BYTES32, stateSiblings: [] };
    const choice = { child: 0, hash: ZERO_BYTES32, siblings: [] };
    const zeros = [ZERO_BYTES32, ZERO_BYTES32, ZERO_BYTES32, ZERO_BYTES32] as const;
    const partial = { part: 0, value: 0n, siblings: zeros };
    const solver = by(wallets.solver);
    const challenger = by(wallets.challenger);
    const defends = {
      answer: () => game.write.answer([disputeId, subject, ZERO_BYTES32, []], solver),
      adopt: () => game.write.adopt([disputeId, subject], solver),
      open: () => game.write.open([disputeId, []], solver),
      openTile: () => game.write.openTile([disputeId, words], solver),
      claimPartials: () => game.write.claimPartials([disputeId, subject, descriptor, 0n, none], solver),
    };
    const attacks = {
      enterTree: () => game.write.enterTree([disputeId, subject, true], challenger),
      choose: () => game.write.choose([disputeId, choice], challenger),
      enterStep: () => game.write.enterStep([disputeId, choice, subject], challenger),
      enterTensor: () => game.write.enterTensor([disputeId, choice, subject, descriptor], challenger),
      adjudicate: () => game.write.adjudicate([disputeId, 0, words, subject, descriptor, proof, []], challenger),
      demandPartials: () => game.write.demandPartials([disputeId, 0, words, subject, descriptor], challenger),
      choosePartial: () => game.write.choosePartial([disputeId, partial], challenger),
      adjudicatePartial: () =>
        game.write.adjudicatePartial([disputeId, partial, subject, descriptor, proof, []], challenger),
      adjudicateDigest: () =>
        game.write.adjudicateDigest([disputeId, choice, subject, descriptor, ZERO_BYTES32, []], challenger),
    };
    const legal: Record<number, [defends: string[], attacks: string[]]> = {
      [Level.answer]: [["answer", "adopt"], []],
      [Level.segment]: [["open"], ["choose", "enterStep"]],
      [Level.trace]: [["open"], ["choose", "enterTensor"]],
      [Level.tile]: [["openTile"], ["adjudicate", "demandPartials"]],
    };
    const seen = new Set<string>();
    for (;;) {
      const { walk, clock } = await dispute.state();
      if (walk.level === Level.none) break;
      const [moves, other] = clock.turn === 0 ? [defends, attacks] : [attacks, defends];
      for (const move of Object.values(other)) {
        await revertWithCustomErrorWithArgs(move(), game, "DisputeTurn", [clock.turn]);
      }
      for (const [name, move] of Object.entries(moves)) {
        if (legal[walk.level]![clock.turn]!.includes(name)) continue;
        await revertWithCustomErrorWithArgs(move(), game, "DisputeLevel", [walk.level]);
      }
      seen.add(`${walk.level}/${clock.turn}`);
      await (clock.turn === 0 ? dispute.defend(walk) : dispute.attack(walk));
    }
    assert.equal(seen.size, 7);
    for (const move of [...Object.values(defends), ...Object.values(attacks)]) {
      await revertWithCustomError(move(), game, "DisputeUnknown");
    }
  });
});
