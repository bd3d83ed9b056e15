import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TextModel } from "../../requester/evaluate.ts";
import type { Engine, StepTrace } from "../../shared/engine/engine.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { StepInputs } from "../../shared/program/stepInputs.ts";
import { embeddingProgram, exampleState } from "../helpers/programs.ts";

describe("TextModel.loss", () => {
  it("is the mean of the program's loss over whole batches", async () => {
    const program = embeddingProgram();
    const state = exampleState(program, 3);
    const engine = new ReferenceEngine(program);
    const width = program.sample.words;
    const rows = program.operators.find(({ operator }) => operator.family === "batch")!.operator.shape[0]!;
    const samples = Uint32Array.from({ length: (2 * rows + 1) * width }, (_, at) => (at * 7) % 5);
    const model = new TextModel(engine, program, state);
    const halves = [samples.subarray(0, rows * width), samples.subarray(rows * width, 2 * rows * width)];
    const losses = [await model.loss(halves[0]!), await model.loss(halves[1]!)];
    assert.notEqual(losses[0], losses[1]);
    assert.equal(await model.loss(samples), (losses[0]! + losses[1]!) / 2);
    assert.equal(await model.loss(samples, rows), losses[0]);
    await assert.rejects(model.loss(samples.subarray(0, width)), RangeError);
  });
});

describe("TextModel.write", () => {
  /** Prefers the token after the last one it sees, of four: a model whose text is known. */
  class Counting implements Partial<Engine> {
    async trace({ batches }: StepInputs): Promise<StepTrace> {
      const input = [...batches.values()][0]!;
      const logits = new Float32Array(input.shape[0]! * 4);
      logits[(input.words[input.shape[1]! - 1]! + 1) % 4] = 50;
      const output = { dtype: Dtype.float32, shape: [input.shape[0]!, 4], words: new Uint32Array(logits.buffer) };
      return { state: [], loss: 0, guard: 0, outputs: [output] };
    }
  }
  const input = {
    family: "batch",
    dtype: Dtype.int32,
    shape: [2, 3],
    order: "replacement",
    offset: 0,
    operands: [],
  } as const;
  const program = {
    ...embeddingProgram(),
    operators: [{ name: "input", operator: input }],
    sample: { words: 4, fields: [] },
    logits: 0,
  };

  it("feeds each written token back into the context", async () => {
    const model = new TextModel(new Counting() as unknown as Engine, program, []);
    assert.deepEqual(await model.write(Uint32Array.of(0, 0, 0, 2), 5, 1n, 1), [3, 0, 1, 2, 3]);
    await assert.rejects(model.write(Uint32Array.of(0, 2), 1, 1n, 1), RangeError);
  });
});
