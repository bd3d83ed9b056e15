/**
 * Writes the example's data: images of digits with their classes, in the IDX format. Every image is a glyph with points a little out of place, moved,
 * scaled, slanted, drawn with a pen of some width, and covered with noise, all by a seed: the same bytes on every machine, as nothing but
 * +, −, ×, ÷ and roots takes part.
 */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { initialWords } from "../../shared/numerics/philox.ts";
import { writeWhole } from "../writeWhole.ts";
import { GLYPHS, type Point } from "./glyphs.ts";

export const SIDE = 28;
const SEED = 28n;
const TRAINING = 4000;
const HELD_OUT = 1000;

export interface Digits {
  /** [count, 28, 28], from 0 (background) to 255. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** Images `first … first + count − 1` of the endless series that a seed gives. */
export function drawDigits(seed: bigint, first: number, count: number): Digits {
  const images = new Uint8Array(count * SIDE * SIDE);
  const labels = new Uint8Array(count);
  for (let at = 0; at < count; at++) {
    const words = initialWords(seed, first + at, 64 + SIDE * SIDE).values();
    /** Uniform in [least, most). */
    const uniform = (least: number, most: number): number => least + (most - least) * (words.next().value! / 2 ** 32);
    labels[at] = Math.floor(uniform(0, 10));
    images.set(drawDigit(labels[at]!, uniform), at * SIDE * SIDE);
  }
  return { images, labels };
}

function drawDigit(digit: number, uniform: (least: number, most: number) => number): Uint8Array {
  const [width, height] = [uniform(13, 20), uniform(16, 22)];
  const [slant, tilt] = [uniform(-0.35, 0.35), uniform(-0.2, 0.2)];
  const [right, down] = [uniform(-2.5, 2.5), uniform(-2.5, 2.5)];
  const radius = uniform(0.7, 1.7);
  const [ink, noise] = [uniform(140, 255), uniform(0, 70)];
  const place = ([x, y]: Point): Point => {
    const [u, v] = [x - 0.5 + uniform(-0.04, 0.04), y - 0.5 + uniform(-0.04, 0.04)];
    return [SIDE / 2 + right + (u - slant * v) * width, SIDE / 2 + down + (v + tilt * u) * height];
  };
  const strokes = GLYPHS[digit]!.map((stroke) => stroke.map(place));
  return Uint8Array.from({ length: SIDE * SIDE }, (_, pixel) => {
    const at: Point = [(pixel % SIDE) + 0.5, Math.floor(pixel / SIDE) + 0.5];
    const distance = Math.min(
      ...strokes.flatMap((stroke) => stroke.slice(1).map((end, i) => distanceToLine(at, stroke[i]!, end))),
    );
    const covered = Math.min(1, Math.max(0, radius + 0.5 - distance));
    return Math.min(255, Math.max(0, covered * ink + uniform(-noise, noise)));
  });
}

function distanceToLine([x, y]: Point, [x0, y0]: Point, [x1, y1]: Point): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)));
  const [u, v] = [x - x0 - along * dx, y - y0 - along * dy];
  return Math.sqrt(u * u + v * v);
}

/** An array of bytes as an IDX file. */
function idx(sizes: readonly number[], elements: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
  header.setUint32(0, 0x0800 + sizes.length);
  for (const [axis, size] of sizes.entries()) header.setUint32(4 + 4 * axis, size);
  return Buffer.concat([new Uint8Array(header.buffer), elements]);
}

/** Writes two files: `NAME-images.idx` [count, side, side] and `NAME-labels.idx` [count]. */
export function writeDigitSet(folder: string, name: string, { images, labels }: Digits, side: number): void {
  writeWhole(path.join(folder, `${name}-images.idx`), idx([labels.length, side, side], images));
  writeWhole(path.join(folder, `${name}-labels.idx`), idx([labels.length], labels));
}

/** Writes the four files of the example into a folder. */
export function writeDigits(folder: string, training: number = TRAINING, heldOut: number = HELD_OUT): void {
  writeDigitSet(folder, "training", drawDigits(SEED, 0, training), SIDE);
  writeDigitSet(folder, "held-out", drawDigits(SEED, TRAINING, heldOut), SIDE);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.join(import.meta.dirname, "data");
  writeDigits(folder);
  console.log(`wrote ${TRAINING} images for training and ${HELD_OUT} held out into ${folder}`);
}
