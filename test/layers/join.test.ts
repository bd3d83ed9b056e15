import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import { lower } from "../../shared/graph/lower.ts";
import { type Job, sourceOutputs, stepInputs } from "../../shared/job/job.ts";
import { requireWellFormed } from "../../shared/job/validate.ts";
import { dropout } from "../../shared/layers/dropout.ts";
import { concat, join } from "../../shared/layers/join.ts";
import { state } from "../../shared/layers/leaf.ts";
import { pad } from "../../shared/layers/pad.ts";
import { NOT_RANDOM, random } from "../../shared/layers/random.ts";
import { reshape } from "../../shared/layers/reshape.ts";
import { slice, spreadAxis } from "../../shared/layers/slice.ts";
import { take } from "../../shared/layers/take.ts";
import { tanh } from "../../shared/layers/tanh.ts";
import { transpose } from "../../shared/layers/transpose.ts";
import { Dtype, wordCount } from "../../shared/program/descriptor.ts";
import type { Program } from "../../shared/program/program.ts";
import { checkGradients } from "../helpers/gradientCheck.ts";
import { floats } from "../helpers/operators.ts";

/** A program whose logits are what `build` makes of one state tensor. */
function programOf(shape: readonly number[], build: (graph: SourceGraph, x: ValueId) => ValueId): Program {
  const graph = new SourceGraph();
  const x = state(graph, "x", shape);
  const logits = build(graph, x);
  const loss = reshape(
    graph,
    slice(graph, reshape(graph, logits, [wordCount(graph.shape(logits))]), 0, 0, 1, 1, "loss"),
    [1],
  );
  const fields = [{ name: "unused", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: 0 }];
  return lower({ graph, state: [{ value: x, next: null }], loss, logits, fields, scheduleColumns: [] });
}

function jobOf(program: Program, seed = 5n): Job {
  return { program, samples: new Uint32Array(1), schedule: new Uint32Array(0), seed, steps: 8, interval: 8 };
}

/** The logits at a step, from x = 1, 2, 3, … */
async function logitsOf(program: Program, step = 0): Promise<number[]> {
  requireWellFormed(program);
  const { dtype, shape } = program.state[0]!;
  const words = floats(...Array.from({ length: wordCount(shape) }, (_, i) => i + 1));
  const inputs = stepInputs(jobOf(program), step, [{ dtype, shape, words }]);
  const { outputs } = await new ReferenceEngine(program).trace(inputs);
  const logits = outputs[program.logits!]!;
  return [...new Float32Array(logits.words.buffer, logits.words.byteOffset, logits.words.length)];
}

const evaluate = (shape: readonly number[], build: (graph: SourceGraph, x: ValueId) => ValueId): Promise<number[]> =>
  logitsOf(programOf(shape, build));

