/** The seeded choices of a cheat: the same seed gives the same fault. */
import { keyOf, philox4x32 } from "../../shared/numerics/philox.ts";

/** Last counter word, apart from the protocol's own domains (docs/numerics.md, section 2.11). */
const DOMAIN_CHEATS = 0x63686561;

export class CheatRandom {
  readonly #seed: bigint;
  #counter = 0;

  constructor(seed: bigint) {
    this.#seed = seed;
  }

  /** A uniform 32-bit word. */
  word(): number {
    return philox4x32([this.#counter++, 0, 0, DOMAIN_CHEATS], keyOf(this.#seed))[0];
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor((this.word() / 2 ** 32) * bound);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
