/** Peak over whole tensors. */
import { finishPeak } from "../../operators/peak.ts";
import { type PeakOperator, wordCount } from "../../program/descriptor.ts";
import { addresses, numbersOf } from "./view.ts";

/** The greatest magnitude that each element sees, before the mode is applied; NaN counts as +infinity. */
export function peakMaxima(operator: PeakOperator, words: Uint32Array): Float32Array {
  const { shape, length } = operator;
  const [x] = operator.operands;
  const numbers = numbersOf(x.dtype, words);
  const rows = addresses(x.offset, shape, x.strides);
  const step = x.strides[shape.length]!;
  const maxima = new Float32Array(wordCount(shape));
  for (let i = 0; i < maxima.length; i++) {
    let maximum = 0;
    for (let k = 0, address = rows[i]!; k < length; k++, address += step) {
      const magnitude = Math.abs(numbers[address]!);
      if (magnitude > maximum) maximum = magnitude;
      else if (Number.isNaN(magnitude)) maximum = Number.POSITIVE_INFINITY;
    }
    maxima[i] = maximum;
  }
  return maxima;
}

export function peakWords(operator: PeakOperator, maxima: Float32Array): Uint32Array {
  const words = new Uint32Array(maxima.buffer, maxima.byteOffset, maxima.length);
  return words.map((word) => finishPeak(operator.mode, word));
}
