import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileTraining } from "../../shared/compile/compile.ts";
import { lintModel } from "../../shared/compile/lint.ts";
import { parameterIndices } from "../../shared/compile/optimizer/parameters.ts";
import type { UserStepSettings } from "../../shared/compile/userStep.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { ModelError, SettingError } from "../../shared/program/errors.ts";
import type { SampleField } from "../../shared/program/program.ts";
import { jobOf, numbers, run } from "../helpers/compile.ts";
import { OnnxBuilder, SWAP } from "../helpers/onnxModel.ts";
import { floats } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

const [BATCH, STEPS] = [4, 25];
const range = { dtype: 0, minimum: -4, maximum: 4 } as const;
const FIELDS: SampleField[] = [
  { name: "x", offset: 0, width: 3, ...range },
  { name: "target", offset: 3, width: 2, ...range },
];
const WEIGHT = [0.5, -0.25, 0.125, 1, -1, 0.75];
const RATE = { kind: "cosine", peak: 0.1, warmup: 3, final: 0.1 } as const;
const MOMENTUM = 0.875;

/** Linear regression by gradient descent with momentum, the gradient by hand. */
function byHand(change: (model: OnnxBuilder) => void = () => undefined): Uint8Array {
  const model = new OnnxBuilder();
  const x = model.input("x", "batch", 3);
  const target = model.input("target", "batch", 2);
  const rate = model.input("schedule.rate");
  const weight = model.weight("w", [3, 2], WEIGHT);
  const momentum = model.weight("w.momentum", [3, 2], [0, 0, 0, 0, 0, 0]);
  const scale = model.weight("scale", [1], [2 / (2 * BATCH)]);
  const prediction = model.node("MatMul", [x, weight], {}, "output");
  const error = model.node("Sub", [prediction, target]);
  const square = model.node("Mul", [error, error]);
  model.node("ReduceMean", [square], { keepdims: { kind: "int", value: 0 } }, "loss");
  const product = model.node("MatMul", [model.node("Transpose", [x], SWAP), error]);
  const gradient = model.node("Mul", [product, scale]);
  const kept = model.node("Mul", [momentum, model.constant(MOMENTUM)]);
  const next = model.node("Add", [kept, gradient], {}, "w.momentum.next");
  model.node("Sub", [weight, model.node("Mul", [next, rate])], {}, "w.next");
  model.output("w.next", 3, 2);
  model.output("w.momentum.next", 3, 2);
  model.output("output", "batch", 2);
  change(model);
  return model.bytes();
}

const withLoss = (model: OnnxBuilder): void => model.output("loss");

function settings(changes: Partial<UserStepSettings> = {}): UserStepSettings {
  return {
    kind: "step",
    model: byHand(withLoss),
    fields: FIELDS,
    batch: BATCH,
    steps: STEPS,
    columns: { rate: RATE },
    moments: ["*.momentum"],
    ...changes,
  };
}

/** The same training, differentiated by the compiler. */
function differentiated() {
  const model = new OnnxBuilder();
  const x = model.input("x", "batch", 3);
  model.node("MatMul", [x, model.weight("w", [3, 2], WEIGHT)], {}, "output");
  model.output("output", "batch", 2);
  return compileTraining({
    model: model.bytes(),
    fields: FIELDS,
    batch: BATCH,
    steps: STEPS,
    loss: { kind: "meanSquaredError" },
    optimizer: { kind: "sgd", momentum: MOMENTUM, nesterov: false, weightDecay: 0 },
    rate: RATE,
  });
}

