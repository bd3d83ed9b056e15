import type { Random } from "./random.ts";

export function randomWords(random: Random, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, () => random.word());
}

export function randomBytes(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.below(256));
}
