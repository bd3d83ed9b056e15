/** From arrays of numbers or names, as readers give them, to the words of a sample field. */
import { Dtype } from "../program/descriptor.ts";
import type { ArrayFieldData } from "../task/taskData.ts";
import { DataFileError, DatasetError } from "./errors.ts";
import type { SourceArray } from "./sourceArray.ts";

/** Magnitude of a float32 word at most (docs/numerics.md, section 4.1). */
const MAXIMUM_MAGNITUDE = 2 ** 20;
/** 1.5 · 2^-80: adding and subtracting it flushes (docs/numerics.md, section 4.1). */
const FLUSH = 1.5 * 2 ** -80;
const INT32 = { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };

/** A field while its files are read. */
export interface FieldPlan {
  readonly name: string;
  readonly settings: ArrayFieldData;
  readonly dtype: Dtype;
}

export function planField(name: string, settings: ArrayFieldData): FieldPlan {
  const dtype = settings.dtype === "float32" ? Dtype.float32 : Dtype.int32;
  if (
    settings.classes !== undefined &&
    (dtype !== Dtype.int32 || settings.scale !== undefined || settings.shift !== undefined)
  ) {
    const problem = "classes are numbers from 0 on, without scale and shift";
    throw new DatasetError(`$.data.fields.${name}`, problem, 'Give it the dtype "int32" and remove scale and shift.');
  }
  return { name, settings, dtype };
}

/** Flushed float32 or int32 words. @throws DataFileError at the first value that is none, DatasetError for a wrong list of factors. */
export function numberWords({ name, settings, dtype }: FieldPlan, file: string, source: SourceArray): Uint32Array {
  const { width, place } = source;
  const values = source.values as ArrayLike<number>;
  const scale = factors(settings.scale, 1, width, `$.data.fields.${name}.scale`);
  const shift = factors(settings.shift, 0, width, `$.data.fields.${name}.shift`);
  const words = new Uint32Array(values.length);
  const floats = new Float32Array(words.buffer);
  const integers = new Int32Array(words.buffer);
  const fail = (at: number, problem: string, remedy: string): DataFileError => {
    const [row, column] = [Math.floor(at / width), at % width];
    return new DataFileError(file, place(row, column), `${problem} (field ${name})`, remedy);
  };
  for (let at = 0, column = 0; at < values.length; at++, column = column + 1 === width ? 0 : column + 1) {
    const value = values[at]! * scale[column]! + shift[column]!;
    if (dtype === Dtype.int32) {
      if (!(Number.isInteger(value) && value >= INT32.minimum && value <= INT32.maximum)) {
        throw fail(at, `${value} is no int32`, 'Correct the value, or give the field the dtype "float32".');
      }
      integers[at] = value;
    } else {
      const rounded = Math.fround(value);
      if (!(Math.abs(rounded) <= MAXIMUM_MAGNITUDE)) {
        const remedy = Number.isFinite(value)
          ? "Give the field a smaller scale."
          : "Correct the value or drop its row.";
        throw fail(at, `${value} is not a number of magnitude up to 2^20`, remedy);
      }
      floats[at] = Math.fround(rounded + FLUSH) - FLUSH;
    }
  }
  return words;
}

function factors(given: number | readonly number[] | undefined, absent: number, width: number, path: string): number[] {
  if (typeof given !== "object") return new Array<number>(width).fill(given ?? absent);
  if (given.length !== width) {
    throw new DatasetError(
      path,
      `${given.length} numbers for a field of ${width} words`,
      "Give one number, or one for each word.",
    );
  }
  return [...given];
}

/** A text of the data, and where it stands. */
export interface ClassText {
  readonly text: string;
  readonly file: string;
  readonly place: string;
}

/** The number of each text's class. @throws DataFileError for a text that is no class. */
export function classWords({ name }: FieldPlan, texts: readonly ClassText[], classes: readonly string[]): Uint32Array {
  const numbers = new Map(classes.map((text, number) => [text, number]));
  return Uint32Array.from(texts, ({ text, file, place }) => {
    const number = numbers.get(text);
    if (number !== undefined) return number;
    const problem = `${JSON.stringify(text)} is none of the ${classes.length} classes of the field ${name}`;
    throw new DataFileError(file, place, problem, `They are ${classes.slice(0, 20).join(", ")}.`);
  });
}
