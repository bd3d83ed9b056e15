import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "onnxruntime-web";
import type { StepResult } from "../../shared/engine/engine.ts";
import { type Form, HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { FLOAT32_ONLY, FLOAT64 } from "../../shared/engine/realise/arithmetic.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { webHost } from "../../shared/engine/web.ts";
import { stepInputs } from "../../shared/job/job.ts";
import { validate } from "../../shared/job/validate.ts";
import { GUARD_LIMIT } from "../../shared/numerics/guard.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { floats } from "../helpers/operators.ts";
import { exampleJob, exampleState, randomProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import { assertSameTensors, openLocal } from "./compare.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const PROGRAMS = DEEP ? 2000 : 100;
/** Seeds that no other test uses. */
const FIRST_SEED = 70_000;

const INT8: Form = { dot: "int8", sum: "float64", root: "float64" };

/** Everything that must give the same bits: threads, kernels, runtimes, realisations. */
const ENGINES: readonly ((program: Program) => Promise<HostedEngine>)[] = [
  (program) => openLocal(program, 1, "kernels"),
  (program) => openLocal(program, 4, "kernels"),
  (program) => openLocal(program, 2, FLOAT64),
  (program) => openLocal(program, 1, FLOAT32_ONLY),
  (program) => openLocal(program, 2, INT8),
  (program) => HostedEngine.open(webHost({ library }), program, "kernels"),
  (program) => HostedEngine.open(webHost({ library }), program, FLOAT32_ONLY),
];

/** Where arithmetic is awkward: the ends of what a state may hold, its grid, ties, neighbours of powers of two. */
const HAZARDS = [
  ...[0, 2 ** -104, 3 * 2 ** -104, 2 ** -80, 1.5 * 2 ** -80, 2 ** -41, 2 ** -40, 2 ** -40 + 2 ** -63],
  ...[
    1 - 2 ** -24,
    1 + 2 ** -23,
    2 ** -20,
    2 ** -21,
    1.5 * 2 ** -21,
    3 * 2 ** -22,
    0.5 + 2 ** -21,
    8,
    2 ** 10,
    2 ** 19,
    2 ** 20,
  ],
];

function hazardous(state: readonly Tensor[], random: Random): Tensor[] {
  return state.map(({ dtype, shape, words }) => {
    if (dtype !== Dtype.float32) return { dtype, shape, words };
    const share = random.pick([0, 0.1, 0.5]);
    const most = random.pick([8, 8, 2 ** 20]);
    const hazards = HAZARDS.filter((value) => value <= most);
    const awkward = (): number => floats(random.pick(hazards) * random.pick([1, -1]))[0]!;
    const changed = words.map((word) => (random.chance(share) ? awkward() : word));
    return { dtype, shape, words: changed.map((word) => (word === 0x80000000 ? 0 : word)) };
  });
}

test("random valid programs have the same bits on every engine", async () => {
  const reached = { valid: 0, invalid: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
    const random = new Random(seed);
    const program = randomProgram(seed);
    if (seed % 10 === 0) assert.deepEqual(validate(program), []);
    const job = exampleJob(program, seed);
    const inputs = stepInputs(job, 0, hazardous(exampleState(program, seed), random));
    const expected = await new ReferenceEngine(program).trace(inputs);
    const isValid = expected.guard <= GUARD_LIMIT;
    reached[isValid ? "valid" : "invalid"]++;
    for (const [at, open] of ENGINES.entries()) {
      const engine = await open(program);
      const where = `program ${seed} on ${engine.name}`;
      const step = await engine.step(inputs);
      if (isValid) {
        const results: StepResult[] = [step];
        // The traced session shows what the plain one hides; a third of them in the default run.
        if (DEEP || (seed + at) % 3 === 0) {
          const trace = await engine.trace(inputs);
          assertSameTensors(trace.outputs, expected.outputs, (n) => `${where}: ${program.operators[n]!.name}`);
          results.push(trace);
        }
        for (const result of results) {
          assertSameTensors(result.state, expected.state, (p) => `${where}: state ${program.state[p]!.name}`);
          assert.deepEqual([result.loss, result.guard], [expected.loss, expected.guard], where);
        }
      } else assert.ok(!(step.guard <= GUARD_LIMIT), `${where} goes on with an invalid step`);
      await engine.close();
    }
  }
  assert.ok(reached.valid > 0.8 * PROGRAMS, `only ${reached.valid} of ${PROGRAMS} programs made a valid step`);
});
