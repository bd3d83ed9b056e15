/** The task file: what a requester writes to have a model trained (docs/task.md). */
import { z } from "zod";
import { TouchstoneError } from "../errors.ts";
import { repeatedKey } from "./repeatedKey.ts";
import { trainingSection } from "./settings.ts";
import { dataSection } from "./taskData.ts";
import { taskIssue } from "./taskIssue.ts";

const seconds = z.int().min(0).max(0xffffffff);
const fraction = z.number().min(0).max(1);
/** Whole smallest units of the market's token, as a decimal string: token amounts do not fit a JSON number. */
const amount = z
  .string()
  .regex(/^\d{1,29}$/, "must be a whole number of the token's smallest unit, as a string")
  .transform(BigInt);

const market = z.strictObject({
  price: amount,
  solverBond: amount,
  challengerBond: amount,
  verifierFee: amount,
  draws: z.int().min(0).max(65535),
  /** Fraction of segments that are sampled. */
  sampleRate: fraction,
  checkpointTime: seconds,
  replayTime: seconds,
  beaconDelay: z.int().min(1).max(255),
  sealWindow: seconds,
  revealWindow: seconds,
  challengeWindow: seconds,
  clock: seconds,
  answerGrace: seconds,
  choiceGrace: seconds,
});

const schema = z.strictObject({
  version: z.literal(1),
  name: z.string().regex(/^[\w.-]{1,64}$/, "must be 1 to 64 letters, digits, dots, dashes or underscores"),
  /** ONNX file of the forward model, relative to the task file. */
  model: z.string().min(1),
  data: dataSection,
  training: trainingSection,
  market,
});

export type TaskFile = z.output<typeof schema>;

/** A task file that cannot be taken; `path` is the place in it. */
export class TaskFileError extends TouchstoneError {
  readonly code = "TASK_FILE";
  readonly path: string;

  constructor(path: string, detail: string, cause?: unknown) {
    super(`The task file is wrong at ${path}: ${detail}.`, { cause, remedy: "docs/task.md describes every key." });
    this.path = path;
  }
}

/** @throws TaskFileError that names the first wrong or unknown key. */
export function parseTaskFile(text: string): TaskFile {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new TaskFileError("$", `it is no JSON (${(cause as Error).message})`, cause);
  }
  const repeated = repeatedKey(text);
  if (repeated !== null) throw new TaskFileError(repeated, "the key is there twice, and only one can hold");
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    const { path, problem } = taskIssue(schema, document, parsed.error.issues);
    throw new TaskFileError(path, problem, parsed.error);
  }
  const { training } = parsed.data;
  const { steps, interval } = training;
  if (interval > steps)
    throw new TaskFileError("$.training.interval", `${interval} steps are more than the ${steps} of the run`);
  if (training.kind === "train" && training.rate.warmup > steps)
    throw new TaskFileError(
      "$.training.rate.warmup",
      `${training.rate.warmup} steps are more than the ${steps} of the run`,
    );
  return parsed.data;
}
