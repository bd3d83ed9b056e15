/**
 * The committed dataset: N samples of the same number of words, laid out in fields. Its file is a safetensors file with one
 * tensor `[N, width]` for each field, so that other tools can write and read it.
 */
import { TouchstoneError } from "../errors.ts";
import { Dtype } from "../program/descriptor.ts";
import type { Program, SampleField } from "../program/program.ts";
import { type NamedTensor, readSafetensors, writeSafetensors } from "./safetensors.ts";

export type SampleLayout = Program["sample"];

/** All samples, one after the other. */
export interface Samples {
  readonly count: number;
  /** count × layout.words words; a word outside every field is 0. */
  readonly words: Uint32Array;
}

/** The file or the words do not have the layout that the program declares. */
export class SampleLayoutError extends TouchstoneError {
  readonly code = "SAMPLE_LAYOUT";
  constructor(detail: string) {
    super(`The dataset does not fit the program: ${detail}.`, {
      remedy: "Prepare the dataset for this program: one tensor [samples, width] for each of its fields.",
    });
  }
}

/** A value outside the bounds that the program's arithmetic was checked for. */
export class SampleBoundsError extends TouchstoneError {
  readonly code = "SAMPLE_BOUNDS";
  readonly sample: number;
  constructor(sample: number, field: SampleField, position: number, value: number) {
    super(
      `Sample ${sample}: ${field.name}[${position}] is ${value}, outside ${field.minimum} … ${field.maximum}, the bounds the program declares.`,
      { remedy: "Correct the sample, or declare wider bounds and compile the program again." },
    );
    this.sample = sample;
  }
}

function requireLayout(layout: SampleLayout): void {
  let end = 0;
  for (const { name, offset, width } of [...layout.fields].sort((a, b) => a.offset - b.offset)) {
    if (width < 1 || offset < end || offset + width > layout.words) {
      throw new SampleLayoutError(`the field ${name} at word ${offset} overlaps another or leaves the sample`);
    }
    end = offset + width;
  }
}

/** Number of samples. */
function requireWhole(layout: SampleLayout, words: Uint32Array): number {
  const count = words.length / layout.words;
  if (!Number.isInteger(count) || count < 1) {
    throw new SampleLayoutError(`${words.length} words are not a positive number of samples of ${layout.words}`);
  }
  return count;
}

/**
 * Checks every word: in its field's bounds (so never a NaN), and 0 outside every field.
 * @throws SampleLayoutError, SampleBoundsError.
 */
export function checkSamples(layout: SampleLayout, words: Uint32Array): Samples {
  requireLayout(layout);
  const count = requireWhole(layout, words);
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  const integers = new Int32Array(words.buffer, words.byteOffset, words.length);
  const free = new Uint8Array(layout.words).fill(1);
  for (const field of layout.fields) {
    free.fill(0, field.offset, field.offset + field.width);
    const values = field.dtype === Dtype.float32 ? floats : integers;
    for (let sample = 0; sample < count; sample++) {
      const start = sample * layout.words + field.offset;
      for (let position = 0; position < field.width; position++) {
        const value = values[start + position]!;
        if (!(value >= field.minimum && value <= field.maximum)) {
          throw new SampleBoundsError(sample, field, position, value);
        }
      }
    }
  }
  if (free.includes(1)) {
    const stray = words.findIndex((word, position) => word !== 0 && free[position % layout.words] === 1);
    if (stray >= 0) throw new SampleLayoutError(`word ${stray} belongs to no field and is not 0`);
  }
  return { count, words };
}

/**
 * The dataset's file.
 * @throws as `checkSamples`.
 */
export function encodeSamples(layout: SampleLayout, words: Uint32Array): Uint8Array {
  const { count } = checkSamples(layout, words);
  return writeSafetensors(
    layout.fields.map((field) => {
      const values = new Uint32Array(count * field.width);
      for (let sample = 0; sample < count; sample++) {
        const start = sample * layout.words + field.offset;
        values.set(words.subarray(start, start + field.width), sample * field.width);
      }
      return { name: field.name, dtype: field.dtype, shape: [count, field.width], words: values };
    }),
    { format: "touchstone dataset 1" },
  );
}

function fieldWords(field: SampleField, tensor: NamedTensor | undefined, count: number): Uint32Array {
  if (tensor === undefined) throw new SampleLayoutError(`the field ${field.name} is missing`);
  if (tensor.dtype !== field.dtype || `${tensor.shape}` !== `${[count, field.width]}`) {
    const dtype = tensor.dtype === Dtype.float32 ? "float32" : "int32";
    throw new SampleLayoutError(`the field ${field.name} is ${dtype} [${tensor.shape}]`);
  }
  return tensor.words;
}

/**
 * The samples in a dataset's file.
 * @throws SafetensorsError, and as `checkSamples`.
 */
export function decodeSamples(layout: SampleLayout, file: Uint8Array): Samples {
  requireLayout(layout);
  const tensors = new Map(readSafetensors(file).tensors.map((tensor) => [tensor.name, tensor]));
  const count = tensors.get(layout.fields[0]?.name ?? "")?.shape[0] ?? 0;
  const fields = layout.fields.map((field) => ({ field, values: fieldWords(field, tensors.get(field.name), count) }));
  for (const { field } of fields) tensors.delete(field.name);
  for (const name of tensors.keys()) throw new SampleLayoutError(`the program has no field ${JSON.stringify(name)}`);
  const words = new Uint32Array(count * layout.words);
  for (const { field, values } of fields) {
    for (let sample = 0; sample < count; sample++) {
      const row = values.subarray(sample * field.width, (sample + 1) * field.width);
      words.set(row, sample * layout.words + field.offset);
    }
  }
  return checkSamples(layout, words);
}
