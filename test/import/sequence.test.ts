/**
 * Sequence models that PyTorch exported, trained beside PyTorch: a GPT-2, a Llama (RMS norm, rotary positions, grouped queries, SwiGLU, a
 * tied head), a stacked LSTM and a bidirectional GRU, each with a target for every position. Losses and parameters agree within what
 * float32 training differs by from one machine to another.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { compileTraining } from "../../shared/compile/compile.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, stepInputs } from "../../shared/job/job.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { numbers } from "../helpers/compile.ts";

interface Run {
  readonly tokens: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
  readonly losses: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly parameters: Readonly<Record<string, readonly number[]>>;
}

interface Vectors {
  readonly vocabulary: number;
  readonly context: number;
  readonly batch: number;
  readonly steps: number;
  readonly optimizer: {
    readonly rate: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly weightDecay: number;
  };
  readonly models: Readonly<Record<string, Run>>;
}

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/pytorch");
const VECTORS: Vectors = JSON.parse(readFileSync(path.join(FOLDER, "sequence.json"), "utf8"));
/** Operators of a step that would say that something has stopped being fused. */
const MOST_OPERATORS = { gpt: 310, llama: 322, lstm: 228, gru: 241 } as const;

function compiled(name: string) {
  const { vocabulary, context, batch, steps, optimizer } = VECTORS;
  const { rate, ...rest } = optimizer;
  const tokens = { dtype: Dtype.int32, minimum: 0, maximum: vocabulary - 1, width: context };
  return compileTraining({
    model: readFileSync(path.join(FOLDER, `${name}.onnx`)),
    batch,
    fields: [
      { name: "tokens", offset: 0, ...tokens },
      { name: "target", offset: context, ...tokens },
    ],
    order: "sequential",
    loss: { kind: "softmaxCrossEntropy" },
    optimizer: { kind: "adamw", ...rest },
    rate: { kind: "constant", peak: rate, warmup: 0 },
    steps,
  });
}

/** Rows of tokens and targets, step by step. */
function samplesOf({ tokens, targets }: Run): Uint32Array {
  const { context, batch, steps } = VECTORS;
  const rows = Array.from({ length: steps * batch }, (_, row) => {
    const [step, first] = [Math.floor(row / batch), (row % batch) * context];
    return [tokens, targets].flatMap((values) => values[step]!.slice(first, first + context));
  });
  return Uint32Array.from(rows.flat());
}

/** Greatest difference, relative where numbers are above 1. */
function furthest(actual: ArrayLike<number>, expected: readonly number[]): number {
  assert.equal(actual.length, expected.length);
  return expected.reduce(
    (most, value, i) => Math.max(most, Math.abs(actual[i]! - value) / Math.max(1, Math.abs(value))),
    0,
  );
}

for (const [name, most] of Object.entries(MOST_OPERATORS)) {
  describe(name, () => {
    const run = VECTORS.models[name]!;
    const { program, initialState, schedule } = compiled(name);
    const { steps } = VECTORS;
    const job: Job = { program, samples: samplesOf(run), schedule: schedule.words, seed: 1n, steps, interval: steps };
    const parameters = program.state.flatMap(({ name: tensor }, index) =>
      tensor in run.parameters ? [{ tensor, index }] : [],
    );

    test("becomes a well-formed job of few operators, with all its parameters", () => {
      requireWellFormedJob(job, initialState);
      assert.deepEqual(parameters.map(({ tensor }) => tensor).sort(), Object.keys(run.parameters).sort());
      assert.ok(program.operators.length <= most, `${program.operators.length} operators`);
    });

    test("has PyTorch's losses, and PyTorch's parameters after the last step", async (t) => {
      const engine = new ReferenceEngine(program);
      let state = initialState;
      for (let step = 0; step < steps; step++) {
        const result = await engine.step(stepInputs(job, step, state));
        state = result.state;
        const difference = Math.abs(result.loss - run.losses[step]!);
        assert.ok(difference < 1e-5, `step ${step}: ${result.loss} instead of ${run.losses[step]}`);
        if (step > 0) continue;
        // After one step from zero moments, the first moment is (1 − β₁) g.
        for (const { tensor } of parameters) {
          const moment = program.state.findIndex((each) => each.name === `${tensor}.m`);
          const gradient = numbers(state[moment]!).map((m) => m / (1 - VECTORS.optimizer.beta1));
          const worst = furthest(gradient, run.gradients[tensor]!);
          assert.ok(worst < 3e-6, `the gradient of ${tensor} is off by ${worst}`);
        }
      }
      let worst = 0;
      for (const { tensor, index } of parameters) {
        const [actual, expected] = [Array.from(numbers(state[index]!)), run.parameters[tensor]!];
        // The bias of the keys moves no softmax. Its gradient is rounding noise, which Adam makes as great as any other.
        const counts = (at: number) => !tensor.endsWith("qkv.bias") || Math.floor((at * 3) / expected.length) !== 1;
        const kept = (values: readonly number[]) => values.filter((_, at) => counts(at));
        worst = Math.max(worst, furthest(kept(actual), kept(expected)));
      }
      t.diagnostic(`parameters are off by ${worst}`);
      assert.ok(worst < 2e-4, `parameters are off by ${worst}`);
    });
  });
}
