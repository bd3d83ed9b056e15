/** Challengers that move in the defendant's turns: in its name, against its clock, or out of turn. */
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import { Level } from "../../shared/dispute/position.ts";
import { by, type Wallet, wallets } from "../contracts/support/arena.ts";
import type { Accuser, Meddle } from "./accusers.ts";
import type { Stage } from "./stage.ts";
import { operatorOf } from "./words.ts";

const JUNK: Bytes32 = `0x${"ab".repeat(32)}`;

function sign(
  stage: Stage,
  wallet: Wallet,
  subjectHash: Bytes32,
  segmentRoot: Bytes32,
  version = "1",
): Promise<`0x${string}`> {
  const { game, market } = stage.arena;
  return wallet.signTypedData({
    domain: { name: "Touchstone DisputeGame", version, chainId: 31337, verifyingContract: game.address },
    types: {
      Answer: [
        { name: "market", type: "address" },
        { name: "subjectHash", type: "bytes32" },
        { name: "segmentRoot", type: "bytes32" },
      ],
    },
    primaryType: "Answer",
    message: { market: market.address, subjectHash, segmentRoot },
  });
}

const MEDDLING: Readonly<Record<string, readonly [lie: string, about: string, meddle: Meddle]>> = {
  "an answer of its own": [
    "in the defendant's name",
    "answer",
    answering(async (stage, { disputeId, subject }, root, siblings) => {
      await stage.arena.game.write.answer([disputeId, subject, root, siblings], by(wallets.challenger));
    }),
  ],
  "an answer with its own signature": [
    "in the defendant's name",
    "answer",
    answering(async (stage, { disputeId, subject }, root, siblings) => {
      const hash = await stage.arena.game.read.hashSubject([subject]);
      const signature = await sign(stage, wallets.challenger, hash, root);
      await stage.arena.game.write.answerFor([disputeId, subject, root, siblings, signature], by(wallets.challenger));
    }),
  ],
  "an answer that the defendant signed about another segment": [
    "in the defendant's name",
    "answer",
    answering(async (stage, { disputeId, subject }, root, siblings) => {
      const other = await stage.arena.market.read.subjectOf([
        stage.taskId,
        1,
        wallets.solver.account.address,
        stage.training,
      ]);
      const signature = await sign(stage, wallets.solver, await stage.arena.game.read.hashSubject([other]), root);
      await stage.arena.game.write.answerFor([disputeId, subject, root, siblings, signature], by(wallets.challenger));
    }),
  ],
  "an answer that the defendant signed for another version": [
    "in the defendant's name",
    "answer",
    answering(async (stage, { disputeId, subject }, root, siblings) => {
      const signature = await sign(
        stage,
        wallets.solver,
        await stage.arena.game.read.hashSubject([subject]),
        root,
        "2",
      );
      await stage.arena.game.write.answerFor([disputeId, subject, root, siblings, signature], by(wallets.challenger));
    }),
  ],
  "an answer that the defendant signed for another root": [
    "in the defendant's name",
    "answer",
    answering(async (stage, { disputeId, subject }, root, siblings) => {
      const signature = await sign(stage, wallets.solver, await stage.arena.game.read.hashSubject([subject]), JUNK);
      await stage.arena.game.write.answerFor([disputeId, subject, root, siblings, signature], by(wallets.challenger));
    }),
  ],
  "about another subject": [
    "in the defendant's name",
    "answer",
    answering(async (stage, { disputeId }, root, siblings) => {
      const other = await stage.arena.market.read.subjectOf([
        stage.taskId,
        1,
        wallets.solver.account.address,
        stage.training,
      ]);
      await stage.arena.game.write.answer([disputeId, other, root, siblings], by(wallets.solver));
    }),
  ],
  "adopting an answer that nobody gave": [
    "in the defendant's name",
    "answer",
    answering(async (stage, { disputeId, subject }) => {
      await stage.arena.game.write.adopt([disputeId, subject], by(wallets.challenger));
    }),
  ],
  "partial results of its own": [
    "in the defendant's name",
    "partials",
    claiming(async (stage, { disputeId, subject }, values) => {
      const descriptor = descriptorOf(stage, "y.peakA");
      await stage.arena.game.write.claimPartials([disputeId, subject, descriptor, 0n, values], by(wallets.challenger));
    }),
  ],
  "partial results with its own signature": [
    "in the defendant's name",
    "partials",
    claiming(async (stage, { disputeId, subject }, values) => {
      const signature = await sign(stage, wallets.challenger, JUNK, JUNK);
      await stage.arena.game.write.claimPartialsFor(
        [disputeId, subject, descriptorOf(stage, "y.peakA"), 0n, values, signature],
        by(wallets.challenger),
      );
    }),
  ],
  "partial results under the defendant's answer": [
    "in the defendant's name",
    "partials",
    claiming(async (stage, { disputeId, subject }, values) => {
      const hash = await stage.arena.game.read.hashSubject([subject]);
      const signature = await sign(stage, wallets.solver, hash, stage.honest[0]!.segmentRoot);
      await stage.arena.game.write.claimPartialsFor(
        [disputeId, subject, descriptorOf(stage, "y.peakA"), 0n, values, signature],
        by(wallets.challenger),
      );
    }),
  ],
  "false children": [
    "in the defendant's name",
    "opening",
    (stage, { disputeId, walk }) =>
      walk.position.height > 0
        ? [
            () =>
              stage.arena.game.write.open(
                [disputeId, new Array<Bytes32>(2 ** Math.min(5, walk.position.height)).fill(JUNK)],
                by(wallets.challenger),
              ),
          ]
        : [],
  ],
  "no children": [
    "in the defendant's name",
    "opening",
    (stage, { disputeId }) => [() => stage.arena.game.write.open([disputeId, []], by(wallets.challenger))],
  ],
  "a false tile": [
    "in the defendant's name",
    "tile",
    (stage, { disputeId, walk }) =>
      walk.position.level === Level.tile
        ? [() => stage.arena.game.write.openTile([disputeId, `0x${"00".repeat(256)}`], by(wallets.challenger))]
        : [],
  ],
  "a claim of the time": [
    "before its time",
    "clock",
    (stage, { disputeId }) => [
      () => stage.arena.game.write.claimTimeout([disputeId], by(wallets.challenger)),
      () => stage.arena.game.write.claimTimeout([disputeId], by(wallets.stranger)),
    ],
  ],
  "a choice": [
    "out of turn",
    "opening",
    (stage, { disputeId }) => [
      () => stage.arena.game.write.choose([disputeId, { child: 0, hash: JUNK, siblings: [] }], by(wallets.challenger)),
    ],
  ],
  "a step": [
    "out of turn",
    "opening",
    (stage, { disputeId, subject }) => [
      () =>
        stage.arena.game.write.enterStep(
          [disputeId, { child: 0, hash: JUNK, siblings: [] }, subject],
          by(wallets.challenger),
        ),
    ],
  ],
  "a tree": [
    "out of turn",
    "opening",
    (stage, { disputeId, subject }) => [
      () => stage.arena.game.write.enterTree([disputeId, subject, true], by(wallets.challenger)),
    ],
  ],
  "a verdict of its own": [
    "forged verdict",
    "market",
    (stage, { disputeId }) => [
      () =>
        stage.arena.market.write.onDisputeResolved(
          [disputeId, wallets.challenger.account.address, true, 2],
          by(wallets.challenger),
        ),
    ],
  ],
  "a mootness of its own": [
    "forged verdict",
    "market",
    (stage, { disputeId }) => [() => stage.arena.market.write.closeMoot([disputeId], by(wallets.challenger))],
  ],
  "the failure of the task": [
    "forged verdict",
    "market",
    (stage) => [
      () => stage.arena.market.write.expire([stage.taskId], by(wallets.challenger)),
      () => stage.arena.market.write.settle([stage.taskId], by(wallets.challenger)),
    ],
  ],
};

