import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { energyDistance } from "../../requester/energyDistance.ts";
import { Random } from "../helpers/random.ts";

const points = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

describe("energyDistance", () => {
  it("is what its formula says, by hand", () => {
    assert.equal(energyDistance(points(0), points(1), 1), 2);
    // Between: 1 everywhere. Within the first: 0, 2, 2, 0.
    assert.equal(energyDistance(points(0, 2), points(1, 1), 1), 1);
    // (0, 0) and (3, 4) are 5 apart.
    assert.equal(energyDistance(points(0, 0), points(3, 4), 2), 10);
    assert.equal(energyDistance(points(3, 4), points(0, 0, 0, 0), 2), 10);
  });

  it("is 0 for the same points in another order, and greater the further a set has moved", () => {
    const random = new Random(3);
    const numbers = Float32Array.from({ length: 200 }, () => random.unit());
    const pairs = Array.from({ length: 100 }, (_, i) => numbers.slice(2 * i, 2 * i + 2)).reverse();
    const reversed = Float32Array.from(pairs.flatMap((pair) => [...pair]));
    assert.ok(Math.abs(energyDistance(numbers, reversed, 2)) < 1e-12);
    const moved = [0.1, 0.5, 2].map((by) =>
      energyDistance(
        numbers,
        numbers.map((x) => x + by),
        2,
      ),
    );
    assert.ok(moved[0]! > 0 && moved[0]! < moved[1]! && moved[1]! < moved[2]!, `${moved}`);
  });
});
