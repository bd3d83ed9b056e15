/** The words of parameters and constants: flushed float32 numbers of magnitude up to 2^20, or int32. */
import { fromNumber } from "../numerics/float32.ts";
import { flush } from "../numerics/flush.ts";
import type { HostTensor } from "../onnx/host.ts";
import { isFloat } from "../onnx/host.ts";
import type { OnnxTensor } from "../onnx/model.ts";
import { OnnxType } from "../onnx/model.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { ModelError } from "../program/errors.ts";
import type { Tensor } from "../program/program.ts";

/** Greatest magnitude of a state word (docs/numerics.md, section 4), and what greater constants become. */
const MAX_MAGNITUDE = 2 ** 20;

/** @throws ModelError when there is no number, or one that is none. */
export function constantTensor({ dimensions, values, type }: HostTensor, name: string): Tensor {
  if (values.length === 0) throw new ModelError(`constant "${name}" is empty`, "Export the model again.");
  const isReal = isFloat(type) || type === OnnxType.bool;
  const bad = isReal ? values.findIndex(Number.isNaN) : values.findIndex((value) => Math.abs(value) >= 2 ** 31);
  if (bad >= 0) {
    throw new ModelError(`word ${bad} of constant "${name}" is ${values[bad]}`, "Constants must be numbers.");
  }
  return isReal
    ? { dtype: Dtype.float32, shape: dimensions, words: Uint32Array.from(values, (value) => constantWord(value)) }
    : { dtype: Dtype.int32, shape: dimensions, words: new Uint32Array(Int32Array.from(values).buffer) };
}

/** The flushed word of a constant, which is brought within the bounds of numbers: a mask's −∞ becomes −2^20. */
function constantWord(value: number): number {
  return flush(fromNumber(Math.min(Math.max(value, -MAX_MAGNITUDE), MAX_MAGNITUDE)));
}

/** Flushed words of a parameter. @throws ModelError when there is no number, or one that is not finite or too great. */
export function weightWords({ name, dimensions, data }: OnnxTensor): Uint32Array {
  const values = data as Float32Array | Float64Array;
  if (values.length === 0 || values.length !== wordCount(dimensions)) {
    throw new ModelError(
      `constant "${name}" has ${values.length} numbers for [${dimensions}]`,
      "Export the model again.",
    );
  }
  const words = new Uint32Array(values.length);
  const numbers = new Float32Array(words.buffer);
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (!(Math.abs(value) <= MAX_MAGNITUDE)) {
      throw new ModelError(
        `word ${at} of "${name}" is ${value}`,
        "Weights must be finite numbers of magnitude up to 2^20.",
      );
    }
    numbers[at] = value;
    words[at] = flush(words[at]!);
  }
  return words;
}
