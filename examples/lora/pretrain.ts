/**
 * Writes `base.onnx`: a byte model of Solidity, trained from seeded weights by this very project's engine. The same machine-independent
 * arithmetic as everywhere, so the same bytes for everybody.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { compileTraining } from "../../shared/compile/compile.ts";
import { buildDataset } from "../../shared/data/buildDataset.ts";
import { dataFilesIn } from "../../shared/data/files.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { type Job, sourceOutputs } from "../../shared/job/job.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { trainingSection } from "../../shared/task/settings.ts";
import { dataSection } from "../../shared/task/taskData.ts";
import { mlpModel, mlpParameters, mlpWeights } from "../solidity-mlp/model.ts";

const DATA = {
  kind: "text",
  files: "../../node_modules/@openzeppelin/contracts/**/*.sol",
  tokenizer: "bytes",
  context: 16,
  stride: 7,
  holdOutEvery: 10,
};
const TRAINING = {
  steps: 2000,
  interval: 2000,
  batch: 64,
  seed: 2026,
  loss: "softmaxCrossEntropy",
  optimizer: { kind: "adamw", beta2: 0.99 },
  rate: { kind: "cosine", peak: 0.006, warmup: 100 },
};
const WIDTHS = { embedding: 16, hidden: [128, 64] };
const WEIGHT_SEED = 7n;

/** Bytes of the trained base. */
export async function pretrain(onStep: (step: number, loss: number) => void = () => {}): Promise<Uint8Array> {
  const data = await buildDataset(dataSection.parse(DATA), dataFilesIn(import.meta.dirname));
  const training = trainingSection.parse(TRAINING);
  if (training.kind !== "train" || data.text === null) throw new TypeError("the base is a model of text");
  const sizes = { context: data.layout.fields[0]!.width, vocabulary: data.text.tokenizer.size, ...WIDTHS };
  const model = encodeModel(mlpModel(sizes, mlpWeights(sizes, WEIGHT_SEED)));
  const { program, initialState, schedule } = compileTraining({ ...training, model, fields: data.layout.fields });
  const { steps, seed } = training;
  const job: Job = { program, samples: data.training, schedule: schedule.words, seed, steps, interval: steps };
  const engine = await startOnnxRuntime(program);
  try {
    const { state } = await engine.steps({
      state: initialState,
      count: steps,
      inputs: (step) => sourceOutputs(job, step),
      onStep: (step, { loss }) => onStep(step, loss),
    });
    const names = [...mlpParameters(sizes).keys()];
    const trained = names.map((name, index): [string, Float32Array] => {
      const { buffer, byteOffset, length } = state[index]!.words;
      return [name, new Float32Array(buffer, byteOffset, length)];
    });
    return encodeModel(mlpModel(sizes, new Map(trained)));
  } finally {
    await engine.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.join(import.meta.dirname, "base.onnx");
  const bytes = await pretrain((step, loss) => {
    if (step % 100 === 99) console.log(`step ${step + 1}: loss ${loss.toFixed(3)}`);
  });
  writeFileSync(file, bytes);
  console.log(`wrote ${file}`);
}
