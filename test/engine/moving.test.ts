/** Layers that move, join and draw numbers, as programs on every form of step. */
import { test } from "node:test";
import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import { lower } from "../../shared/graph/lower.ts";
import { requireWellFormed } from "../../shared/job/validate.ts";
import { add } from "../../shared/layers/add.ts";
import { dropout } from "../../shared/layers/dropout.ts";
import { concat, join } from "../../shared/layers/join.ts";
import { field, state } from "../../shared/layers/leaf.ts";
import { bernoulli, normal, uniform } from "../../shared/layers/normal.ts";
import { pad } from "../../shared/layers/pad.ts";
import { reshape } from "../../shared/layers/reshape.ts";
import { slice, spreadAxis } from "../../shared/layers/slice.ts";
import { sumAxes } from "../../shared/layers/sum.ts";
import { take } from "../../shared/layers/take.ts";
import { transpose } from "../../shared/layers/transpose.ts";
import { Dtype, wordCount } from "../../shared/program/descriptor.ts";
import { exampleJob, exampleState } from "../helpers/programs.ts";
import { assertSameBits, FORMS, openLocal } from "./compare.ts";

type Build = (graph: SourceGraph, x: ValueId) => ValueId;

/** By name, what becomes of a batch [4, 3, 5]. */
const CASES: Readonly<Record<string, Build>> = {
  "a flip, and a map with gaps and repetitions": (graph, x) => {
    const flipped = take(graph, x, 2, [4, 3, 2, 1, 0], "flipped");
    return take(graph, take(graph, flipped, 0, [-1, 2, 2, 0, -1], "rows"), 1, [2, -1, 0, 1, 1], "odd");
  },
  "pads around an image, with zeros and with a number": (graph, x) => {
    const around = [1, 2, 1].map((before) => ({ before, after: 3 - before }));
    return pad(graph, pad(graph, x, around, "zeros"), around, "ones", 1);
  },
  "many slices of a transposed tensor side by side": (graph, x) => {
    const turned = transpose(graph, x, [2, 0, 1]);
    const rows = Array.from({ length: 19 }, (_, i) => slice(graph, turned, 0, i % 5, 1, 1, `row${i}`));
    return concat(graph, rows, 0, "rows");
  },
  "every second position, spread apart again, between others": (graph, x) => {
    const spread = spreadAxis(graph, slice(graph, x, 2, 0, 3, 2, "even"), 2, 4, "spread");
    const parts = [
      { value: x, start: 1 },
      { value: spread, start: 8 },
    ];
    return join(graph, parts, 2, 20, "between");
  },
  "noise of every distribution": (graph, x) => {
    const noisy = add(graph, x, normal(graph, [3, 5], graph.takeStream(), "noise"), "noisy");
    const high = bernoulli(graph, uniform(graph, [4, 3, 5], 0.25, 1, graph.takeStream(), "p"), graph.takeStream(), "b");
    return add(graph, noisy, high, "all");
  },
  dropout: (graph, x) => {
    const once = dropout(graph, x, 0.25, graph.takeStream(), "once");
    return dropout(graph, once, 0.75, graph.takeStream(), "twice");
  },
};

for (const [name, build] of Object.entries(CASES)) {
  test(`${name}: the same bits on every engine`, async () => {
    const graph = new SourceGraph();
    const sample = { name: "x", dtype: Dtype.float32, offset: 0, width: 15, minimum: -4, maximum: 4 };
    const x = reshape(graph, field(graph, sample, 4, "permutation"), [4, 3, 5]);
    const output = build(graph, x);
    const loss = sumAxes(graph, reshape(graph, output, [wordCount(graph.shape(output))]), 0, 1, "loss");
    const held = [{ value: state(graph, "held", [1]), next: null }];
    const program = lower({ graph, state: held, loss, logits: output, fields: [sample], scheduleColumns: [] });
    requireWellFormed(program);
    const example = { name, program, job: exampleJob(program, 5), state: exampleState(program, 5) };
    const engines = await Promise.all(FORMS.map((form) => openLocal(program, 1, form)));
    await assertSameBits(example, engines, 2);
    await Promise.all(engines.map((engine) => engine.close()));
  });
}
