/** Operand views of whole tensors. Addresses must lie inside the tensor. */
import { Dtype, type Operand } from "../../program/descriptor.ts";

/** `offset + Σ i_d · stride_d` for every multi-index of `dimensions`, row-major. */
export function addresses(offset: number, dimensions: readonly number[], strides: readonly number[]): Uint32Array {
  let current = Uint32Array.of(offset);
  for (const [d, extent] of dimensions.entries()) {
    const next = new Uint32Array(current.length * extent);
    const stride = strides[d]!;
    for (let i = 0, at = 0; i < current.length; i++) {
      let address = current[i]!;
      for (let j = 0; j < extent; j++, at++, address += stride) next[at] = address;
    }
    current = next;
  }
  return current;
}

/** The words of a tensor as the numbers that an operand reads: int32 words are converted by RN32. */
export function numbersOf(dtype: Dtype, words: Uint32Array): Float32Array {
  return dtype === Dtype.int32
    ? Float32Array.from(new Int32Array(words.buffer, words.byteOffset, words.length))
    : new Float32Array(words.buffer, words.byteOffset, words.length);
}

/** An operand of a family that does not reduce, one number for each output element. */
export function readView(operand: Operand, shape: readonly number[], words: Uint32Array): Float32Array {
  const numbers = numbersOf(operand.dtype, words);
  const where = addresses(operand.offset, shape, operand.strides);
  const view = new Float32Array(where.length);
  for (let i = 0; i < where.length; i++) view[i] = numbers[where[i]!]!;
  return view;
}

/** Canonical words of float32 results, in place: −0 becomes +0, every NaN 0x7fc00000. */
export function canonicalWords(values: Float32Array): Uint32Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === 0) words[i] = 0;
    else if (Number.isNaN(value)) words[i] = 0x7fc00000;
  }
  return words;
}
