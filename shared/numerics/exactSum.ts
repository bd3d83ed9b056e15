/** A sum of integers without rounding, fast while it fits a binary64 number. */

/** Beyond it the number is moved to the bigint. Every term is at most 2^52 in magnitude, so no addition rounds. */
const LIMIT = 2 ** 52;

export class ExactSum {
  #low = 0;
  #high = 0n;

  /** @param term an integer of magnitude at most 2^52. */
  add(term: number): void {
    this.#low += term;
    if (this.#low > LIMIT || this.#low < -LIMIT) {
      this.#high += BigInt(this.#low);
      this.#low = 0;
    }
  }

  get value(): bigint {
    return this.#high + BigInt(this.#low);
  }
}
