/** NumPy's format, version 1.0: float32 numbers as `numpy.save` writes them. */
import { writeWhole } from "./writeWhole.ts";

/** Bytes before the header's text: magic, version, length. */
const PREFIX = 10;
/** The whole header is a multiple of it long. */
const ALIGNMENT = 64;

/** Writes an array of `shape`, row-major. */
export function writeNpy(file: string, shape: readonly number[], numbers: Float32Array): void {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const length = Math.ceil((PREFIX + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(length + 4 * numbers.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  view.setUint16(8, length - PREFIX, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(length - PREFIX - 1)}\n`), PREFIX);
  for (const [at, number] of numbers.entries()) view.setFloat32(length + 4 * at, number, true);
  writeWhole(file, bytes);
}
