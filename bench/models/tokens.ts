/** Sequences that can be learnt, made up by a seeded generator: each goes on by a stride of its own, now and then with a jump. */
import { initialWords } from "../../shared/numerics/philox.ts";

const SEED = 5n;

/** `count` samples of `context` tokens and the `targets` tokens that follow the last of them. */
export function tokenSamples(count: number, context: number, targets: number, vocabulary: number): Uint32Array {
  const samples = new Uint32Array(count * (context + targets));
  const length = context + 1;
  for (let sample = 0; sample < count; sample++) {
    const random = initialWords(SEED, sample, length + 1);
    const stride = 1 + (random[0]! % 5);
    const sequence = new Uint32Array(length);
    sequence[0] = random[1]! % vocabulary;
    for (let i = 1; i < length; i++) {
      const jumps = random[i + 1]! % 16 === 0;
      sequence[i] = jumps ? (random[i + 1]! >>> 8) % vocabulary : (sequence[i - 1]! + stride) % vocabulary;
    }
    const at = sample * (context + targets);
    samples.set(sequence.subarray(0, context), at);
    samples.set(sequence.subarray(length - targets), at + context);
  }
  return samples;
}
