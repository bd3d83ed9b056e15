/** A seeded generator (splitmix32): failures reproduce. */
export interface Seeded {
  word(): number;
  below(bound: number): number;
  words(count: number): Uint32Array;
  bytes(count: number): Uint8Array;
}

export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const word = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return {
    word,
    below: (bound) => Math.floor((word() / 2 ** 32) * bound),
    words: (count) => Uint32Array.from({ length: count }, word),
    bytes: (count) => Uint8Array.from({ length: count }, () => word() & 255),
  };
}
