import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TrainedModel } from "../../requester/evaluate.ts";
import { compileTraining } from "../../shared/compile/compile.ts";
import type { Engine, StepTrace } from "../../shared/engine/engine.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { type OnnxData, type OnnxNode, OnnxType } from "../../shared/onnx/model.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { StepInputs } from "../../shared/program/stepInputs.ts";
import { jobOf, randomSamples, run, settings, TINY } from "../helpers/compile.ts";
import { embeddingProgram, exampleState } from "../helpers/programs.ts";

/** The model with a Dropout behind every Tanh. */
function withDropout(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes);
  const constantOf = (name: string, type: OnnxType, data: OnnxData): OnnxNode => ({
    ...{ name, operator: "Constant", domain: "", inputs: [], outputs: [name] },
    attributes: { value: { kind: "tensor", value: { name, type, dimensions: [], data } } },
  });
  const nodes = [
    constantOf("ratio", OnnxType.float32, Float32Array.of(0.25)),
    constantOf("mode", OnnxType.bool, Uint8Array.of(1)),
    ...model.graph.nodes.flatMap((node): OnnxNode[] => {
      if (node.operator !== "Tanh") return [node];
      const [output] = node.outputs as [string];
      const drop = { name: "", operator: "Dropout", domain: "", inputs: [`${output}.kept`, "ratio", "mode"] };
      return [
        { ...node, outputs: [`${output}.kept`] },
        { ...drop, outputs: [output], attributes: {} },
      ];
    }),
  ];
  return encodeModel({ ...model, graph: { ...model.graph, nodes } });
}

describe("TrainedModel.evaluate", () => {
  it("is the mean of the program's loss over whole batches", async () => {
    const program = embeddingProgram();
    const state = exampleState(program, 3);
    const engine = new ReferenceEngine(program);
    const width = program.sample.words;
    const rows = program.operators.find(({ operator }) => operator.family === "batch")!.operator.shape[0]!;
    const samples = Uint32Array.from({ length: (2 * rows + 1) * width }, (_, at) => (at * 7) % 5);
    const model = new TrainedModel(engine, program, state);
    const halves = [samples.subarray(0, rows * width), samples.subarray(rows * width, 2 * rows * width)];
    const losses = [(await model.evaluate(halves[0]!)).loss, (await model.evaluate(halves[1]!)).loss];
    assert.notEqual(losses[0], losses[1]);
    const whole = await model.evaluate(samples);
    assert.deepEqual([whole.loss, whole.samples], [(losses[0]! + losses[1]!) / 2, 2 * rows]);
    assert.equal((await model.evaluate(samples, rows)).loss, losses[0]);
    await assert.rejects(model.evaluate(samples.subarray(0, width)), RangeError);
  });

  it("drops nothing", async () => {
    const plain = settings(TINY, { order: "permutation" });
    const { program, initialState } = compileTraining(plain);
    const dropping = compileTraining({ ...plain, model: withDropout(plain.model) });
    assert.deepEqual(dropping.initialState, initialState);
    const streams = dropping.program.operators.filter(({ operator }) => operator.family === "random");
    assert.equal(streams.length, 2);
    const samples = randomSamples(TINY, 12, 4);
    const losses = await Promise.all(
      [program, dropping.program].map(async (each) => {
        const model = new TrainedModel(new ReferenceEngine(each), each, initialState);
        return (await model.evaluate(samples)).loss;
      }),
    );
    assert.equal(losses[0], losses[1]);
    const trained: number[] = [];
    await run(jobOf(dropping, samples, 30), dropping.initialState, 30, (_, loss) => trained.push(loss));
    assert.notEqual(trained[0], losses[0]);
    assert.ok(trained.at(-1)! < trained[0]!, `${trained}`);
  });

  /** Gives each of two rows' two positions the logits of three classes that the test says. */
  const classifier = (logits: readonly number[]) => {
    const field = { dtype: Dtype.int32, width: 2, minimum: -1, maximum: 2 };
    const fields = [
      { ...field, name: "input", offset: 0 },
      { ...field, name: "target", offset: 2 },
    ];
    const output = { dtype: Dtype.float32, shape: [2, 2, 3], words: new Uint32Array(Float32Array.from(logits).buffer) };
    const operators = [
      {
        name: "input",
        operator: {
          family: "batch",
          dtype: Dtype.int32,
          shape: [2, 2],
          order: "replacement",
          offset: 0,
          operands: [],
        } as const,
      },
      { name: "logits", operator: { ...embeddingProgram().operators.at(-1)!.operator, shape: [2, 2, 3] } },
    ];
    const engine = { trace: async () => ({ state: [], loss: 0.5, guard: 0, outputs: [output, output] }) };
    const program = { ...embeddingProgram(), operators, sample: { words: 4, fields }, logits: 1 };
    return new TrainedModel(engine as unknown as Engine, program, []);
  };

  it("counts the targets that have their row's greatest logit, leaving out negative ones", async () => {
    const model = classifier([5, 1, 0, 0, 1, 0, 0, 0, 9, 3, 2, 1]);
    const samples = Uint32Array.of(0, 0, 0, 2, 0, 0, 2, -1);
    assert.deepEqual(await model.evaluate(samples), { loss: 0.5, accuracy: 2 / 3, samples: 2 });
  });
});

