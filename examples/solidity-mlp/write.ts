/**
 * Writes the forward model of a task file with seeded initial weights, to where the task file names it; of `task.json` beside this
 * file when none is given. The same data, sizes and seed give the same bytes. Run it again after changing the data or the context.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildDataset } from "../../shared/data/buildDataset.ts";
import { dataFilesIn } from "../../shared/data/files.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { parseTaskFile, type TaskFile } from "../../shared/task/task.ts";
import { type MlpSizes, mlpModel, mlpWeights } from "./model.ts";

const WIDTHS = { embedding: 24, hidden: [192, 128] };
const WEIGHT_SEED = 2026n;

/** Bytes of a forward model for the text of `task`, whose paths start in `folder`. */
export async function forwardModel(
  { data }: TaskFile,
  folder: string,
  widths: Pick<MlpSizes, "embedding" | "hidden"> = WIDTHS,
): Promise<Uint8Array> {
  const { layout, text } = await buildDataset(data, dataFilesIn(folder));
  if (text === null) throw new TypeError("this model is for text: the task file's data are of another kind");
  const sizes = { context: layout.fields[0]!.width, vocabulary: text.tokenizer.size, ...widths };
  return encodeModel(mlpModel(sizes, mlpWeights(sizes, WEIGHT_SEED)));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      embedding: { type: "string", default: String(WIDTHS.embedding) },
      hidden: { type: "string", default: WIDTHS.hidden.join() },
    },
  });
  const [embedding, ...hidden] = [values.embedding, ...values.hidden.split(",")].map(Number);
  if (![embedding!, ...hidden].every((width) => Number.isInteger(width) && width > 0)) {
    throw new RangeError("--embedding takes a positive integer, --hidden some with commas between them");
  }
  const taskFile = positionals[0] ?? path.join(import.meta.dirname, "task.json");
  const folder = path.dirname(path.resolve(taskFile));
  const task = parseTaskFile(readFileSync(taskFile, "utf8"));
  const file = path.resolve(folder, task.model);
  writeFileSync(file, await forwardModel(task, folder, { embedding: embedding!, hidden }));
  console.log(`wrote ${file}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
