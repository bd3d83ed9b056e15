/** Writes the forward model with seeded initial weights beside this file. The same seed gives the same bytes. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { type LenetSizes, lenetModel, lenetWeights } from "./model.ts";

export const SIZES: LenetSizes = { side: 28, channels: [6, 16], hidden: [84], classes: 10 };
const WEIGHT_SEED = 2026n;

/** Bytes of the example's forward model. */
export function forwardModel(): Uint8Array {
  return encodeModel(lenetModel(SIZES, lenetWeights(SIZES, WEIGHT_SEED)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.join(import.meta.dirname, "forward.onnx");
  writeFileSync(file, forwardModel());
  console.log(`wrote ${file}`);
}
