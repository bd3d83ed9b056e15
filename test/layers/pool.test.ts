import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SourceGraph, ValueId } from "../../shared/graph/graph.ts";
import { averagePool, countTaps, globalAveragePool, maxPool } from "../../shared/layers/pool.ts";
import { reshape } from "../../shared/layers/reshape.ts";
import { tanh } from "../../shared/layers/tanh.ts";
import { windowsOf } from "../../shared/layers/windows.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { evaluate64 } from "../helpers/evaluate64.ts";
import { checkGradients, gradientProgram } from "../helpers/gradientCheck.ts";

const logits = (graph: SourceGraph, x: ValueId) => {
  const shape = graph.shape(x);
  return reshape(graph, tanh(graph, x, "tanh"), [shape[0]!, wordCount(shape.slice(1))]);
};

const CASES = [
  { image: [4, 6], kernel: [2, 2], stride: [2, 2], dilation: [1, 1], pads: [0, 0, 0, 0] },
  { image: [5, 4], kernel: [2, 2], stride: [2, 2], dilation: [1, 1], pads: [0, 0, 0, 0] },
  { image: [5, 5], kernel: [3, 3], stride: [2, 2], dilation: [1, 1], pads: [1, 1, 1, 1] },
  { image: [4, 4], kernel: [3, 4], stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0] },
  { image: [3, 5], kernel: [2, 2], stride: [1, 2], dilation: [2, 3], pads: [1, 0, 0, 1] },
  { image: [1, 6], kernel: [1, 1], stride: [1, 2], dilation: [1, 1], pads: [0, 0, 0, 0] },
] as const;

describe("gradients of pools agree with central differences", () => {
  for (const { image, kernel, stride, dilation, pads } of CASES) {
    const windows = windowsOf(image, kernel, stride, dilation, pads);
    const title = `image ${image}, kernel ${kernel}, stride ${stride}, dilation ${dilation}, pads ${pads}`;
    test(`of MaxPool: ${title}`, () => {
      checkGradients([[2, 2, ...image]], (graph, [x]) => logits(graph, maxPool(graph, x!, windows, "pool")));
    });
    for (const counted of [null, pads]) {
      test(`of AveragePool, ${counted === null ? "without" : "with"} the padding: ${title}`, () => {
        checkGradients([[2, 2, ...image]], (graph, [x]) =>
          logits(graph, averagePool(graph, x!, windows, countTaps(windows, counted), "pool")),
        );
      });
    }
  }

  test("of GlobalAveragePool", () => {
    checkGradients([[2, 3, 3, 2]], (graph, [x]) => logits(graph, globalAveragePool(graph, x!, "mean")));
  });
});

test("a window's taps are counted with the padding that ends before a window of ceil_mode does", () => {
  const windows = { ...windowsOf([5, 5], [3, 3], [2, 2], [1, 1], [0, 0, 0, 0]), output: [3, 3] as const };
  assert.deepEqual(countTaps(windows, [0, 0, 0, 0]), [9, 9, 3, 9, 9, 3, 3, 3, 1]);
});

describe("of equal maxima in a window the first takes the gradient", () => {
  const cases = [
    { title: "in tiles", windows: windowsOf([4, 4], [2, 2], [2, 2], [1, 1], [0, 0, 0, 0]), taken: [0, 2, 8, 10] },
    {
      title: "in windows that overlap and reach outside",
      windows: windowsOf([4, 4], [3, 3], [2, 2], [1, 1], [1, 1, 1, 1]),
      taken: [0, 1, 4, 5],
    },
    {
      title: "in windows of more taps than one Map reads",
      windows: windowsOf([4, 5], [4, 4], [1, 1], [1, 1], [0, 0, 0, 0]),
      taken: [0, 1],
    },
  ];
  for (const { title, windows, taken } of cases) {
    test(title, () => {
      const shape = [1, 1, ...windows.input];
      const program = gradientProgram([shape], (graph, [x]) => {
        const y = maxPool(graph, x!, windows, "pool");
        return reshape(graph, y, [1, wordCount(windows.output)]);
      });
      const state = [new Float64Array(wordCount(shape)).fill(0.25)];
      const gradient = evaluate64(program, { state, sources: {} })[program.state[0]!.source!]!;
      const nonZero = [...gradient.keys()].filter((at) => gradient[at] !== 0);
      assert.deepEqual(nonZero, taken);
    });
  }
});
