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

function isOnGrid(x: number): boolean {
  const { m, e } = exactValue(x);
  return e >= FLUSHED_GRID || m % (1n << BigInt(FLUSHED_GRID - e)) === 0n;
}

test("a flushed number is a multiple of 2^-104, which is what isFlushed says", () => {
  const random = new Random(71);
  for (let i = 0; i < 20_000; i++) {
    const x = word(random);
    if ((x & 0x7f800000) === 0x7f800000) {
      assert.ok(!isFlushed(x));
      continue;
    }
    assert.ok(isOnGrid(flush(x)) && isFlushed(flush(x)));
    assert.equal(isFlushed(x), isOnGrid(x) && x !== 0x80000000);
  }
});

test("numbers from 2^-54 on are unchanged, subnormals and -0 become +0", () => {
  const random = new Random(72);
  const check = (x: number): void => assert.equal(flush(x >>> 0), x >>> 0);
  for (let i = 0; i < 2000; i++) {
    check((random.word() & 0x807fffff) | (random.between(73, 254) << 23));
    assert.equal(flush((random.word() & 0x807fffff) >>> 0), 0);
  }
  for (let field = 73; field < 255; field++) for (const sign of [0, 0x80000000]) check((field << 23) | sign);
  assert.ok(!isFlushed(0x80000000) && isFlushed(0));
  assert.ok(isFlushed(floats(0.1)[0]!) && !isFlushed(floats(1e-30)[0]!));
});
