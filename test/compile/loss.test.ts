import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileTraining } from "../../shared/compile/compile.ts";
import type { SupervisedSettings } from "../../shared/compile/supervised.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { ModelError, SettingError } from "../../shared/program/errors.ts";
import type { SampleField } from "../../shared/program/program.ts";
import type { LossSettings } from "../../shared/task/settings.ts";
import { ADAMW, jobOf, numbers, run } from "../helpers/compile.ts";
import { OnnxBuilder } from "../helpers/onnxModel.ts";
import { floats } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

const STEPS = 20;
const range = { dtype: 0, minimum: -2, maximum: 2 } as const;
const FIELDS: SampleField[] = [
  { name: "x", offset: 0, width: 3, ...range },
  { name: "target", offset: 3, width: 2, ...range },
];

/** A tanh layer; with its own loss, the mean of the squares of its errors, if it is to have one. */
function model(options: { ownLoss?: boolean; wideLoss?: boolean; second?: boolean } = {}): Uint8Array {
  const builder = new OnnxBuilder();
  const x = builder.input("x", "batch", 3);
  const weight = builder.weight("w", [3, 2], [0.5, -0.25, 0.125, 1, -1, 0.75]);
  const prediction = builder.node("Tanh", [builder.node("MatMul", [x, weight])], {}, "prediction");
  if (options.ownLoss || options.wideLoss) {
    const error = builder.node("Sub", [prediction, builder.input("target", "batch", 2)]);
    const square = builder.node("Mul", [error, error]);
    if (options.wideLoss) builder.node("Identity", [square], {}, "loss");
    else builder.node("ReduceMean", [square], { keepdims: { kind: "int", value: 0 } }, "loss");
    builder.output("loss");
  }
  if (options.second) {
    builder.node("Neg", [prediction], {}, "negative");
    builder.output("negative", "batch", 2);
  }
  builder.output("prediction", "batch", 2);
  return builder.bytes();
}

function settings(
  bytes: Uint8Array,
  loss: LossSettings,
  changes: Partial<SupervisedSettings> = {},
): SupervisedSettings {
  const rate = { kind: "constant", peak: 0.02, warmup: 0 } as const;
  return { model: bytes, fields: FIELDS, batch: 4, steps: STEPS, loss, optimizer: ADAMW, rate, ...changes };
}

const random = new Random(17);
const samples = floats(...Array.from({ length: 12 * 5 }, () => 2 * random.unit() - 1));

async function train(chosen: SupervisedSettings) {
  const compiled = compileTraining(chosen);
  const job = jobOf(compiled, samples, STEPS);
  requireWellFormedJob(job, compiled.initialState);
  const losses: number[] = [];
  const state = await run(job, compiled.initialState, STEPS, (_, loss) => void losses.push(loss));
  return { losses, weight: numbers(state[0]!), program: compiled.program };
}

describe("the loss of a run", () => {
  for (const accumulate of [1, 2]) {
    it(`may be the model's own, in ${accumulate} micro-batches`, async () => {
      const own = { kind: "output", prediction: "prediction" } as const;
      const [actual, expected] = await Promise.all([
        train(settings(model({ ownLoss: true }), own, { accumulate })),
        train(settings(model(), { kind: "meanSquaredError" }, { accumulate })),
      ]);
      for (const [step, loss] of expected.losses.entries()) assert.ok(Math.abs(actual.losses[step]! - loss) < 1e-5);
      for (const [i, value] of expected.weight.entries()) assert.ok(Math.abs(actual.weight[i]! - value) < 1e-4);
      assert.ok(expected.weight[0] !== 0.5 && expected.weight.every(Number.isFinite));
      assert.deepEqual(actual.program.operators[actual.program.logits!]!.operator.shape, [4, 2]);
    });
  }

  it("takes the output that is named, where there are several", async () => {
    const two = model({ second: true });
    const named = await train(settings(two, { kind: "meanSquaredError", output: "prediction" }));
    const only = await train(settings(model(), { kind: "meanSquaredError" }));
    assert.deepEqual(named.losses, only.losses);
    assert.notDeepEqual(
      (await train(settings(two, { kind: "meanSquaredError", output: "negative" }))).losses,
      only.losses,
    );
  });

  const classes = (minimum: number, maximum: number): SampleField[] => [
    FIELDS[0]!,
    { name: "target", offset: 3, width: 1, dtype: 1, minimum, maximum },
  ];
  const cases: [name: string, chosen: SupervisedSettings, pattern: RegExp][] = [
    ["several outputs and no name", settings(model({ second: true }), { kind: "meanSquaredError" }), /2 outputs/],
    ["a name that is none", settings(model(), { kind: "meanSquaredError", output: "y" }), /no output "y"/],
    ["no loss among the outputs", settings(model(), { kind: "output" }), /no output "loss"/],
    ["a loss of many numbers", settings(model({ wideLoss: true }), { kind: "output" }), /"loss" is \[4,2\]/],
    ["classes that are no integers", settings(model(), { kind: "softmaxCrossEntropy" }), /int32 targets/],
    [
      "more classes than logits",
      settings(model(), { kind: "softmaxCrossEntropy" }, { fields: classes(0, 2) }),
      /at least 3/,
    ],
    [
      "negative classes that are not ignored",
      settings(model(), { kind: "softmaxCrossEntropy" }, { fields: classes(-100, 1) }),
      /go down to -100/,
    ],
    ["targets beyond 0 and 1", settings(model(), { kind: "binaryCrossEntropy" }), /from 0 to 1, not -2 to 2/],
    [
      "another number of targets",
      settings(model(), { kind: "meanSquaredError" }, { fields: [FIELDS[0]!, { ...FIELDS[1]!, width: 1 }] }),
      /has not the 4 words/,
    ],
    ["no targets", settings(model(), { kind: "meanSquaredError" }, { fields: [FIELDS[0]!] }), /no field "target"/],
  ];
  for (const [name, chosen, pattern] of cases) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => compileTraining(chosen),
        (error) => (error instanceof ModelError || error instanceof SettingError) && pattern.test(error.message),
      );
    });
  }
});
