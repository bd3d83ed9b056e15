import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import { lower } from "../../shared/graph/lower.ts";
import { add } from "../../shared/layers/add.ts";
import { constant, field, scheduleColumn, state } from "../../shared/layers/leaf.ts";
import { reshape } from "../../shared/layers/reshape.ts";
import { sumAxes } from "../../shared/layers/sum.ts";
import { transpose } from "../../shared/layers/transpose.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { Program } from "../../shared/program/program.ts";
import { evaluate64 } from "../helpers/evaluate64.ts";
import { floats } from "../helpers/operators.ts";

const FIELD = { name: "x", dtype: Dtype.float32, offset: 2, width: 3, minimum: -1, maximum: 1 } as const;

/** A program of one state tensor `w` [2, 3] whose next value `build` makes from it and from the field x [2, 3]. */
function program(build: (graph: SourceGraph, w: ValueId, x: ValueId) => ValueId): Program {
  const graph = new SourceGraph();
  const w = state(graph, "w", [2, 3]);
  const next = build(graph, w, field(graph, FIELD, 2));
  const loss = sumAxes(graph, next, 0, graph.shape(next).length, "loss");
  return lower({ graph, state: [{ value: w, next }], loss, logits: loss, fields: [FIELD], scheduleColumns: ["rate"] });
}

const W = Float64Array.of(1, 2, 3, 4, 5, 6);
const X = [10, 20, 30, 40, 50, 60];

function nextOf(built: Program): number[] {
  const outputs = evaluate64(built, { state: [W], sources: { x: X, rate: [7] } });
  return [...outputs[built.state[0]!.source!]!];
}

test("fields, state and schedule columns become their operators and references", () => {
  const built = program((graph, w, x) => add(graph, add(graph, w, x, "sum"), scheduleColumn(graph, "rate", 0), "next"));
  assert.deepEqual(nextOf(built), [18, 29, 40, 51, 62, 73]);
  assert.deepEqual(
    built.operators.slice(0, 3).map(({ name, operator }) => [name, operator.family]),
    [
      ["x", "batch"],
      ["rate", "schedule"],
      ["next", "map"],
    ],
  );
  assert.deepEqual(built.sample, { words: 5, fields: [FIELD] });
});

test("a next value that is only a view of something is copied into its own operator", () => {
  assert.deepEqual(
    nextOf(program((graph, w) => reshape(graph, transpose(graph, w, [1, 0]), [2, 3]))),
    [1, 4, 2, 5, 3, 6],
  );
  assert.deepEqual(nextOf(program((_, w) => w)), [...W]);
});

test("equal constants are stored once, names are made unique", () => {
  const built = program((graph, w, x) => {
    const row = () => constant(graph, "row", { dtype: Dtype.float32, shape: [3], words: floats(1, 1, 2) });
    const left = add(graph, w, row(), "same");
    const right = add(graph, x, row(), "same");
    // Read twice, so that they are not fused.
    return add(graph, add(graph, left, right, "sum"), add(graph, left, right, "again"), "next");
  });
  assert.equal(built.constants.length, 1);
  const names = built.operators.map(({ name }) => name);
  assert.ok(names.includes("same") && names.includes("same.2"), names.join());
  assert.deepEqual(nextOf(built), [26, 48, 74, 92, 114, 140]);
});

test("a constant that is one number is an immediate of the Maps that read it", () => {
  const built = program((graph, w, x) => {
    const ones = constant(graph, "ones", { dtype: Dtype.float32, shape: [3], words: floats(1, 1, 1) });
    return add(graph, add(graph, w, ones, "left"), add(graph, x, ones, "right"), "next");
  });
  assert.equal(built.constants.length, 0);
  const { operator } = built.operators.find(({ name }) => name === "next")!;
  assert.deepEqual(operator.family === "map" ? operator.immediates : null, [...floats(1)]);
  assert.deepEqual(nextOf(built), [13, 24, 35, 46, 57, 68]);
});