describe("a step that is one ONNX file", () => {
  it("does what the same training does that the compiler differentiates", async () => {
    const random = new Random(4);
    const samples = floats(...Array.from({ length: 20 * 5 }, () => 2 * random.unit() - 1));
    const [own, derived] = [compileTraining(settings()), differentiated()];
    const losses: number[][] = [[], []];
    const states = await Promise.all(
      [own, derived].map((compiled, which) => {
        const job = jobOf(compiled, samples, STEPS);
        requireWellFormedJob(job, compiled.initialState);
        return run(job, compiled.initialState, STEPS, (step, loss) => {
          losses[which]![step] = loss;
        });
      }),
    );
    for (const [step, loss] of losses[0]!.entries()) assert.ok(Math.abs(loss - losses[1]![step]!) < 1e-5);
    assert.ok(losses[0]!.at(-1)! < 0.5 * losses[0]![0]!, "it learns");
    for (const [p, tensor] of states[0]!.entries())
      for (const [i, value] of numbers(tensor).entries())
        assert.ok(Math.abs(value - numbers(states[1]![p]!)[i]!) < 1e-5, `${own.program.state[p]!.name}[${i}]`);
  });

  it("names state after initializers, and makes constants of the others", () => {
    const { program, initialState, schedule } = compileTraining(settings());
    assert.deepEqual(
      program.state.map(({ name, role }) => [name, role]),
      [
        ["w", undefined],
        ["w.momentum", "moment"],
      ],
    );
    assert.deepEqual(parameterIndices(program.state), [0]);
    assert.deepEqual([...numbers(initialState[0]!)], WEIGHT);
    assert.deepEqual(program.scheduleColumns, ["rate"]);
    assert.deepEqual(schedule.shape, [STEPS, 1]);
    assert.equal(program.operators[program.logits!]!.name, "w.dot");
    assert.ok(program.constants.some(({ words }) => words[0] === floats(0.25)[0]));
  });

  it("reads columns from values and corrections", () => {
    const values = Array.from({ length: STEPS }, (_, step) => step / 64);
    const table = (column: NonNullable<UserStepSettings["columns"]>[string]) =>
      numbers(compileTraining(settings({ columns: { rate: column } })).schedule);
    assert.deepEqual([...table({ kind: "values", values })], values);
    assert.equal(table({ kind: "correction", beta: 0.5 })[1], Math.fround(4 / 3));
  });

  it("is linted as what it is", () => {
    const lint = (change: (model: OnnxBuilder) => void) => lintModel(decodeModel(byHand(change)));
    const { findings, parameters } = lint(withLoss);
    assert.deepEqual(findings, []);
    assert.deepEqual(
      parameters.map(({ name }) => name),
      ["w", "w.momentum"],
    );
    assert.match(lint(() => undefined).findings[0]!.problem, /no float32 output "loss"/);
    const wild = lint((model) => {
      withLoss(model);
      model.node("Identity", ["output"], {}, "scale.next");
      model.output("scale.next", "batch", 2);
    });
    assert.match(wild.findings[0]!.problem, /"scale\.next" .* is not float32/);
  });

  const broken: [name: string, changes: Partial<UserStepSettings>, pattern: RegExp][] = [
    ["no loss", { model: byHand() }, /no float32 output "loss" of one number/],
    [
      "a loss of many numbers",
      { model: byHand((model) => model.node("Identity", ["output"], {}, "many")) },
      /no float32 output "loss"/,
    ],
    ["a column that nothing fills", { columns: {} }, /schedule\.rate/],
    ["values for other steps", { columns: { rate: { kind: "values", values: [1] } } }, /1 values for 25 steps/],
    ["a field that the data lacks", { fields: FIELDS.slice(0, 1) }, /no field "target"/],
    [
      "something that replaces nothing",
      {
        model: byHand((model) => {
          withLoss(model);
          model.node("Identity", ["output"], {}, "v.next");
          model.output("v.next", "batch", 2);
        }),
      },
      /no float32 initializer "v"/,
    ],
    [
      "a replacement of another shape",
      {
        model: byHand((model) => {
          withLoss(model);
          model.node("Identity", ["output"], {}, "scale.next");
          model.output("scale.next", "batch", 2);
        }),
      },
      /"scale\.next" \[4,2\] is not float32 \[1\]/,
    ],
  ];
  for (const [name, changes, pattern] of broken) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => compileTraining(settings(changes)),
        (error) => (error instanceof ModelError || error instanceof SettingError) && pattern.test(error.message),
      );
    });
  }

  it("refuses a step that replaces nothing at all", () => {
    const model = new OnnxBuilder();
    model.node("Identity", [model.input("x", "batch", 3)], {}, "loss");
    model.output("loss", "batch", 3);
    assert.throws(() => compileTraining(settings({ model: model.bytes() })), /no output NAME\.next/);
  });
});
