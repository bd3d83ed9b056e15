/** The demo: an honest run, a false accuser, a cheat; real processes on a real chain (README). */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Dataset } from "../../shared/data/dataset.ts";
import { readSafetensors } from "../../shared/data/safetensors.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { TouchstoneError } from "../../shared/errors.ts";
import { segmentCount } from "../../shared/job/job.ts";
import type { Baseline } from "../baseline.ts";
import { TrainedModel } from "../evaluate.ts";
import { evaluateTrained, type ModelEvaluation } from "../evaluateModel.ts";
import { fetchModel } from "../fetchModel.ts";
import { type PreparedTask, prepareTask } from "../prepare.ts";
import { type CheatedRun, runCheat } from "./cheatedRun.ts";
import { accuseFalsely, type FalseAccusation } from "./falseAccusation.ts";
import { awaitAttestations, modelFile, postTask, type StartedTask, settle, watchTraining } from "./honestRun.ts";
import type { ProgramProcess } from "./programProcess.ts";
import type { Reporter } from "./reporter.ts";
import { type Role, Stage } from "./stage.ts";

export interface DemoOptions {
  readonly chain: "hardhat" | "anvil" | URL;
  /** The example's task file, relative to the working directory. */
  readonly taskFile: string;
  readonly cheat: string;
  readonly seed: number;
  readonly folder: string;
}

export interface HonestResult {
  readonly losses: readonly number[];
  /** Of an inference the samples are those of the task, of a training the held-out ones. */
  readonly samples: "held-out" | "own";
  /** What `heldOutLoss` is. */
  readonly measure: ModelEvaluation["measure"];
  readonly heldOutLoss: number;
  /** Null where nothing can be counted. */
  readonly baseline: Baseline | null;
  /** Share of held-out targets that it predicts; null where it does not choose among classes. */
  readonly accuracy: number | null;
  readonly parameters: number;
  /** Text that a model of text writes after a held-out beginning. */
  readonly sample: string | null;
  readonly modelFile: string;
}

export interface DemoResult {
  readonly honest: HonestResult;
  readonly falseAccusation: FalseAccusation;
  readonly cheat: CheatedRun;
}

/** The demo showed something else than it promises: never expected, and never hidden. */
export class DemoError extends TouchstoneError {
  readonly code = "DEMO";
}

/** Held-out samples and targets that the loss is measured on at most. */
const HELD_OUT_SAMPLES = 4096;
const HELD_OUT_TARGETS = 2 ** 15;
/** What a model of text writes. */
const SAMPLE_TOKENS = 240;
const SAMPLE_TEMPERATURE = 0.5;

export async function runDemo(options: DemoOptions, report: Reporter): Promise<DemoResult> {
  const { chain, taskFile, cheat, seed, folder } = options;
  const [stage, prepared] = await Promise.all([Stage.build(chain, folder), prepareTask(taskFile)]);
  try {
    report.stage(stage, prepared);
    const verifiers = await startVerifiers(stage);
    report.part(1, "An honest run");
    const task = await postTask(stage, taskFile);
    const solver = stage.start("solver", "solver", ["work", "--task", task.taskId, "--once"]);
    const losses = await watchTraining(solver, prepared.taskPackage.job.steps, report.silent);
    const attested = await awaitAttestations(stage, verifiers, task, segmentCount(prepared.taskPackage.job));
    report.attested(attested);

    report.part(2, "A false accuser, while the windows are open");
    const before = await balances(stage, ["solver", "accuser"]);
    const falseAccusation = await accuseFalsely(stage, task, seed % segmentCount(prepared.taskPackage.job));
    if (falseAccusation.transcript.defendantConvicted) throw new DemoError("The honest solver was convicted.");
    report.accused(falseAccusation, before, await balances(stage, ["solver", "accuser"]));

    await settle(stage, solver, task);
    const honest = await evaluate(stage, prepared, task, losses);
    const { baseline } = honest;
    if (baseline !== null && honest.heldOutLoss >= baseline.loss)
      throw new DemoError(`The model does not beat ${baseline.name}.`);
    report.settled(honest, await balances(stage, ["requester", "solver", "verifier 1", "verifier 2"]));

    report.part(3, `A cheat: ${cheat}`);
    const funds = await balances(stage, ["cheat", "verifier 1", "verifier 2"]);
    const cheated = await runCheat(stage, taskFile, verifiers, cheat, seed);
    requireCaught(cheated);
    report.caught(cheated, funds, await balances(stage, ["cheat", "verifier 1", "verifier 2"]));
    return { honest, falseAccusation, cheat: cheated };
  } finally {
    await stage.close();
  }
}

async function startVerifiers(stage: Stage): Promise<ProgramProcess[]> {
  const roles: readonly Role[] = ["verifier 1", "verifier 2"];
  const verifiers = roles.map((role) => stage.start(role, "verifier", ["work", "--seats", "2", "--watch", "all"]));
  await Promise.all(verifiers.map((verifier) => verifier.waitFor("joining", ({ event }) => event === "ready")));
  return verifiers;
}

async function evaluate(
  stage: Stage,
  prepared: PreparedTask,
  { taskId }: StartedTask,
  losses: readonly number[],
): Promise<HonestResult> {
  const file = modelFile(stage);
  await stage
    .start("requester", "requester", ["fetch", taskId, "--out", file])
    .waitFor("fetching", ({ event }) => event === "fetched");
  const parameters = readSafetensors(await readFile(file)).tensors.reduce((sum, { words }) => sum + words.length, 0);
  const { state } = await fetchModel(stage.chain, stage.deployment, stage.store, taskId);
  const { data, evaluation } = prepared;
  const { program, kept } = evaluation;
  const engine = await startOnnxRuntime(program);
  try {
    const model = new TrainedModel(
      engine,
      program,
      kept.map((index) => state[index]!),
    );
    const { measure, loss, baseline, accuracy } = await evaluateTrained(model, prepared, mostSamples(data));
    return {
      losses,
      samples: prepared.task.training.kind === "inference" ? "own" : "held-out",
      measure,
      heldOutLoss: loss,
      baseline,
      accuracy,
      parameters,
      sample: await sampleOf(model, data),
      modelFile: path.relative(process.cwd(), file),
    };
  } finally {
    await engine.close();
  }
}

/** A sample of a sequence model has a target for each position. */
function mostSamples({ layout }: Dataset): number {
  const targets = layout.fields.find(({ name }) => name === "target")?.width ?? 1;
  return Math.min(HELD_OUT_SAMPLES, Math.ceil(HELD_OUT_TARGETS / targets));
}

/** What a model of text writes after a held-out beginning. */
async function sampleOf(model: TrainedModel, { text, heldOut, layout }: Dataset): Promise<string | null> {
  if (text === null) return null;
  const prompt = heldOut.subarray(0, layout.fields[0]!.width);
  const written = await model.write(prompt, SAMPLE_TOKENS, 1n, SAMPLE_TEMPERATURE);
  return text.tokenizer.decode([...prompt, ...written]);
}

function requireCaught({ transcript, located, injected }: CheatedRun): void {
  if (!transcript.defendantConvicted) throw new DemoError("The cheat was not convicted.");
  if (located === null) return;
  for (const [key, value] of Object.entries(located)) {
    if (key in injected && injected[key] !== value) {
      throw new DemoError(`The chain located ${key} ${value}, but the cheat was at ${injected[key]}.`);
    }
  }
}

async function balances(stage: Stage, roles: readonly Role[]): Promise<Map<Role, bigint>> {
  return new Map(await Promise.all(roles.map(async (role) => [role, await stage.balance(role)] as const)));
}
