/** Every cheat of the catalogue, in memory: it is convicted where it says that it put its fault. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatWord, tensorName } from "../../shared/dispute/located.ts";
import { Run } from "../../shared/dispute/run.ts";
import { segmentCount } from "../../shared/job/job.ts";
import { CHEATS, cheatByName, UnknownCheatError } from "../../solver/cheats/catalogue.ts";
import { CheatImpossibleError } from "../../solver/cheats/cheat.ts";
import { CheatingTracer } from "../../solver/cheats/cheatingTracer.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import { CheatRandom } from "../../solver/cheats/random.ts";
import { evidenceOf, honestTracer, play, subjectOf } from "../dispute/play.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";

const SEEDS = process.env.TOUCHSTONE_DEEP === "1" ? 100 : 4;
const job = smallJob({ steps: 7, interval: 4 });
const run = new Run(job);
const initialState = smallInitialState();
const honest = honestTracer(job);

function cheating(name: string, seed: bigint): CheatingTracer {
  const plan = cheatByName(name).plan({ job, initialState, random: new CheatRandom(seed) });
  return new CheatingTracer(job, honest, plan);
}

/** What a step of this job has no place for; test/examples plays these. */
const ELSEWHERE = ["wrong-gate", "stale-statistics", "stale-adapter", "wrong-output"];
const HERE = CHEATS.filter(({ name }) => !ELSEWHERE.includes(name));

for (const { name, silentAt } of HERE) {
  test(`${name} is located where it was injected`, async () => {
    const mine = await Promise.all(
      Array.from({ length: segmentCount(job) }, (_, segment) => evidenceOf(job, honest, initialState, segment)),
    );
    for (let seed = 0; seed < SEEDS; seed++) {
      const tracer = cheating(name, BigInt(seed));
      // The first segment whose end differs is the one that a verifier challenges.
      let segment = 0;
      let theirs = await evidenceOf(job, tracer, initialState, 0);
      while (theirs.endRoot === mine[segment]!.endRoot) {
        segment++;
        assert(segment < mine.length, `seed ${seed} changes no checkpoint`);
        theirs = await evidenceOf(job, tracer, initialState, segment);
      }
      const { injected } = tracer;
      assert(injected !== null);
      const claims = { claimPartials: lyingPartials };
      const game = await play(run, subjectOf(job, segment, theirs), theirs, mine[segment]!, claims);
      assert.equal(game.walk.outcome?.defendantConvicted, true, `seed ${seed}`);
      if (silentAt !== undefined) assert(game.moves.includes(silentAt), `seed ${seed} never comes to ${silentAt}`);
      const { step, tensor, ofState, index } = game.walk.position;
      assert.deepEqual(
        {
          segment,
          step: mine[segment]!.firstStep + step,
          operator: tensorName(job.program, tensor, ofState),
          tile: index,
        },
        { segment: injected.segment, step: injected.step, operator: injected.operator, tile: injected.tile },
        `seed ${seed}`,
      );
      assert.equal(injected.claimedBits, formatWord(game.walk.tile![injected.element]!), `seed ${seed}`);
      assert.notEqual(injected.claimedBits, injected.expectedBits);
    }
  });
}

test("a cheat is the same for the same seed and state", async () => {
  for (const { name } of HERE) {
    const [a, b] = [cheating(name, 5n), cheating(name, 5n)];
    for (const segment of [0, 1]) {
      const first = await evidenceOf(job, a, initialState, segment);
      const second = await evidenceOf(job, b, initialState, segment);
      assert.equal(first.segmentRoot, second.segmentRoot, name);
    }
    assert.deepEqual(a.injected, b.injected, name);
  }
});

test("a cheat says what it needs where a step has no place for it", () => {
  for (const name of ELSEWHERE) {
    assert.throws(() => cheating(name, 1n), CheatImpossibleError, name);
    assert.notEqual(cheatByName(name).needs, undefined);
  }
});

test("an unknown cheat and one without a place are refused", () => {
  assert.throws(() => cheatByName("nonsense"), UnknownCheatError);
  const program = {
    ...job.program,
    state: job.program.state.filter(({ shape }) => shape[0] !== 3 && shape[0] !== 150),
  };
  const filled = { ...program, state: program.state.map((tensor) => ({ ...tensor, shape: [64, 1] })) };
  const context = { job: { ...job, program: filled }, initialState, random: new CheatRandom(1n) };
  assert.throws(() => cheatByName("padding").plan(context), CheatImpossibleError);
});
