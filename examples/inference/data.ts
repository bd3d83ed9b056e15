/** Writes the example's data: digits as examples/digits-cnn draws them, others than the model has learnt from. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { drawDigits, SIDE, writeDigitSet } from "../digits-cnn/data.ts";

const SEED = 1000n;
const COUNT = 1000;

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeDigitSet(path.join(import.meta.dirname, "data"), "unseen", drawDigits(SEED, 0, COUNT), SIDE);
