import assert from "node:assert/strict";
import { test } from "node:test";
import { exactRange, union, wordsRange } from "../../../shared/job/validate/range.ts";
import { flush } from "../../../shared/numerics/flush.ts";
import { floats } from "../../helpers/operators.ts";
import { Random } from "../../helpers/random.ts";

test("the range of many words is the union of the range of each", () => {
  const random = new Random(12);
  for (let round = 0; round < 300; round++) {
    const sign = () => random.pick([[1], [-1], [1, -1]][round % 3]!);
    const value = () =>
      random.chance(0.1) ? 0 : sign() * random.pick([1, 0.5, random.unit(), 3 * 2 ** random.between(-60, 18)]);
    const words = floats(...Array.from({ length: random.between(1, 20) }, value)).map(flush);
    const expected = Array.from(new Float32Array(words.buffer), exactRange).reduce(union);
    assert.deepEqual(wordsRange(words), expected, `${new Float32Array(words.buffer)}`);
  }
});
