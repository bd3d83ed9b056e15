import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { compileTraining } from "../../shared/compile/compile.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, stepInputs } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { numbers, randomSamples, settings, TINY } from "../helpers/compile.ts";

const [BATCH, COUNT, STEPS] = [4, 10, 3];

describe("an inference", () => {
  const { model, fields } = settings(TINY);
  const compiled = (loss?: { kind: "softmaxCrossEntropy" }) =>
    compileTraining({ kind: "inference", model, fields, batch: BATCH, steps: STEPS, loss });
  const samples = randomSamples(TINY, COUNT, 6);
  const jobFor = ({ program, schedule }: ReturnType<typeof compiled>): Job => {
    return { program, samples, schedule: schedule.words, seed: 0n, steps: STEPS, interval: 1 };
  };

  it("has a state of outputs alone, with the parameters as constants", () => {
    const { program, initialState, schedule } = compiled();
    assert.deepEqual(
      program.state.map(({ shape, role }) => [shape, role]),
      [[[BATCH, TINY.vocabulary], "output"]],
    );
    assert.ok(initialState[0]!.words.every((word) => word === 0));
    assert.deepEqual(schedule.shape, [STEPS, 0]);
    assert.ok(program.constants.length >= 7);
    const job = jobFor(compiled());
    requireWellFormedJob(job, initialState);
    assert.match(commitTraining(job, initialState).schedule.scheduleRoot, /^0x[0-9a-f]{64}$/);
  });

  it("gives what ONNX Runtime gives, one batch after the other, and the loss where there is one", async () => {
    const session = await InferenceSession.create(model);
    for (const hasLoss of [false, true]) {
      const inference = hasLoss ? compiled({ kind: "softmaxCrossEntropy" }) : compiled();
      const job = jobFor(inference);
      const engine = new ReferenceEngine(inference.program);
      let state = inference.initialState;
      for (let step = 0; step < STEPS; step++) {
        const rows = Array.from({ length: BATCH }, (_, row) => (step * BATCH + row) % COUNT);
        const width = TINY.context + 1;
        const tokens = rows.flatMap((row) => [...samples.subarray(row * width, row * width + TINY.context)]);
        const input = new OrtTensor("int64", BigInt64Array.from(tokens, BigInt), [BATCH, TINY.context]);
        const outputs = await session.run({ [session.inputNames[0]!]: input });
        const expected = outputs[session.outputNames[0]!]!.data as Float32Array;
        const result = await engine.step(stepInputs(job, step, state));
        state = result.state;
        for (const [i, value] of numbers(state[0]!).entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-5);
        const losses = rows.map((row, at) => {
          const line = expected.subarray(at * TINY.vocabulary, (at + 1) * TINY.vocabulary);
          const total = line.reduce((sum, z) => sum + Math.exp(z), 0);
          return Math.log(total) - line[samples[row * width + TINY.context]!]!;
        });
        const mean = hasLoss ? losses.reduce((a, b) => a + b) / BATCH : 0;
        assert.ok(Math.abs(result.loss - mean) < 1e-5, `loss ${result.loss} instead of ${mean}`);
      }
    }
  });
});
