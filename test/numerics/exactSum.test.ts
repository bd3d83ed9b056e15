import assert from "node:assert/strict";
import { test } from "node:test";
import { ExactSum } from "../../shared/numerics/exactSum.ts";
import { Random } from "../helpers/random.ts";

test("sums that leave 2^53 and come back are exact", () => {
  const random = new Random(121);
  for (let round = 0; round < 50; round++) {
    const sum = new ExactSum();
    let expected = 0n;
    const drift = random.pick([-1, 0, 1]);
    for (let i = 0; i < 400; i++) {
      const size = 2 ** random.between(0, 52);
      const term = Math.trunc((random.unit() * 2 - 1 + drift * random.unit()) * size * 0.5);
      sum.add(term);
      expected += BigInt(term);
    }
    assert.equal(sum.value, expected);
  }
  const extreme = new ExactSum();
  for (let i = 0; i < 1000; i++) extreme.add(2 ** 52);
  for (let i = 0; i < 1000; i++) extreme.add(-1);
  assert.equal(extreme.value, 1000n * 2n ** 52n - 1000n);
});