export function meddlers(
  stage: Stage,
): (readonly [lie: string, about: string, place: string, accuser: Accuser, isQuick: boolean])[] {
  const target = { leaf: 2, tensor: operatorOf(stage, "y.peakA"), tile: 0, word: 0 };
  return Object.entries(MEDDLING).map(
    ([place, [lie, about, meddle]]) => [lie, about, place, { segment: 0, target, meddle }, true] as const,
  );
}

function answering(
  attempt: (stage: Stage, context: Parameters<Meddle>[1], root: Bytes32, siblings: Bytes32[]) => Promise<void>,
): Meddle {
  return (stage, context) => {
    if (context.walk.position.level !== Level.answer) return [];
    const { tree } = stage.honest[0]!;
    return [() => attempt(stage, context, tree.root, tree.proof(7))];
  };
}

type Values = Parameters<Stage["arena"]["game"]["write"]["claimPartials"]>[0][4];

function claiming(attempt: (stage: Stage, context: Parameters<Meddle>[1], values: Values) => Promise<void>): Meddle {
  return (stage, context) =>
    context.walk.position.level === Level.partials
      ? [() => attempt(stage, context, new Array<bigint>(16).fill(0n) as unknown as Values)]
      : [];
}

function descriptorOf(stage: Stage, name: string) {
  const { descriptor, siblings } = stage.run.operator(operatorOf(stage, name));
  return { descriptor: `0x${Buffer.from(descriptor).toString("hex")}` as const, siblings };
}
