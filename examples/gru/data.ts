/**
 * Writes the example's data: pieces of noisy series, each the sum of two oscillations that +, −, ×, ÷ and roots make, so that the bytes are
 * the same on every machine.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { initialWords } from "../../shared/numerics/philox.ts";
import { writeNpy } from "../npy.ts";

/** Values that the model sees, and those that it forecasts. */
const [SEEN, AHEAD] = [24, 8];
const LENGTH = SEEN + AHEAD;
const SEED = 24n;
const TRAINING = 4000;
const HELD_OUT = 800;
const NOISE = 0.05;

/** The series `first … first + count − 1`: [count, SEEN + AHEAD] numbers of about ±1. */
export function drawSeries(first: number, count: number): Float32Array {
  const numbers = new Float32Array(count * LENGTH);
  for (let row = 0; row < count; row++) {
    const words = initialWords(SEED, first + row, 6 + LENGTH).values();
    const uniform = (least: number, most: number): number => least + (most - least) * (words.next().value! / 2 ** 32);
    const slow = oscillation(uniform(0.05, 0.15), uniform(-1, 1), uniform(-1, 1));
    const fast = oscillation(uniform(0.4, 1.2), uniform(-1, 1), uniform(-1, 1));
    for (let at = 0; at < LENGTH; at++) {
      numbers[row * LENGTH + at] = 0.6 * slow() + 0.3 * fast() + uniform(-NOISE, NOISE);
    }
  }
  return numbers;
}

/** Values of x″ = −k x by small steps, its period about 2π / √k, with a start (x, v) that is brought to an amplitude of about 1. */
function oscillation(k: number, x: number, v: number): () => number {
  const amplitude = Math.sqrt(x * x + (v * v) / k) + 0.25;
  let [at, speed] = [x / amplitude, v / amplitude];
  return () => {
    speed -= k * at;
    at += speed;
    return at;
  };
}

/** Columns `from … to − 1` of all rows. */
function columns(series: Float32Array, from: number, to: number): Float32Array {
  return series.filter((_, at) => at % LENGTH >= from && at % LENGTH < to);
}

function writeSeries(folder: string, name: string, first: number, count: number): void {
  const series = drawSeries(first, count);
  writeNpy(path.join(folder, `${name}-seen.npy`), [count, SEEN], columns(series, 0, SEEN));
  writeNpy(path.join(folder, `${name}-ahead.npy`), [count, AHEAD], columns(series, SEEN, LENGTH));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.join(import.meta.dirname, "data");
  writeSeries(folder, "training", 0, TRAINING);
  writeSeries(folder, "held-out", TRAINING, HELD_OUT);
}