describe("TrainedModel.predict", () => {
  it("gives the prediction for whole batches, with random numbers of a seed", async () => {
    const plain = settings(TINY, { order: "permutation" });
    const { program, initialState } = compileTraining({ ...plain, model: withDropout(plain.model) });
    const model = new TrainedModel(new ReferenceEngine(program), program, initialState);
    const samples = randomSamples(TINY, 9, 4);
    const first = await model.predict(samples, 1n);
    assert.equal(first.length, 8 * TINY.vocabulary);
    assert.deepEqual(await model.predict(samples, 1n), first);
    assert.notDeepEqual(await model.predict(samples, 2n), first);
    assert.deepEqual(await model.predict(samples, 1n, 5), first.slice(0, 4 * TINY.vocabulary));
    // The second batch draws other numbers than the first, for the same samples, too.
    const twice = await model.predict(Uint32Array.of(...samples.slice(0, 16), ...samples.slice(0, 16)), 1n);
    assert.notDeepEqual(twice.slice(4 * TINY.vocabulary), twice.slice(0, 4 * TINY.vocabulary));
    await assert.rejects(model.predict(samples.subarray(0, 4), 1n), RangeError);
  });
});

describe("TrainedModel.write", () => {
  /** Prefers the token after the last one it sees, of four: a model whose text is known. */
  class Counting implements Partial<Engine> {
    readonly #positions: number;
    constructor(positions: number) {
      this.#positions = positions;
    }
    async trace({ batches }: StepInputs): Promise<StepTrace> {
      const input = [...batches.values()][0]!;
      const [rows, width] = input.shape as [number, number];
      const logits = new Float32Array(rows * this.#positions * 4);
      for (let position = 0; position < this.#positions; position++) {
        logits[position * 4 + ((input.words[width - this.#positions + position]! + 1) % 4)] = 50;
      }
      const shape = [rows, this.#positions, 4];
      const output = { dtype: Dtype.float32, shape, words: new Uint32Array(logits.buffer) };
      return { state: [], loss: 0, guard: 0, outputs: [output, output] };
    }
  }
  const model = (positions: number) => {
    const tokens = { dtype: Dtype.int32, minimum: 0, maximum: 3 };
    const input = {
      family: "batch",
      dtype: Dtype.int32,
      shape: [2, 3],
      order: "replacement",
      offset: 0,
      operands: [],
    } as const;
    const logits = { ...embeddingProgram().operators.at(-1)!.operator, shape: [2, positions, 4] };
    const fields = [
      { name: "input", offset: 0, width: 3, ...tokens },
      { name: "target", offset: 3, width: positions, ...tokens },
    ];
    const operators = [
      { name: "input", operator: input },
      { name: "logits", operator: logits },
    ];
    const program = { ...embeddingProgram(), operators, sample: { words: 3 + positions, fields }, logits: 1 };
    return new TrainedModel(new Counting(positions) as unknown as Engine, program, []);
  };

  it("feeds each written token back into the context, whether or not every position has logits", async () => {
    for (const positions of [1, 3]) {
      assert.deepEqual(await model(positions).write(Uint32Array.of(0, 0, 0, 2), 5, 1n, 1), [3, 0, 1, 2, 3]);
      await assert.rejects(model(positions).write(Uint32Array.of(0, 2), 1, 1n, 1), RangeError);
    }
  });
});
