import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "onnxruntime-web";
import { mlpModel, mlpWeights } from "../../examples/solidity-mlp/model.ts";
import { compileTraining } from "../../shared/compile/compile.ts";
import { tokenFields } from "../../shared/data/text.ts";
import { HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { webHost } from "../../shared/engine/web.ts";
import { type Job, sourceOutputs, stepInputs } from "../../shared/job/job.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { Random } from "../helpers/random.ts";
import { assertSameTensors, openLocal } from "./compare.ts";

const STEPS = 20;

/** The example's network on a sequence that can be learnt, large enough that kernels use several threads. */
function training(): { job: Job; state: readonly Tensor[] } {
  const sizes = { context: 16, vocabulary: 67, embedding: 8, hidden: [128, 64] };
  const { program, initialState, schedule } = compileTraining({
    model: encodeModel(mlpModel(sizes, mlpWeights(sizes, 11n))),
    batch: 48,
    fields: tokenFields(sizes.context, sizes.vocabulary),
    loss: { kind: "softmaxCrossEntropy" },
    optimizer: { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
    rate: { kind: "cosine", peak: 0.01, warmup: 3, final: 0.1 },
    steps: STEPS,
  });
  const random = new Random(90);
  const rows = Array.from({ length: 300 }, () => {
    const [start, stride] = [random.below(sizes.vocabulary), random.between(1, 3)];
    return Array.from({ length: sizes.context + 1 }, (_, i) => (start + i * stride) % sizes.vocabulary);
  });
  const samples = Uint32Array.from(rows.flat());
  return {
    job: { program, samples, schedule: schedule.words, seed: 12n, steps: STEPS, interval: STEPS },
    state: initialState,
  };
}

test("a compiled network trains to the same words on every engine and number of threads", async () => {
  const { job, state } = training();
  const { program } = job;
  const losses: number[] = [];
  const request = { state, count: STEPS, inputs: (step: number) => sourceOutputs(job, step) };
  const expected = await new ReferenceEngine(program).steps({
    ...request,
    onStep: (_, { loss }) => losses.push(loss),
  });
  assert.ok(losses.at(-1)! < 0.8 * losses[0]!, `it learns: ${losses}`);
  const engines = [
    ...(await Promise.all([1, 2, 4].map((threads) => startOnnxRuntime(program, { threads })))),
    await HostedEngine.open(webHost({ library }), program),
    await HostedEngine.open(webHost({ library }), program, "kernels"),
    await openLocal(program),
  ];
  for (const engine of engines) {
    const seen: number[] = [];
    const result = await engine.steps({ ...request, onStep: (_, { loss }) => seen.push(loss) });
    assert.deepEqual(seen, losses, engine.name);
    assert.equal(result.guard, expected.guard, engine.name);
    assertSameTensors(result.state, expected.state, (p) => `${engine.name}: ${program.state[p]!.name}`);
    await engine.close();
  }
});

test("every operator's output of the compiled network is the reference's", async () => {
  const { job, state } = training();
  const { program } = job;
  const inputs = stepInputs(job, 1, state);
  const expected = await new ReferenceEngine(program).trace(inputs);
  for (const engine of [
    await openLocal(program),
    await openLocal(program, 4),
    await openLocal(program, 1, "kernels"),
    await openLocal(program, 4, "kernels"),
  ]) {
    const trace = await engine.trace(inputs);
    assertSameTensors(trace.outputs, expected.outputs, (n) => `${engine.name}: ${program.operators[n]!.name}`);
    await engine.close();
  }
});
