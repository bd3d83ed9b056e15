import assert from "node:assert/strict";
import { test } from "node:test";
import * as onnxruntime from "onnxruntime-node";
import { GraphBuilder, type Value } from "../../../shared/engine/realise/graph.ts";
import { elementwise } from "../../../shared/engine/realise/nodes.ts";
import { DIVIDE, ROOT } from "../../../shared/engine/realise/roots.ts";
import { encodeModel } from "../../../shared/onnx/encode.ts";
import { OnnxType } from "../../../shared/onnx/model.ts";
import { Random } from "../../helpers/random.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const LANES = 4096;

/** A graph whose own Div and Sqrt are off by `error` parts of their result, as a WGSL device's may be. */
class ImpreciseGraph extends GraphBuilder {
  readonly #error: number;

  constructor(error: number) {
    super();
    this.#error = error;
  }

  override node(...args: Parameters<GraphBuilder["node"]>): Value {
    const value = super.node(...args);
    const isRoot = (args[0] === "Div" || args[0] === "Sqrt") && value.type === OnnxType.float32;
    return isRoot ? super.node("Mul", [value, this.float(1 + this.#error)], value.type, value.shape) : value;
  }
}

async function run(
  error: number,
  inputs: Readonly<Record<string, Float32Array>>,
  build: (graph: GraphBuilder, operands: readonly Value[]) => Value,
): Promise<Float32Array> {
  const graph = new ImpreciseGraph(error);
  const operands = Object.entries(inputs).map(([name, { length }]) => graph.input(name, OnnxType.float32, [length]));
  const output = graph.output(build(graph, operands));
  const model = encodeModel({
    ...{ irVersion: 8, producer: "test", operatorSets: [{ domain: "", version: 18 }] },
    graph: graph.build("roots"),
  });
  const session = await onnxruntime.InferenceSession.create(model, { graphOptimizationLevel: "disabled" });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, data]) => [name, new onnxruntime.Tensor("float32", data, [data.length])]),
  );
  const result = (await session.run(feeds))[output]!.data as Float32Array;
  await session.release();
  return result;
}

const fround = Math.fround;
const normal = (value: number): boolean => Math.abs(value) >= 2 ** -126 && Math.abs(value) < 2 ** 127;

/** A float32 with a given exponent and a significand that is often an end of its range or close to one. */
function awkward(random: Random, exponent: number): number {
  const end = random.pick([0, 0, 1, 2, 3, 2 ** 22, 2 ** 23 - 1, 2 ** 23 - 2]);
  const fraction = random.chance(0.4) ? end : random.below(2 ** 23);
  return (1 + fraction * 2 ** -23) * 2 ** exponent;
}

/** Next float32 towards infinity, of a positive one. */
function above(value: number): number {
  const words = new Uint32Array(Float32Array.of(value).buffer);
  return new Float32Array(words.map((word) => word + 1).buffer)[0]!;
}

/** Dividends whose quotient by b is next to the middle of two float32s. */
function nearMiddle(random: Random, b: number): number {
  const quotient = awkward(random, random.between(-20, 20));
  const middle = (quotient + above(quotient)) / 2;
  return fround(middle * b);
}

// The relative errors that the corrections must bear: none, WGSL's 2.5 and 5 units, and much more.
const ERRORS = [0, 1.5 * 2 ** -23, -2.5 * 2 ** -23, 6 * 2 ** -23, -40 * 2 ** -23];

test("a corrected quotient is the nearest float32, however rough the engine's division is", async () => {
  const random = new Random(95);
  for (const error of ERRORS)
    for (let round = 0; round < (DEEP ? 60 : 3); round++) {
      const a = new Float32Array(LANES);
      const b = new Float32Array(LANES);
      for (let i = 0; i < LANES; i++) {
        do {
          b[i] = awkward(random, random.chance(0.7) ? random.between(-30, 30) : random.between(-126, 126));
          a[i] = random.chance(0.6) ? nearMiddle(random, b[i]!) : awkward(random, random.between(-126, 126));
          if (random.chance(0.02)) a[i] = 0;
          if (random.chance(0.3)) a[i] = -a[i]!;
          if (random.chance(0.3)) b[i] = -b[i]!;
        } while ((a[i] !== 0 && !normal(a[i]!)) || (a[i] !== 0 && !normal(a[i]! / b[i]!)));
      }
      const quotients = await run(error, { a, b }, (graph, [x, y]) => DIVIDE.corrected(graph, x!, y!));
      for (let i = 0; i < LANES; i++) {
        const expected = fround(a[i]! / b[i]!);
        assert.ok(quotients[i] === expected, `${a[i]} / ${b[i]} with error ${error}: ${quotients[i]}, not ${expected}`);
      }
    }
});

test("a corrected root is the nearest float32, however rough the engine's root is", async () => {
  const random = new Random(96);
  for (const error of ERRORS)
    for (let round = 0; round < (DEEP ? 60 : 3); round++) {
      const a = Float32Array.from({ length: LANES }, () => {
        if (random.chance(0.02)) return 0;
        if (random.chance(0.4)) return awkward(random, random.between(-126, 126));
        const root = awkward(random, random.between(-60, 60));
        const middle = random.chance(0.8) ? (root + above(root)) / 2 : root;
        return fround(middle * middle);
      });
      const roots = await run(error, { a }, (graph, [x]) => ROOT.corrected(graph, x!));
      for (let i = 0; i < LANES; i++) {
        const expected = fround(Math.sqrt(a[i]!));
        assert.ok(roots[i] === expected, `√${a[i]} with error ${error}: ${roots[i]}, not ${expected}`);
      }
    }
});

test("results that are off in the engine stay off without a correction: the test's own engine is imprecise", async () => {
  const a = Float32Array.of(1, 2, 5, 7);
  const b = Float32Array.of(3, 3, 3, 3);
  const native = await run(2.5 * 2 ** -23, { a, b }, (graph, [x, y]) => elementwise(graph, "Div", [x!, y!]));
  assert.notDeepEqual(
    [...native],
    [...a].map((value) => fround(value / 3)),
  );
});

test("through float64 both are the nearest float32", async () => {
  const random = new Random(97);
  const b = Float32Array.from({ length: LANES }, () => awkward(random, random.between(-30, 30)));
  const a = b.map((value) => nearMiddle(random, value));
  const quotients = await run(0, { a, b }, (graph, [x, y]) => DIVIDE.float64(graph, x!, y!));
  assert.deepEqual(
    quotients,
    a.map((value, i) => value / b[i]!),
  );
  const roots = await run(0, { a }, (graph, [x]) => ROOT.float64(graph, x!));
  assert.deepEqual(roots, a.map(Math.sqrt));
});
