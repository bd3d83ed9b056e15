import assert from "node:assert/strict";
import { test } from "node:test";
import * as onnxruntime from "onnxruntime-node";
import { Float32Sum, type Fold } from "../../../shared/engine/realise/float32Sum.ts";
import { GraphBuilder } from "../../../shared/engine/realise/graph.ts";
import { reduce } from "../../../shared/engine/realise/nodes.ts";
import { roundToFloat32 } from "../../../shared/numerics/rounding.ts";
import { encodeModel } from "../../../shared/onnx/encode.ts";
import { OnnxType } from "../../../shared/onnx/model.ts";
import { Random } from "../../helpers/random.ts";
import { ROUNDS } from "./single.ts";

/** A term as integers: `folded` rows of `lanes` elements that are multiples of the grid. */
interface TestTerm {
  readonly grid: number;
  readonly bound: number;
  readonly rows: readonly (readonly bigint[])[];
}

/** The rounded sums of the lanes, as words, by ONNX Runtime. */
async function addAll(terms: readonly TestTerm[], exponent: number): Promise<Uint32Array> {
  const graph = new GraphBuilder();
  const unit = graph.input("unit", OnnxType.float32, [1]);
  const sum = new Float32Sum(graph, unit);
  const feeds: Record<string, onnxruntime.Tensor> = {
    unit: new onnxruntime.Tensor("float32", Float32Array.of(2 ** exponent), [1]),
  };
  for (const [at, { grid, bound, rows }] of terms.entries()) {
    const shape = [rows.length, rows[0]!.length];
    const value = graph.input(`term${at}`, OnnxType.float32, shape);
    const data = Float32Array.from(rows.flat(), (element) => Number(element) * 2 ** exponent);
    feeds[`term${at}`] = new onnxruntime.Tensor("float32", data, shape);
    const fold: Fold = { count: rows.length, apply: (parts) => reduce(graph, "ReduceSum", parts, 0) };
    sum.add({ value, grid, bound }, fold);
  }
  const output = graph.output(sum.rounded());
  const model = encodeModel({
    ...{ irVersion: 8, producer: "test", operatorSets: [{ domain: "", version: 18 }] },
    graph: graph.build("sum"),
  });
  const session = await onnxruntime.InferenceSession.create(model, { graphOptimizationLevel: "disabled" });
  const data = (await session.run(feeds))[output]!.data as Float32Array;
  await session.release();
  return new Uint32Array(data.buffer, data.byteOffset, data.length).map((word) => (word === 0x80000000 ? 0 : word));
}

/** An integer of at most `bits` bits that is likely to be round, a tie, or next to one. */
function hazard(random: Random, bits: number): bigint {
  const limit = 1n << BigInt(bits);
  const length = BigInt(random.between(0, bits));
  const wide = (BigInt(random.word()) << 32n) | BigInt(random.word());
  let value = wide & ((1n << length) - 1n);
  if (random.chance(0.7)) {
    // 24 bits, then a half or nothing, then one more or less.
    const shift = BigInt(random.between(0, Math.max(0, Number(length) - 24)));
    value = ((value >> shift) << shift) + (shift > 0n && random.chance(0.7) ? 1n << (shift - 1n) : 0n);
    value += BigInt(random.between(-1, 1));
  }
  if (value > limit) value = limit;
  if (random.chance(0.05)) value = limit;
  return random.chance(0.5) ? -value : value;
}

test("sums of random and of awkward integers are rounded once", async () => {
  const random = new Random(90);
  const lanes = 40;
  for (let round = 0; round < ROUNDS * 2; round++) {
    const exponent = random.pick([-124, -60, -40, 0, 60]);
    const count = random.between(1, 9);
    const terms = Array.from({ length: count }, (): TestTerm => {
      const shift = random.pick([0, 0, 7, 14, 18, 21, 28, 36, 40]);
      // What float32 holds, and what keeps the sum below 2^59.
      const bits = random.between(1, Math.min(24, 52 - shift));
      const folded = random.pick([1, 1, 1, 2, 5, 64]);
      const element = (): bigint => hazard(random, bits) << BigInt(shift);
      const rows = Array.from({ length: folded }, () => Array.from({ length: lanes }, element));
      return { grid: 2 ** shift, bound: 2 ** (bits + shift), rows };
    });
    const words = await addAll(terms, exponent);
    for (let lane = 0; lane < lanes; lane++) {
      const total = terms.flatMap(({ rows }) => rows.map((row) => row[lane]!)).reduce((a, b) => a + b, 0n);
      const expected = roundToFloat32(total, exponent);
      assert.equal(words[lane], expected, `round ${round}, lane ${lane}: ${total} · 2^${exponent}`);
    }
  }
});

test("sums that lie in or next to the middle of two float32s go the right way, at every length", async () => {
  const random = new Random(91);
  for (let length = 25; length <= 53; length++) {
    const targets: bigint[] = [];
    const base = 1n << BigInt(length - 1);
    const half = 1n << BigInt(length - 25);
    for (const head of [0n, 1n, 2n, BigInt(random.below(2 ** 23)), 2n ** 23n - 1n]) {
      const middle = base + head * 2n * half + half;
      for (const by of [-1n, 0n, 1n]) targets.push(middle + by, -(middle + by));
    }
    // The low, middle and high 24 bits, the lower ones negative half of the time.
    const cut = targets.map((target) => {
      const low = BigInt.asIntN(18, target);
      const mid = BigInt.asIntN(18, (target - low) >> 18n) << 18n;
      return [low, mid, target - low - mid];
    });
    const terms = [0, 18, 36].map((shift, part) => ({
      grid: 2 ** shift,
      bound: 2 ** Math.min(shift + 18, 53),
      rows: [cut.map((parts) => parts[part]!)],
    }));
    for (const exponent of [-124, 0]) {
      const words = await addAll(terms, exponent);
      for (const [at, target] of targets.entries()) {
        assert.equal(words[at], roundToFloat32(target, exponent), `${target}`);
      }
    }
  }
});

test("what float32 could not hold is refused while the graph is built", () => {
  const graph = new GraphBuilder();
  const value = graph.input("x", OnnxType.float32, [4]);
  const sum = new Float32Sum(graph, graph.float(1));
  assert.throws(() => sum.add({ value, grid: 1, bound: 2 ** 59 }), RangeError);
  const fold: Fold = { count: 2 ** 20, apply: (parts) => reduce(graph, "ReduceSum", parts, 0) };
  assert.throws(() => sum.add({ value, grid: 1, bound: 2 ** 20 }, fold), RangeError);
});
