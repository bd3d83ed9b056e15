import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileEvaluation, compileTraining } from "../../shared/compile/compile.ts";
import { withAdapters } from "../../shared/compile/lora.ts";
import { sourceOutputs } from "../../shared/job/job.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";
import { ModelError, SettingError } from "../../shared/program/errors.ts";
import { jobOf, numbers, randomSamples, run, settings, TINY } from "../helpers/compile.ts";

const LORA = { rank: 2, alpha: 3, targets: ["fc1.weight", "fc3"] };
const base = decodeModel(settings(TINY).model);

function changed(change: (graph: OnnxModel["graph"]) => Partial<OnnxModel["graph"]>): OnnxModel {
  return { ...base, graph: { ...base.graph, ...change(base.graph) } };
}

const shapes = (model: OnnxModel) =>
  Object.fromEntries(
    model.graph.initializers.filter(({ name }) => name.includes("lora")).map((each) => [each.name, each.dimensions]),
  );

describe("withAdapters", () => {
  it("gives each chosen weight a pair of matrices, by its name or its layer's", () => {
    const { model, adapters } = withAdapters(base, LORA, 4n);
    const inputs = TINY.context * TINY.embedding;
    assert.deepEqual(shapes(model), {
      "fc1.lora_A.weight": [2, inputs],
      "fc1.lora_B.weight": [6, 2],
      "fc3.lora_A.weight": [2, 5],
      "fc3.lora_B.weight": [TINY.vocabulary, 2],
    });
    assert.deepEqual(adapters, Object.keys(shapes(model)));
    const values = model.graph.initializers.find(({ name }) => name === adapters[0])!.data as Float32Array;
    assert.ok(values.every((value) => Math.abs(value) <= 1 / Math.sqrt(inputs)));
    assert.equal(new Set(values).size, values.length);
    assert.notDeepEqual(withAdapters(base, LORA, 5n).model, model);
    assert.deepEqual(withAdapters(base, LORA, 4n).model, model);
  });

  it("sees through transposes, and names layers of folded weights after their nodes", () => {
    const weight = base.graph.initializers.find(({ name }) => name === "fc2.weight")!;
    const folded: OnnxTensor = { ...weight, name: "onnx::MatMul_7", dimensions: [6, 5] };
    const node = (operator: string, inputs: string[], output: string, name = output): OnnxNode => {
      return { name, operator, domain: "", inputs, outputs: [output], attributes: {} };
    };
    const swap = {
      ...node("Transpose", ["fc2.weight"], "swapped"),
      attributes: { perm: { kind: "ints", value: [1, 0] } } as const,
    };
    const model = changed(({ nodes, initializers }) => ({
      initializers: [...initializers, folded],
      nodes: [
        ...nodes,
        swap,
        node("Identity", ["swapped"], "same"),
        node("MatMul", ["hidden", "same"], "one"),
        node("MatMul", ["hidden", "onnx::MatMul_7"], "two", "/blocks.0/out/MatMul"),
      ],
    }));
    const targets = ["fc2.weight", "blocks.*"];
    assert.deepEqual(shapes(withAdapters(model, { rank: 3, alpha: 1, targets }, 0n).model), {
      "fc2.lora_A.weight": [3, 6],
      "fc2.lora_B.weight": [5, 3],
      "blocks.0.out.lora_A.weight": [3, 6],
      "blocks.0.out.lora_B.weight": [5, 3],
    });
  });

  it("refuses targets that are no weights of a product, and a model that has such tensors", () => {
    for (const target of ["fc9.*", "embedding.weight", "fc1.bias"]) {
      assert.throws(
        () => withAdapters(base, { ...LORA, targets: ["fc1.weight", target] }, 0n),
        (error) => error instanceof SettingError && error.setting === "lora.targets" && error.message.includes(target),
      );
    }
    const taken: OnnxTensor = {
      name: "fc1.lora_A.weight",
      type: OnnxType.float32,
      dimensions: [1],
      data: new Float32Array(1),
    };
    const model = changed(({ initializers }) => ({ initializers: [...initializers, taken] }));
    assert.throws(() => withAdapters(model, LORA, 0n), ModelError);
  });
});

describe("training with adapters", () => {
  const compiled = compileTraining(settings(TINY, { lora: LORA, seed: 4n }));
  const samples = randomSamples(TINY, 20, 2);

  it("starts from what the base gives, and moves the adapters alone", async () => {
    const { program, initialState } = compiled;
    assert.equal(program.state.length, 3 * 4);
    const job = jobOf(compiled, samples, 30);
    requireWellFormedJob(job, initialState);
    const whole = compileTraining(settings(TINY));
    const losses: number[][] = [[], []];
    const after = await run(job, initialState, 6, (_, loss) => void losses[0]!.push(loss));
    await run(jobOf(whole, samples, 30), whole.initialState, 1, (_, loss) => void losses[1]!.push(loss));
    assert.ok(Math.abs(losses[0]![0]! - losses[1]![0]!) < 1e-6);
    for (const [p, { name }] of program.state.entries())
      assert.notDeepEqual(after[p]!.words, initialState[p]!.words, name);
  });

  it("trains what `train` names besides, and freezes what `freeze` names", () => {
    const names = (changes: Parameters<typeof settings>[1]) =>
      compileTraining(settings(TINY, { lora: LORA, ...changes })).program.state.map(({ name }) => name);
    assert.ok(names({ train: ["fc2.bias"] }).includes("fc2.bias"));
    assert.ok(!names({ freeze: ["*.lora_A.weight"] }).includes("fc1.lora_A.weight"));
  });

  it("is evaluated with its adapters, and equals the merged model", async () => {
    const chosen = settings(TINY, { lora: LORA, seed: 4n });
    const job = jobOf(compiled, samples, 30);
    const state = await run(job, compiled.initialState, 10);
    const { program, kept } = compileEvaluation(chosen, compiled.program);
    const of = (name: string) => numbers(state[compiled.program.state.findIndex((each) => each.name === name)]!);
    const merged = base.graph.initializers.map((tensor): OnnxTensor => {
      const layer = ["fc1", "fc3"].find((each) => tensor.name === `${each}.weight`);
      if (layer === undefined) return tensor;
      const [rows, columns] = tensor.dimensions as [number, number];
      const [a, b] = [of(`${layer}.lora_A.weight`), of(`${layer}.lora_B.weight`)];
      const data = Float32Array.from(tensor.data as Float32Array, (value, at) => {
        const [row, column] = [Math.floor(at / columns), at % columns];
        const update = [0, 1].reduce((sum, r) => sum + b[row * 2 + r]! * a[r * columns + column]!, 0);
        return value + (LORA.alpha / LORA.rank) * update;
      });
      assert.equal(data.length, rows * columns);
      return { ...tensor, data };
    });
    const model = encodeModel(changed(() => ({ initializers: merged })));
    const plain = compileTraining(settings(TINY, { model }));
    const losses: number[] = [];
    const evaluation = { ...job, program, schedule: new Uint32Array(0) };
    assert.equal(sourceOutputs(evaluation, 0).schedule.size, 0);
    await run(
      evaluation,
      kept.map((index) => state[index]!),
      1,
      (_, loss) => void losses.push(loss),
    );
    await run(jobOf(plain, samples, 30), plain.initialState, 1, (_, loss) => void losses.push(loss));
    assert.ok(Math.abs(losses[0]! - losses[1]!) < 1e-6, `${losses}`);
  });
});
