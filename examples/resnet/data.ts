/** Writes the example's data: the digits of examples/digits-cnn at half the size, the same bytes on every machine. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Digits, drawDigits, SIDE, writeDigitSet } from "../digits-cnn/data.ts";

const SEED = 14n;
const TRAINING = 2400;
const HELD_OUT = 480;
/** Height and width of an image. */
const HALF = SIDE / 2;

/** Each pixel is the mean of four, rounded down. */
function halve({ images, labels }: Digits): Digits {
  const halved = new Uint8Array(images.length / 4);
  for (let row = 0; row < labels.length * HALF; row++) {
    for (let column = 0; column < HALF; column++) {
      const at = 2 * row * SIDE + 2 * column;
      const sum = images[at]! + images[at + 1]! + images[at + SIDE]! + images[at + SIDE + 1]!;
      halved[row * HALF + column] = sum >> 2;
    }
  }
  return { images: halved, labels };
}

/** Writes four IDX files of 14 × 14 images and their classes into a folder. */
export function writeSmallDigits(folder: string): void {
  writeDigitSet(folder, "training", halve(drawDigits(SEED, 0, TRAINING)), HALF);
  writeDigitSet(folder, "held-out", halve(drawDigits(SEED, TRAINING, HELD_OUT)), HALF);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeSmallDigits(path.join(import.meta.dirname, "data"));
