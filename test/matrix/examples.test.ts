/**
 * The rules against the engine that people train with: elements of real traces of the examples, decided by the real Referee, and whole
 * disputes about some of them, whose last move shows what an adjudication costs.
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { defend } from "../../shared/dispute/defendant.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { type Arena, deployArena, networkHelpers, viem, wallets } from "../contracts/support/arena.ts";
import { append, specOf, startTask } from "../contracts/support/task.ts";
import { playGame } from "../endToEnd/gameOnChain.ts";
import { EXAMPLES } from "../examples/examples.ts";
import { type CallBatch, deployCallBatch } from "../rules/callBatch.ts";
import { steer } from "./accusers.ts";
import { callsOf, type Expected, elementsOf, type Replayed, replayExample, spread, traceRootBy } from "./replayed.ts";
import { FAMILIES } from "./words.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
/** Small ones that have every family between them. */
const QUICK = ["gan", "gru", "lora", "solidity-mlp"];
/** Operators of each family and elements of each, asked of the Referee directly; operators that are walked to. */
const LIMITS = DEEP
  ? { operators: Number.POSITIVE_INFINITY, elements: 8, parts: 512, walked: 8 }
  : { operators: 4, elements: 4, parts: 32, walked: 1 };
const MEDIAN_GAS = 300_000;
const WORST_GAS = 500_000;

let arena: Arena;
let batch: CallBatch;
const gas = new Map<string, number[]>();
let asked = 0;

before(async () => {
  arena = await deployArena();
  batch = await deployCallBatch(viem);
});

for (const name of EXAMPLES) {
  if (!DEEP && !QUICK.includes(name)) continue;
  test(`the Referee decides elements of a step of ${name} as the engine did`, async (t) => {
    const replayed = await replayExample(name);
    asked += await askAll(replayed);
    const games = await walkAll(replayed);
    t.diagnostic(`${asked} questions so far, ${games} disputes about ${name}`);
    if (!DEEP) return;
    const wasm = await startOnnxRuntime(replayed.job.program, { provider: "wasm" });
    assert.equal(await traceRootBy(wasm, replayed).finally(() => wasm.close()), replayed.trees.trace.root);
  });
}

test("every family was met, and an adjudication costs what it may", (t) => {
  for (const family of FAMILIES) {
    const own = [...(gas.get(family) ?? [])].sort((a, b) => a - b);
    assert(own.length > 0, `no ${family} was adjudicated`);
    t.diagnostic(`${family}: ${own.length} adjudications, ${median(own)} gas in the median, ${own.at(-1)} at most`);
  }
  const all = [...gas.values()].flat().sort((a, b) => a - b);
  t.diagnostic(
    `${asked} questions; ${all.length} adjudications, ${median(all)} gas in the median, ${all.at(-1)} at most`,
  );
  assert(median(all) <= MEDIAN_GAS);
  assert(all.at(-1)! <= WORST_GAS);
});

function median(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1]!;
}

/** Has the Referee decide elements of all operators. @returns how many questions it answered. */
async function askAll(replayed: Replayed): Promise<number> {
  const target = { address: arena.referee.address, abi: arena.referee.abi };
  let questions = 0;
  for (const operators of spread(replayed, LIMITS.operators).values()) {
    const expected: Expected[] = [];
    for (const [o, tensor] of operators.entries()) {
      const elements = elementsOf(replayed.trees.outputs[tensor]!.words, LIMITS.elements);
      // Some long reductions are recomputed in all of their parts.
      for (const [e, element] of elements.entries())
        expected.push(...(await callsOf(replayed, tensor, element, o < 3 && e === 0 ? LIMITS.parts : 0)));
    }
    const outcomes = await batch(
      target,
      expected.map(({ call }) => call),
    );
    for (const [at, { what, result }] of expected.entries()) assert.deepEqual(outcomes[at], { result }, what);
    questions += expected.length;
  }
  return questions;
}

/** Walks to an element of operators of each family, against an honest solver of the two steps. @returns how many disputes that were. */
async function walkAll(replayed: Replayed): Promise<number> {
  const { run, evidence, training, step, trees } = replayed;
  const taskId = await startTask(arena, specOf(training));
  await append(arena, taskId, 0, evidence.endRoot);
  const committed = await networkHelpers.takeSnapshot();
  let games = 0;
  for (const [family, operators] of spread(replayed, LIMITS.walked)) {
    for (const tensor of operators) {
      await committed.restore();
      const { words } = trees.outputs[tensor]!;
      const element = elementsOf(words, 3).at(-1)!;
      const target = { leaf: 2 * step, tensor, tile: Math.floor(element / 64), word: element % 64, parts: [0, 0] };
      const game = await playGame(
        arena,
        {
          defendant: { wallet: wallets.solver, move: (walk) => defend(run, evidence, walk) },
          challenger: { wallet: wallets.challenger, move: (walk) => steer(run, evidence, walk, target) },
        },
        taskId,
        0,
        training,
      );
      const where = `${replayed.name}: ${run.program.operators[tensor]!.name}[${element}]`;
      assert.deepEqual(game.refused, [], where);
      assert.equal(game.walk.outcome?.defendantConvicted, false, where);
      assert.match(game.moves.at(-1)!, /^adjudicate/, where);
      gas.set(family, [...(gas.get(family) ?? []), game.gasOf.at(-1)!]);
      games++;
    }
  }
  return games;
}
