/**
 * Writes `forward.onnx` beside this file: the forward model of `task.json` with seeded initial weights. The same data and seed give
 * the same bytes. Run it again after changing sizes here, or the data or the context in the task file.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { textDataset } from "../../shared/data/text.ts";
import { encodeModel } from "../../shared/program/onnx/encode.ts";
import { parseTaskFile } from "../../shared/program/task.ts";
import { mlpModel, mlpWeights } from "./model.ts";

const EMBEDDING = 24;
const HIDDEN = [192, 128];
const WEIGHT_SEED = 2026n;

/** Bytes of the forward model for the task file in `folder`. */
export function forwardModel(folder: string): Uint8Array {
  const { data } = parseTaskFile(readFileSync(path.join(folder, "task.json"), "utf8"));
  const files = globSync(data.files, { cwd: folder }).sort();
  const { vocabulary } = textDataset(
    files.map((file) => readFileSync(path.join(folder, file), "utf8")),
    data,
  );
  const sizes = { context: data.context, vocabulary: vocabulary.length, embedding: EMBEDDING, hidden: HIDDEN };
  return encodeModel(mlpModel(sizes, mlpWeights(sizes, WEIGHT_SEED)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(path.join(import.meta.dirname, "forward.onnx"), forwardModel(import.meta.dirname));
}
