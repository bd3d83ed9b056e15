/**
 * Steps every example and some random programs as ONNX models and prints what they reach, as JSON. With the argument `flush` ONNX
 * Runtime takes subnormals for zero; it sets that once for a process, so this is a program of its own. Used by `denormals.test.ts`.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import * as onnxruntime from "onnxruntime-node";
import { listExamples, prepareExample } from "../../requester/demo/examples.ts";
import { prepareTask } from "../../requester/prepare.ts";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { type Form, HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { LocalHost } from "../../shared/engine/localHost.ts";
import { FLOAT32_ONLY, FLOAT64 } from "../../shared/engine/realise/arithmetic.ts";
import { type Job, sourceOutputs } from "../../shared/job/job.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { operand } from "../helpers/operators.ts";
import { examples } from "./compare.ts";

/** What the engine makes of 2^-100 · 2^-40, and what each run reaches. */
export interface DenormalRoots {
  readonly product: number;
  readonly runs: Readonly<Record<string, { readonly root: string; readonly losses: readonly number[] }>>;
}

const STEPS = process.env.TOUCHSTONE_DEEP === "1" ? 3 : 1;
const ROOT = path.resolve(import.meta.dirname, "../..");
const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const flush = process.argv[2] === "flush";

function open(program: Program, form: Form): Promise<HostedEngine> {
  const settings = flush ? { set_denormal_as_zero: "1" } : {};
  const runtime = {
    name: "denormals",
    library: onnxruntime,
    provider: "cpu",
    threads: 1,
    fillsOutputs: true,
    settings,
  };
  return HostedEngine.open(new LocalHost(runtime), program, form);
}

const float = (value: number): Tensor => ({
  dtype: 0,
  shape: [1],
  words: new Uint32Array(Float32Array.of(value).buffer),
});

async function subnormalProduct(): Promise<number> {
  const operands = [operand("state", 0, 1, [1]), operand("state", 1, 1, [1])];
  const multiply = {
    family: "map",
    dtype: 0,
    shape: [1],
    operands,
    immediates: [],
    instructions: [[3, 0, 1, 0]],
  } as const;
  const program: Program = {
    ...{ operators: [{ name: "product", operator: multiply }], constants: [], sample: { words: 0, fields: [] } },
    state: [0, 1].map((p) => ({ name: `x${p}`, dtype: 0, shape: [1], source: null })),
    ...{ scheduleColumns: [], loss: 0, logits: null },
  };
  const engine = await open(program, FLOAT64);
  const inputs = { state: [float(2 ** -100), float(2 ** -40)], batches: new Map(), schedule: new Map() };
  const [word] = (await engine.trace(inputs)).outputs[0]!.words;
  await engine.close();
  return word!;
}

const jobs: { name: string; job: Job; state: readonly Tensor[] }[] = [];
for (const name of listExamples()) {
  // Making an example's data takes longer than the steps.
  if (!DEEP && existsSync(path.join(ROOT, "examples", name, "data.ts"))) continue;
  const file = path.join(ROOT, prepareExample(name));
  const { job, initialState } = (await prepareTask(file)).taskPackage;
  jobs.push({ name, job, state: initialState });
}
for (const { name, job, state } of examples(6)) jobs.push({ name, job, state });

const runs: Record<string, { root: string; losses: number[] }> = {};
for (const { name, job, state } of jobs)
  for (const [how, form] of [
    ["float64", FLOAT64],
    ["float32 digits", FLOAT32_ONLY],
  ] as const) {
    const losses: number[] = [];
    const engine = await open(job.program, form);
    const result = await engine.steps({
      state,
      count: Math.min(STEPS, job.steps),
      inputs: (step) => sourceOutputs(job, step),
      onStep: (_, { loss }) => losses.push(loss),
    });
    await engine.close();
    runs[`${name}, ${how}`] = { root: stateRoot(result.state), losses };
  }
const roots: DenormalRoots = { product: await subnormalProduct(), runs };
process.stdout.write(JSON.stringify(roots));
