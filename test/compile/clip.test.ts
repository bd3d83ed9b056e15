import assert from "node:assert/strict";
import { test } from "node:test";
import { clipGradients } from "../../shared/compile/clip.ts";
import { noLoss } from "../../shared/compile/userStep.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { SourceGraph } from "../../shared/graph/graph.ts";
import { lower } from "../../shared/graph/lower.ts";
import { requireWellFormed } from "../../shared/job/validate.ts";
import { elementwise } from "../../shared/layers/elementwise.ts";
import { state } from "../../shared/layers/leaf.ts";
import type { Program } from "../../shared/program/program.ts";
import type { ClipSettings } from "../../shared/task/settings.ts";
import { numbers } from "../helpers/compile.ts";
import { floats } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";

/** Shapes around the length of a piece: one word, less than a piece, whole pieces, pieces and a rest. */
const SHAPES = [[1], [3, 7], [2, 8192], [8192 + 5]];

/** A program whose state are gradients, and are clipped in each step. */
function clipping(settings: ClipSettings): Program {
  const graph = new SourceGraph();
  const gradients = SHAPES.map((shape, index) => state(graph, `g${index}`, shape));
  const clipped = clipGradients(graph, gradients, settings);
  const loss = noLoss(graph);
  const next = clipped.map((value, index) =>
    elementwise(graph, `next${index}`, "flush", [value], (map, [x]) => map.flush(x!)),
  );
  const entries = gradients.map((value, index) => ({ value, next: next[index]! }));
  const fields = [{ name: "unused", dtype: 1, offset: 0, width: 1, minimum: 0, maximum: 0 } as const];
  const program = lower({ graph, state: entries, loss, logits: loss, fields, scheduleColumns: [] });
  requireWellFormed(program);
  return program;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b);

async function clip(settings: ClipSettings, gradients: readonly Float32Array[]) {
  const tensors = gradients.map(
    (values, index) => ({ dtype: 0, shape: SHAPES[index]!, words: floats(...values) }) as const,
  );
  const result = await new ReferenceEngine(clipping(settings)).step({
    state: tensors,
    batches: new Map(),
    schedule: new Map(),
    random: new Map(),
  });
  return { guard: result.guard, clipped: result.state.map((tensor) => numbers(tensor)) };
}

test("the norm is that of binary64, whatever the gradients' size and spread", async () => {
  const random = new Random(3);
  const sizes: [scale: number, outlier: number][] = [
    [1, 1],
    [1e-6, 1],
    [1e-11, 1],
    [4000, 1],
    // One element dwarfs the others, which still make up most of the norm.
    [1e-3, 100],
    [1e-4, 3000],
  ];
  for (const [scale, outlier] of sizes) {
    const gradients = SHAPES.map((shape) =>
      Float32Array.from({ length: sizeOf(shape) }, () => scale * (2 * random.unit() - 1)),
    );
    gradients[2]![77] = scale * outlier;
    const norm = Math.hypot(...gradients.map((values) => Math.hypot(...values)));
    for (const limit of [norm / 3, norm * 1.001].filter((each) => each <= 1024)) {
      const { clipped, guard } = await clip({ norm: limit }, gradients);
      assert.ok(guard <= 2 ** 20, `guard ${guard} at scale ${scale}`);
      const factor = Math.min(1, limit / (norm + 1e-6));
      for (const [index, values] of gradients.entries())
        for (const [i, value] of values.entries()) {
          const expected = value * factor;
          const error = Math.abs(clipped[index]![i]! - expected);
          if (error > 3e-6 * Math.abs(expected) + 2 ** -103)
            assert.fail(`${clipped[index]![i]} instead of ${expected}`);
        }
    }
  }
});

test("gradients of nothing but zeros stay so", async () => {
  const gradients = SHAPES.map((shape) => new Float32Array(sizeOf(shape)));
  const { clipped } = await clip({ norm: 1 }, gradients);
  assert.ok(clipped.every((values) => values.every((value) => value === 0)));
});

test("by value every element is brought within the bounds", async () => {
  const gradients = SHAPES.map((shape) => Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i % 9) - 4) / 4));
  const { clipped } = await clip({ value: 0.5 }, gradients);
  for (const [index, values] of gradients.entries())
    for (const [i, value] of values.entries())
      if (clipped[index]![i] !== Math.min(Math.max(value, -0.5), 0.5))
        assert.fail(`${clipped[index]![i]} for ${value}`);
});
