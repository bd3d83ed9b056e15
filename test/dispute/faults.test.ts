/** A defendant with a fault anywhere in its segment is convicted, at the fault, by an honest challenger. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Level } from "../../shared/dispute/position.ts";
import { Run } from "../../shared/dispute/run.ts";
import type { TracedStep, Tracer } from "../../shared/dispute/segmentEvidence.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import { rerunWithOutput } from "../../solver/cheats/rerun.ts";
import { Random } from "../helpers/random.ts";
import { evidenceOf, honestTracer, play, subjectOf } from "./play.ts";
import { smallInitialState, smallJob } from "./smallJob.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const job = smallJob({ steps: 7, interval: 4 });
const run = new Run(job);
const initial = smallInitialState();
const honest = honestTracer(job);

/** Lies about one step. */
function lying(at: number, lie: (before: readonly Tensor[], step: TracedStep) => Promise<TracedStep>): Tracer {
  return {
    async trace(step, state) {
      const traced = await honest.trace(step, state);
      return step === at ? lie(state, traced) : traced;
    },
  };
}

function withWord(tensor: Tensor, at: number, change: (word: number) => number): Tensor {
  const words = tensor.words.slice();
  words[at] = change(words[at]!);
  return { ...tensor, words };
}

test("a wrong element of any operator convicts the defendant at that element", async (t) => {
  const random = new Random(11);
  const convictedBy = new Map<string, number>();
  const perOperator = DEEP ? 20 : 2;
  for (const [operator, { name, operator: descriptor }] of job.program.operators.entries()) {
    for (let round = 0; round < perOperator; round++) {
      const segment = random.below(2);
      const step = segment * 4 + random.below(segment === 0 ? 4 : 3);
      let at = -1;
      const tracer = lying(step, async (before, traced) => {
        const output = traced.outputs[operator]!;
        at = at < 0 ? random.below(output.words.length) : at;
        const isPeak = descriptor.family === "peak";
        const wrong = withWord(output, at, (word) => (isPeak ? word + 0x800000 : word ^ (1 << (round % 20))) >>> 0);
        return rerunWithOutput(job, step, before, operator, wrong.words);
      });
      const mine = await evidenceOf(job, honest, initial, segment);
      const theirs = await evidenceOf(job, tracer, initial, segment);
      if (mine.segmentRoot === theirs.segmentRoot) assert.fail(`the lie about ${name} changed nothing`);
      const game = await play(run, subjectOf(job, segment, theirs), theirs, mine, { claimPartials: lyingPartials });
      const where = `${name}[${at}] of step ${step}`;
      assert.equal(game.walk.outcome?.defendantConvicted, true, where);
      assert(["element", "partial"].includes(game.walk.outcome.reason), where);
      const { position } = game.walk;
      assert.equal(position.step + segment * 4, step, where);
      assert.equal(position.tensor, operator, where);
      assert.equal(position.ofState, false, where);
      assert.equal(position.index, Math.floor(at / 64), where);
      const last = game.moves.at(-1)!;
      convictedBy.set(last, (convictedBy.get(last) ?? 0) + 1);
    }
  }
  t.diagnostic(`decided by ${JSON.stringify(Object.fromEntries(convictedBy))}`);
  assert(convictedBy.get("adjudicate")! > 0);
  assert(convictedBy.get("adjudicatePartial")! > 0);
});

test("a state that is not what the trace says convicts the defendant", async () => {
  const random = new Random(12);
  for (const [tensor, { name }] of job.program.state.entries()) {
    const step = 1 + random.below(2);
    let at = -1;
    const tracer = lying(step, async (_, traced) => {
      at = at < 0 ? random.below(traced.state[tensor]!.words.length) : at;
      const wrong = withWord(traced.state[tensor]!, at, (word) => word ^ 1);
      return { outputs: traced.outputs, state: traced.state.with(tensor, wrong) };
    });
    const theirs = await evidenceOf(job, tracer, initial, 0);
    const mine = await evidenceOf(job, honest, initial, 0);
    const game = await play(run, subjectOf(job, 0, theirs), theirs, mine);
    assert.deepEqual(game.walk.outcome, { defendantConvicted: true, reason: "store" }, name);
    assert.equal(game.walk.position.level, Level.tile);
    assert.equal(game.walk.position.tensor, tensor);
    assert.equal(game.walk.position.step, step);
  }
});

test("a word in the padding of a tensor convicts the defendant", async () => {
  for (const tensor of [0, 4]) {
    const tracer = lying(3, async (_, traced) => {
      const { words } = traced.state[tensor]!;
      const padded = new Uint32Array(words.length + 2);
      padded.set(words);
      padded[words.length + 1] = 5;
      return { ...traced, state: traced.state.with(tensor, { ...traced.state[tensor]!, words: padded }) };
    });
    const theirs = await evidenceOf(job, tracer, initial, 0);
    const mine = await evidenceOf(job, honest, initial, 0);
    const game = await play(run, subjectOf(job, 0, theirs), theirs, mine);
    assert.deepEqual(game.walk.outcome, { defendantConvicted: true, reason: "opening" });
  }
});

test("two faults: the first one convicts", async () => {
  const [hidden, later] = ["hidden", "hidden.gradient"].map((name) =>
    job.program.operators.findIndex((operator) => operator.name === name),
  ) as [number, number];
  const tracer = lying(2, async (before, traced) => {
    const wrong = withWord(traced.outputs[hidden]!, 700, (w) => w ^ 4);
    const first = await rerunWithOutput(job, 2, before, hidden, wrong.words);
    const second = withWord(first.outputs[later]!, 3, (w) => w ^ 4);
    return { outputs: first.outputs.with(later, second), state: first.state };
  });
  const theirs = await evidenceOf(job, tracer, initial, 0);
  const mine = await evidenceOf(job, honest, initial, 0);
  const game = await play(run, subjectOf(job, 0, theirs), theirs, mine);
  assert.equal(game.walk.outcome?.defendantConvicted, true);
  assert.equal(game.walk.position.tensor, hidden);
});
