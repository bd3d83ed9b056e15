/** The `training` section of a task file: what is computed in a step, and how often (docs/task.md). */
import { z } from "zod";

const count = z.int().min(1).max(0xffffffff);
const fraction = z.number().min(0).max(1);
/** Greatest peak of a learning rate. */
export const MAX_RATE = 16;
/** So that the bias correction of the first step, 1 / (1 − β), is within the bounds of a schedule. */
export const MAX_BETA = 0.999999;
const beta = z.number().min(0).max(MAX_BETA);
const globs = z.array(z.string().min(1)).min(1);

/** Parameters that a list of groups singles out; the first group that matches a parameter holds. */
const groups = z
  .array(
    z.strictObject({
      match: globs,
      weightDecay: fraction.optional(),
      /** Factor of the learning rate. */
      rate: z.number().min(0).max(64).optional(),
    }),
  )
  .optional();

const sgd = z.strictObject({
  kind: z.literal("sgd"),
  momentum: z.number().min(0).lt(1).default(0),
  nesterov: z.boolean().default(false),
  weightDecay: fraction.default(0),
  groups,
});

const adamFields = {
  beta1: beta.default(0.9),
  beta2: beta.default(0.999),
  epsilon: z.number().min(1e-12).max(1e-2).default(1e-8),
  groups,
};
const adam = z.strictObject({ kind: z.literal("adam"), ...adamFields, weightDecay: fraction.default(0) });
const adamw = z.strictObject({ kind: z.literal("adamw"), ...adamFields, weightDecay: fraction.default(0.01) });

const lion = z.strictObject({
  kind: z.literal("lion"),
  beta1: beta.default(0.9),
  beta2: beta.default(0.99),
  weightDecay: fraction.default(0),
  groups,
});

const optimizer = z.discriminatedUnion("kind", [sgd, adam, adamw, lion]);

const climb = {
  peak: z.number().positive().max(MAX_RATE),
  /** Steps over which the rate rises linearly to its peak. */
  warmup: z.int().min(0).default(0),
};
const rate = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant"), ...climb, final: fraction.optional() }),
  /** `final`: rate of the last step, as a fraction of the peak. */
  z.strictObject({ kind: z.literal("cosine"), ...climb, final: fraction.default(0) }),
  z.strictObject({ kind: z.literal("linear"), ...climb, final: fraction.default(0) }),
  /** After every `every` steps the rate is multiplied by `factor`. */
  z.strictObject({ kind: z.literal("step"), ...climb, every: count, factor: z.number().positive().max(1) }),
]);

/** Which of the model's outputs the loss takes, where it has several. */
const output = z.string().min(1).optional();

const loss = z.preprocess(
  (value) => (typeof value === "string" ? { kind: value } : value),
  z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("softmaxCrossEntropy"),
      /** Share of the target that is spread over all classes. */
      smoothing: z.number().min(0).lt(1).optional(),
      /** Target of positions that do not count. */
      ignore: z.int().min(-0x80000000).max(0x7fffffff).optional(),
      output,
    }),
    z.strictObject({ kind: z.literal("meanSquaredError"), output }),
    z.strictObject({ kind: z.literal("binaryCrossEntropy"), output }),
    /** The model computes its own loss: its output of one number that is named `loss`; `prediction` is for evaluation. */
    z.strictObject({ kind: z.literal("output"), prediction: z.string().optional() }),
  ]),
);

const clip = z
  .strictObject({ value: z.number().positive().max(1024).optional(), norm: z.number().positive().max(1024).optional() })
  .refine(({ value, norm }) => (value === undefined) !== (norm === undefined), "must have either value or norm");

const lora = z.strictObject({
  rank: z.int().min(1).max(4096),
  alpha: z.number().positive().max(1024),
  /** Names of the weights (or of their layers) that get adapters. */
  targets: globs,
});

const network = { optimizer, rate, clip: clip.optional() };

/** What a column of the schedule holds: a rate, 1 / (1 − beta^(step + 1)), or one number for each step. */
const column = z.discriminatedUnion("kind", [
  ...rate.options,
  z.strictObject({ kind: z.literal("correction"), beta: beta }),
  z.strictObject({ kind: z.literal("values"), values: z.array(z.number()).min(1) }),
]);

const run = {
  steps: count,
  interval: count,
  batch: z.int().min(1).max(65536),
  seed: z
    .union([z.int().min(0), z.string().regex(/^\d{1,20}$/, "must be a whole number of up to 64 bits")])
    .transform(BigInt),
};
const order = z.enum(["replacement", "permutation", "sequential"]).optional();
/** A safetensors file of weights that take the place of the model's own, relative to the task file. */
const initial = z.string().min(1).optional();

const train = z.strictObject({
  kind: z.literal("train"),
  ...run,
  initial,
  order,
  ...network,
  /** Micro-batches that a step's batch is taken in. */
  accumulate: z.int().min(1).max(64).optional(),
  loss,
  train: globs.optional(),
  freeze: globs.optional(),
  lora: lora.optional(),
});

const step = z.strictObject({
  kind: z.literal("step"),
  ...run,
  initial,
  order,
  columns: z.record(z.string(), column).optional(),
  moments: globs.optional(),
});

const inference = z.strictObject({
  kind: z.literal("inference"),
  ...run,
  initial,
  /** A checkpoint commits the outputs of the step before it. */
  interval: z.literal(1).default(1),
  seed: run.seed.default(0n),
  loss: loss.optional(),
});

const gan = z.strictObject({
  kind: z.literal("gan"),
  ...run,
  order,
  noise: z.enum(["normal", "uniform"]).optional(),
  updates: z.enum(["discriminatorFirst", "together"]).optional(),
  generator: z.strictObject(network),
  /** `model`: the discriminator's ONNX file, relative to the task file. */
  discriminator: z.strictObject({ model: z.string().min(1), ...network }),
});

const KIND_ABSENT = "train";

export const trainingSection = z.preprocess(
  (value) =>
    typeof value === "object" && value !== null && !("kind" in value) ? { kind: KIND_ABSENT, ...value } : value,
  z.discriminatedUnion("kind", [train, step, inference, gan]),
);

export type TrainingSection = z.output<typeof trainingSection>;
export type OptimizerSettings = z.output<typeof optimizer>;
export type SgdSettings = z.output<typeof sgd>;
export type AdamSettings = z.output<typeof adam> | z.output<typeof adamw>;
export type LionSettings = z.output<typeof lion>;
export type RateSettings = z.output<typeof rate>;
export type LossSettings = z.output<typeof loss>;
export type ClipSettings = z.output<typeof clip>;
export type ColumnSettings = z.output<typeof column>;
export type LoraSettings = z.output<typeof lora>;
