/** The noise that a generator learns from; `test/compile/pytorch` compares what it learns. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TrainedModel } from "../../requester/evaluate.ts";
import { compileTraining } from "../../shared/compile/compile.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { stepInputs } from "../../shared/job/job.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { NOT_RANDOM } from "../../shared/layers/random.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { ADAMW, numbers } from "../helpers/compile.ts";
import { OnnxBuilder } from "../helpers/onnxModel.ts";
import { floats } from "../helpers/operators.ts";

const [BATCH, WIDTH] = [50, 20];
const ones = new Array<number>(WIDTH).fill(1);

/** Gives what it gets. */
function generator(): Uint8Array {
  const model = new OnnxBuilder();
  model.node("Mul", [model.input("z", "batch", WIDTH), model.weight("w", [WIDTH], ones)], {}, "output");
  model.output("output", "batch", WIDTH);
  return model.bytes();
}

function discriminator(): Uint8Array {
  const model = new OnnxBuilder();
  model.node("MatMul", [model.input("sample", "batch", WIDTH), model.weight("w", [WIDTH, 1], ones)], {}, "output");
  model.output("output", "batch", 1);
  return model.bytes();
}

function training(noise: "normal" | "uniform") {
  const learner = { optimizer: ADAMW, rate: { kind: "constant", peak: 0.01, warmup: 0 } } as const;
  const compiled = compileTraining({
    ...{ kind: "gan", noise, batch: BATCH, steps: 2, generator: learner, discriminator: learner },
    ...{ model: generator(), discriminatorModel: discriminator() },
    fields: [{ name: "input", dtype: Dtype.float32, offset: 0, width: WIDTH, minimum: 0, maximum: 0 }],
  });
  const { program, schedule, initialState } = compiled;
  const samples = new Uint32Array(BATCH * WIDTH);
  const job = { program, samples, schedule: schedule.words, seed: 4n, steps: 2, interval: 2 };
  requireWellFormedJob(job, initialState);
  const inputs = (step: number) => stepInputs(job, step, initialState);
  const made = async (given: ReturnType<typeof inputs>) =>
    numbers((await new ReferenceEngine(program).trace(given)).outputs[program.logits!]!);
  return { ...compiled, samples, inputs, made };
}

const moment = (values: Float32Array, power: number): number =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

describe("a generator's noise", () => {
  for (const [noise, variance] of [
    ["normal", 1],
    ["uniform", 1 / 3],
  ] as const) {
    it(`is ${noise}, of mean 0, and another in every step`, async () => {
      const { inputs, made } = training(noise);
      const [first, second] = [await made(inputs(0)), await made(inputs(1))];
      assert.equal(first.length, BATCH * WIDTH);
      for (const values of [first, second]) {
        assert.ok(Math.abs(moment(values, 1)) < 0.15);
        assert.ok(Math.abs(moment(values, 2) / variance - 1) < 0.2);
        if (noise === "uniform") assert.ok(values.every((value) => value >= -1 && value < 1));
      }
      const product = first.reduce((sum, value, i) => sum + value * second[i]!, 0) / first.length;
      assert.ok(Math.abs(product) < 0.15 * variance, "steps are independent");
      assert.deepEqual(await made(inputs(0)), first);
    });

    it(`is 0 where a model is evaluated that learnt from ${noise} noise`, async () => {
      const { inputs, made, program, initialState, samples } = training(noise);
      const given = inputs(0);
      const random = new Map(
        [...given.random!].map(([at, tensor]) => [
          at,
          { ...tensor, words: floats(...new Array<number>(tensor.words.length).fill(NOT_RANDOM)) },
        ]),
      );
      assert.equal(random.size, 1);
      assert.ok((await made({ ...given, random })).every((value) => value === 0));
      // All logits are 0: each of the three losses is log 2.
      const model = new TrainedModel(new ReferenceEngine(program), program, initialState);
      const { loss } = await model.evaluate(samples);
      assert.ok(Math.abs(loss - 3 * Math.LN2) < 1e-5, `${loss}`);
    });
  }
});