describe("values", () => {
  test("a join puts its parts at their starts, with zeros between", async () => {
    const joined = await evaluate([2, 2], (graph, x) => {
      const parts = [
        { value: x, start: 1 },
        { value: slice(graph, x, 1, 0, 1, 1, "first"), start: 4 },
      ];
      return join(graph, parts, 1, 6, "join");
    });
    assert.deepEqual(joined, [0, 1, 2, 0, 1, 0, 0, 3, 4, 0, 3, 0]);
  });

  test("more parts than one Join takes are joined in two levels", async () => {
    for (const count of [8, 9, 65]) {
      const program = programOf([count, 2], (graph, x) => {
        const rows = Array.from({ length: count }, (_, row) => slice(graph, x, 0, row, 1, 1, "row"));
        const parts = rows.map((value, row) => ({ value, start: 2 * row + 1 }));
        return join(graph, parts, 0, 2 * count + 3, "join");
      });
      const expected = Array.from({ length: count }, (_, row) => [0, 0, 2 * row + 1, 2 * row + 2]).flat();
      assert.deepEqual(await logitsOf(program), [...expected, 0, 0, 0, 0, 0, 0]);
    }
  });

  test("a slice takes every step-th position, a spread puts them apart again", async () => {
    const kept = (graph: SourceGraph, x: ValueId) => slice(graph, x, 1, 1, 2, 3, "kept");
    assert.deepEqual(await evaluate([2, 5], kept), [2, 5, 7, 10]);
    const spread = (graph: SourceGraph, x: ValueId) => spreadAxis(graph, kept(graph, x), 1, 3, "spread");
    assert.deepEqual(await evaluate([2, 5], spread), [2, 0, 0, 5, 7, 0, 0, 10]);
  });

  test("a take follows its list, −1 gives zero", async () => {
    const flip = await evaluate([2, 3], (graph, x) => take(graph, x, 1, [2, 1, 0], "flip"));
    assert.deepEqual(flip, [3, 2, 1, 6, 5, 4]);
    const odd = await evaluate([3, 2], (graph, x) => take(graph, x, 0, [-1, 2, 2, -1, 0], "odd"));
    assert.deepEqual(odd, [0, 0, 5, 6, 5, 6, 0, 0, 1, 2]);
  });

  test("pads of numbers beyond the guard are brought within it", async () => {
    const padded = await evaluate([2], (graph, x) =>
      pad(graph, x, [{ before: 1, after: 0 }], "pad", Number.NEGATIVE_INFINITY),
    );
    assert.deepEqual(padded, [-(2 ** 20), 1, 2]);
  });

  test("integers are joined, sliced, taken and copied as they are", async () => {
    const graph = new SourceGraph();
    const integers = (name: string, shape: readonly number[]): ValueId => {
      const id: ValueId = graph.add({
        ...{ name, layer: "state", inputs: [], dtype: Dtype.int32, shape, greatest: 9 },
        lower: (lowering) => lowering.state(id),
      });
      return id;
    };
    const x = integers("x", [2, 3]);
    const y = concat(graph, [x, take(graph, x, 1, [2, 0], "taken"), slice(graph, x, 1, 0, 2, 2, "sliced")], 1, "y");
    assert.equal(graph.node(y).greatest, 9);
    const copied = reshape(graph, transpose(graph, y, [1, 0]), [14]);
    const [loss, next] = [state(graph, "loss", [1]), integers("next", [14])];
    const fields = [{ name: "unused", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: 0 }];
    const held = [
      { value: x, next: null },
      { value: next, next: copied },
      { value: loss, next: null },
    ];
    const program = lower({ graph, state: held, loss, logits: loss, fields, scheduleColumns: [] });
    requireWellFormed(program);
    const state0 = program.state.map(({ dtype, shape }) => ({
      dtype,
      shape,
      words: new Uint32Array(wordCount(shape)),
    }));
    state0[0]!.words.set([16777217, 2, 3, 4, 5, 0x80000000]);
    const { state: after } = await new ReferenceEngine(program).trace(stepInputs(jobOf(program), 0, state0));
    const expected = [16777217, 4, 2, 5, 3, 0x80000000, 3, 0x80000000, 16777217, 4, 16777217, 4, 3, 0x80000000];
    assert.deepEqual([...after[1]!.words], expected);
  });

  test("parts that do not fit are refused", () => {
    const graph = new SourceGraph();
    const x = state(graph, "x", [2, 3]);
    const y = state(graph, "y", [1, 3]);
    const bad = (parts: readonly (readonly [ValueId, number])[], axis: number, extent: number) =>
      assert.throws(
        () =>
          join(
            graph,
            parts.map(([value, start]) => ({ value, start })),
            axis,
            extent,
            "z",
          ),
        RangeError,
      );
    bad(
      [
        [x, 0],
        [y, 1],
      ],
      0,
      9,
    );
    bad(
      [
        [x, 0],
        [y, 2],
      ],
      0,
      2,
    );
    bad(
      [
        [x, 0],
        [y, 3],
      ],
      1,
      9,
    );
    for (const [start, length, step] of [
      [-1, 2, 1],
      [0, 4, 1],
      [1, 2, 2],
      [0, 0, 1],
      [0, 1, 0],
    ] as const)
      assert.throws(() => slice(graph, x, 1, start, length, step, "s"), RangeError);
    assert.throws(() => take(graph, x, 1, [3], "t"), RangeError);
    assert.throws(
      () =>
        pad(
          graph,
          x,
          [
            { before: -1, after: -1 },
            { before: 0, after: 0 },
          ],
          "p",
        ),
      RangeError,
    );
  });
});

