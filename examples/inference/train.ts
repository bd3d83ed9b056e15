/**
 * Writes `trained.onnx`: a small LeNet that has learnt the images of examples/digits-cnn, trained from seeded weights by this very project's
 * engine. The same machine-independent arithmetic as everywhere, so the same bytes for everybody.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { compileTraining } from "../../shared/compile/compile.ts";
import { buildDataset } from "../../shared/data/buildDataset.ts";
import { dataFilesIn } from "../../shared/data/files.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { type Job, sourceOutputs } from "../../shared/job/job.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import type { OnnxModel } from "../../shared/onnx/model.ts";
import { parseTaskFile } from "../../shared/task/task.ts";
import { writeDigits } from "../digits-cnn/data.ts";
import { type LenetSizes, lenetModel, lenetParameters, lenetWeights } from "../digits-cnn/model.ts";

const SIZES: LenetSizes = { side: 28, channels: [4, 8], hidden: [32], classes: 10 };
const OUTPUT = "logits";
const WEIGHT_SEED = 1000n;
const DIGITS = path.resolve(import.meta.dirname, "../digits-cnn");

/** Bytes of the trained model. */
export async function train(): Promise<Uint8Array> {
  writeDigits(path.join(DIGITS, "data"));
  const { data, training } = parseTaskFile(readFileSync(path.join(DIGITS, "task.json"), "utf8"));
  if (training.kind !== "train") throw new TypeError("digits-cnn is trained");
  const { layout, training: samples } = await buildDataset(data, dataFilesIn(DIGITS));
  const model = encodeModel(lenetModel(SIZES, lenetWeights(SIZES, WEIGHT_SEED)));
  const { program, initialState, schedule } = compileTraining({ ...training, model, fields: layout.fields });
  const { steps, seed } = training;
  const job: Job = { program, samples, schedule: schedule.words, seed, steps, interval: steps };
  const engine = await startOnnxRuntime(program);
  try {
    const { state } = await engine.steps({
      state: initialState,
      count: steps,
      inputs: (step) => sourceOutputs(job, step),
    });
    const trained = [...lenetParameters(SIZES).keys()].map((name, index): [string, Float32Array] => {
      const { buffer, byteOffset, length } = state[index]!.words;
      return [name, new Float32Array(buffer, byteOffset, length)];
    });
    return encodeModel(named(lenetModel(SIZES, new Map(trained))));
  } finally {
    await engine.close();
  }
}

/** The model with its output under the name that the outputs' file will have. */
function named({ graph, ...model }: OnnxModel): OnnxModel {
  const [output] = graph.outputs;
  const renamed = (name: string): string => (name === output!.name ? OUTPUT : name);
  return {
    ...model,
    graph: {
      ...graph,
      nodes: graph.nodes.map((node) => ({ ...node, outputs: node.outputs.map(renamed) })),
      outputs: [{ ...output!, name: OUTPUT }],
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.join(import.meta.dirname, "trained.onnx");
  writeFileSync(file, await train());
  console.log(`wrote ${file}`);
}
