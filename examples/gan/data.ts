/** Writes the example's data: points of a plane around the eight corners of a regular octagon, the same bytes on every machine. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { initialWords } from "../../shared/numerics/philox.ts";
import { writeNpy } from "../npy.ts";

const SEED = 8n;
const TRAINING = 8000;
const HELD_OUT = 2000;
/** Deviation of a coordinate from its corner. */
const SPREAD = 0.1;
/** From the middle to a corner. */
const RADIUS = 2;
const DIAGONAL = Math.SQRT1_2;
export const CORNERS: readonly (readonly [number, number])[] = [
  ...([
    [1, 0],
    [DIAGONAL, DIAGONAL],
    [0, 1],
    [-DIAGONAL, DIAGONAL],
  ] as const),
  ...([
    [-1, 0],
    [-DIAGONAL, -DIAGONAL],
    [0, -1],
    [DIAGONAL, -DIAGONAL],
  ] as const),
];

/** The points `first … first + count − 1`: [count, 2] numbers. */
export function drawPoints(first: number, count: number): Float32Array {
  const numbers = new Float32Array(2 * count);
  for (let row = 0; row < count; row++) {
    const words = initialWords(SEED, first + row, 9);
    const corner = CORNERS[words[8]! % CORNERS.length]!;
    for (const axis of [0, 1] as const) {
      // The sum of four even numbers of variance 1/12 each is close to a normal one.
      const sum = words.subarray(4 * axis, 4 * axis + 4).reduce((total, word) => total + word / 2 ** 32 - 0.5, 0);
      numbers[2 * row + axis] = RADIUS * corner[axis] + SPREAD * Math.sqrt(3) * sum;
    }
  }
  return numbers;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.join(import.meta.dirname, "data");
  writeNpy(path.join(folder, "training.npy"), [TRAINING, 2], drawPoints(0, TRAINING));
  writeNpy(path.join(folder, "held-out.npy"), [HELD_OUT, 2], drawPoints(TRAINING, HELD_OUT));
}
