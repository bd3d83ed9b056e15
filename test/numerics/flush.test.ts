import assert from "node:assert/strict";
import { test } from "node:test";
import { FLUSHED_GRID, flush, isFlushed } from "../../shared/numerics/flush.ts";
import { anyFloat, exactValue } from "../helpers/float32.ts";
import { floats } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

/** Finite words around the constant, where the grid is finest, besides the usual ones. */
function word(random: Random): number {
  const near = (0x17c00000 + random.between(-300, 300)) ^ (random.below(2) << 31);
  return (random.chance(0.3) ? near : anyFloat(random)) >>> 0;
}

test("a flushed number is a multiple of 2^-104, and flushing again changes nothing", () => {
  const random = new Random(71);
  for (let i = 0; i < 20_000; i++) {
    const x = word(random);
    if ((x & 0x7f800000) === 0x7f800000) {
      assert.ok(!isFlushed(x));
      continue;
    }
    const flushed = flush(x);
    const { m, e } = exactValue(flushed);
    assert.ok(e >= FLUSHED_GRID || m % (1n << BigInt(FLUSHED_GRID - e)) === 0n);
    assert.ok(isFlushed(flushed));
    assert.equal(isFlushed(x), x === flushed);
  }
});

test("numbers from 2^-56 on are unchanged, subnormals and -0 become +0", () => {
  const random = new Random(72);
  for (let i = 0; i < 2000; i++) {
    const x = ((random.word() & 0x807fffff) | (random.between(71, 254) << 23)) >>> 0;
    assert.equal(flush(x), x);
    assert.equal(flush((random.word() & 0x807fffff) >>> 0), 0);
  }
  assert.ok(!isFlushed(0x80000000) && isFlushed(0));
  assert.ok(isFlushed(floats(0.1)[0]!) && !isFlushed(floats(1e-30)[0]!));
});