describe("gradients agree with central differences", () => {
  const through =
    (build: (graph: SourceGraph, leaves: readonly ValueId[]) => ValueId) =>
    (graph: SourceGraph, leaves: readonly ValueId[]) =>
      tanh(graph, build(graph, leaves), "tanh");

  test("of joins, with gaps, of one tensor twice, and of many", () => {
    const gaps = through((graph, [a, b]) =>
      join(
        graph,
        [
          { value: a!, start: 1 },
          { value: b!, start: 5 },
        ],
        1,
        7,
        "j",
      ),
    );
    requireWellFormed(
      checkGradients(
        [
          [3, 2],
          [3, 1],
        ],
        gaps,
      ),
    );
    checkGradients(
      [[2, 3]],
      through((graph, [x]) => concat(graph, [x!, tanh(graph, x!, "t"), x!], 0, "j")),
    );
    checkGradients(
      [[9, 2]],
      through((graph, [x]) =>
        concat(
          graph,
          Array.from({ length: 9 }, (_, row) => slice(graph, x!, 0, 8 - row, 1, 1, "row")),
          0,
          "j",
        ),
      ),
    );
  });

  test("of slices, pads and takes, at every step and along every axis", () => {
    const slices = [
      [0, 1, 2, 1],
      [1, 0, 2, 3],
      [2, 1, 2, 2],
      [1, 1, 4, 1],
    ] as const;
    for (const [axis, start, length, step] of slices)
      requireWellFormed(
        checkGradients(
          [[3, 5, 4]],
          through((graph, [x]) => slice(graph, x!, axis, start, length, step, "s")),
        ),
      );
    const paddings = [
      { before: 1, after: 0 },
      { before: -1, after: 2 },
    ];
    checkGradients(
      [[2, 4]],
      through((graph, [x]) => pad(graph, x!, paddings, "p", 0.25)),
    );
    for (const positions of [
      [2, 1, 0],
      [0, -1, 2],
      [1, 1, 0, 2, -1, 1],
    ])
      for (const axis of [0, 1, 2])
        requireWellFormed(
          checkGradients(
            [[3, 3, 3]],
            through((graph, [x]) => take(graph, x!, axis, positions, "t")),
          ),
        );
  });

  test("of dropout, by the numbers that the forward pass drew", () => {
    requireWellFormed(
      checkGradients(
        [[4, 5]],
        through((graph, [x]) => dropout(graph, x!, 0.4, 3, "d")),
      ),
    );
  });
});

describe("random numbers", () => {
  test("are multiples of 2^-24 in [0, 1), other ones in every step and stream", async () => {
    const program = programOf([1], (graph) =>
      concat(graph, [random(graph, [50], 0, "a"), random(graph, [50], 1, "b")], 0, "both"),
    );
    const [first, second] = [await logitsOf(program, 0), await logitsOf(program, 1)];
    assert.ok(first.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2 ** 24)));
    assert.ok(new Set([...first, ...second]).size > 195);
    const again = sourceOutputs(jobOf(program), 1);
    assert.deepEqual(again, sourceOutputs(jobOf(program), 1));
    assert.notDeepEqual(again, sourceOutputs(jobOf(program, 6n), 1));
  });

  test("drop about as many elements as the rate says and keep the mean", async () => {
    const program = programOf([1], (graph, x) => {
      const ones = pad(graph, x, [{ before: 0, after: 9999 }], "ones", 1);
      return dropout(graph, ones, 0.25, graph.takeStream(), "dropped");
    });
    const values = await logitsOf(program, 3);
    const kept = values.filter((value) => value !== 0);
    assert.ok(kept.every((value) => value === Math.fround(1 / 0.75)));
    assert.ok(Math.abs(kept.length - 7500) < 200, `${kept.length} kept`);
  });

  test("drop nothing in evaluation", async () => {
    const program = programOf([3], (graph, x) => dropout(graph, x, 0.5, 1, "dropped"));
    const { dtype, shape } = program.state[0]!;
    const inputs = stepInputs(jobOf(program), 0, [{ dtype, shape, words: floats(1, -2, 0.375) }]);
    const random = new Map(
      [...inputs.random!].map(([at, tensor]) => [at, { ...tensor, words: floats(NOT_RANDOM, NOT_RANDOM, NOT_RANDOM) }]),
    );
    const { outputs } = await new ReferenceEngine(program).trace({ ...inputs, random });
    assert.deepEqual(outputs[program.logits!]!.words, floats(1, -2, 0.375));
  });

  test("a rate of 0 drops nothing, one of 1 or more is refused", () => {
    const graph = new SourceGraph();
    const x = state(graph, "x", [2]);
    assert.equal(dropout(graph, x, 0, 0, "d"), x);
    for (const rate of [1, -0.1, Number.NaN]) assert.throws(() => dropout(graph, x, rate, 0, "d"), RangeError);
    assert.deepEqual([graph.takeStream(), graph.takeStream()], [0, 1]);
  });
});
