/** Whole trainings against PyTorch's: the loss of every step and all parameters after the last one (`train.py` makes the vectors). */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { type CompiledTraining, compileTraining } from "../../../shared/compile/compile.ts";
import { parameterIndices } from "../../../shared/compile/optimizer/parameters.ts";
import { type NamedTensor, readSafetensors } from "../../../shared/data/safetensors.ts";
import { decodeSamples } from "../../../shared/data/samples.ts";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import { type Job, sourceOutputs } from "../../../shared/job/job.ts";
import { requireWellFormedJob } from "../../../shared/job/validate.ts";
import { Dtype } from "../../../shared/program/descriptor.ts";
import type { SampleField } from "../../../shared/program/program.ts";
import { trainingSection } from "../../../shared/task/settings.ts";
import { numbers } from "../../helpers/compile.ts";

const FOLDER = path.join(import.meta.dirname, "vectors");
const BATCH = 8;
/** Of a loss, relative to 1 or to the loss. */
const LOSS_TOLERANCE = 1e-5;
/** Of a parameter tensor, relative to how far the training has moved it. */
const PARAMETER_TOLERANCE = 1e-4;

const file = (name: string): Uint8Array => readFileSync(path.join(FOLDER, name));

/** The layout of the samples, with the bounds that their values have. */
function fieldsOf(tensors: readonly NamedTensor[]): SampleField[] {
  let offset = 0;
  return tensors.map((tensor) => {
    const { name, dtype, shape, words } = tensor;
    const isFloat = dtype === Dtype.float32;
    const values = Array.from(isFloat ? numbers(tensor) : new Int32Array(words.buffer, words.byteOffset, words.length));
    const width = shape[1]!;
    offset += width;
    const [minimum, maximum] = [Math.min(...values), Math.max(...values)];
    return { name, dtype, offset: offset - width, width, minimum, maximum };
  });
}

interface Case {
  readonly compiled: CompiledTraining;
  readonly job: Job;
  readonly losses: Float32Array;
  readonly parameters: ReadonlyMap<string, NamedTensor>;
}

function readCase(model: string, name: string): Case {
  const { tensors, metadata } = readSafetensors(file(`${model}.${name}.safetensors`));
  const [losses, ...parameters] = tensors as [NamedTensor, ...NamedTensor[]];
  const steps = losses.words.length;
  const written = JSON.parse(metadata.training!);
  if (written.kind === "gan") written.discriminator.model = "the other file";
  const training = trainingSection.parse({
    ...written,
    ...{ steps, interval: steps, batch: BATCH, seed: 1, order: "sequential" },
  });
  const data = file(`${model}.data.safetensors`);
  const fields = fieldsOf(readSafetensors(data).tensors);
  const files = { model: file(`${model}.onnx`), fields };
  const compiled = compileTraining(
    training.kind === "gan"
      ? { ...training, ...files, discriminatorModel: file(`${model}-discriminator.onnx`) }
      : { ...training, ...files },
  );
  const { program, schedule } = compiled;
  const samples = decodeSamples(program.sample, data).words;
  const job: Job = { program, samples, schedule: schedule.words, seed: training.seed, steps, interval: steps };
  return {
    compiled,
    job,
    losses: numbers(losses),
    parameters: new Map(parameters.map((tensor) => [tensor.name, tensor])),
  };
}

const norm = (values: Iterable<number>): number => Math.hypot(...values);

for (const entry of readdirSync(FOLDER).sort()) {
  const [, model, name] = entry.match(/^(\w+)\.([\w-]+)\.safetensors$/) ?? [];
  if (model === undefined || name === "data") continue;
  test(`${model}, ${name}: 50 steps as PyTorch makes them`, async () => {
    const { compiled, job, losses, parameters } = readCase(model, name!);
    const { program, initialState } = compiled;
    requireWellFormedJob(job, initialState);
    const { state } = await new ReferenceEngine(program).steps({
      state: initialState,
      count: job.steps,
      inputs: (step) => sourceOutputs(job, step),
      onStep: (step, { loss }) => {
        const expected = losses[step]!;
        assert.ok(
          Math.abs(loss - expected) <= LOSS_TOLERANCE * Math.max(1, expected),
          `step ${step}: loss ${loss} instead of ${expected}`,
        );
      },
    });
    assert.ok(model === "gan" || losses.at(-1)! < losses[0]!, "it learns");
    const trained = parameterIndices(program.state);
    assert.deepEqual(new Set(trained.map((index) => program.state[index]!.name)), new Set(parameters.keys()));
    for (const index of trained) {
      const parameter = program.state[index]!.name;
      const expected = parameters.get(parameter)!;
      const [before, after, truth] = [initialState[index]!, state[index]!, expected].map(numbers) as Float32Array[];
      const moved = norm(truth!.map((value, i) => value - before![i]!));
      const off = norm(truth!.map((value, i) => value - after![i]!));
      assert.ok(off <= PARAMETER_TOLERANCE * moved, `${parameter}: off by ${off} after moving ${moved}`);
    }
  });
}
