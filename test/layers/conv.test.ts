import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SourceGraph, ValueId } from "../../shared/graph/graph.ts";
import { addToChannels, conv, convTranspose } from "../../shared/layers/conv.ts";
import { maxPool } from "../../shared/layers/pool.ts";
import { reshape } from "../../shared/layers/reshape.ts";
import { tanh } from "../../shared/layers/tanh.ts";
import { windowsOf } from "../../shared/layers/windows.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { checkGradients } from "../helpers/gradientCheck.ts";

const flat = (graph: SourceGraph, x: ValueId) => {
  const [batch, ...rest] = graph.shape(x) as [number, ...number[]];
  return reshape(graph, x, [batch, wordCount(rest)]);
};

describe("gradients of convolutions agree with central differences", () => {
  const cases = [
    { image: [3, 4], kernel: [3, 2], stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 },
    { image: [4, 3], kernel: [3, 3], stride: [2, 2], dilation: [1, 1], pads: [1, 1, 1, 1], groups: 1 },
    { image: [4, 5], kernel: [2, 3], stride: [1, 2], dilation: [2, 1], pads: [2, 0, 1, 3], groups: 2 },
    { image: [4, 4], kernel: [1, 1], stride: [2, 2], dilation: [1, 1], pads: [0, 0, 0, 0], groups: 1 },
    { image: [1, 9], kernel: [1, 3], stride: [1, 1], dilation: [1, 2], pads: [0, 2, 0, 2], groups: 4 },
  ] as const;
  for (const { image, kernel, stride, dilation, pads, groups } of cases) {
    const windows = windowsOf(image, kernel, stride, dilation, pads);
    const channels = Math.max(groups, 2);
    const weight = [channels, channels / groups, ...kernel];
    test(`of Conv: image ${image}, kernel ${kernel}, stride ${stride}, dilation ${dilation}, pads ${pads}, ${groups} groups`, () => {
      checkGradients([[2, channels, ...image], weight, [channels]], (graph, [x, w, b]) => {
        const y = conv(graph, x!, w!, windows, groups, "conv");
        assert.deepEqual(graph.shape(y), [2, channels, ...windows.output]);
        return flat(graph, tanh(graph, addToChannels(graph, y, b!, "conv.out"), "tanh"));
      });
    });
    test(`of ConvTranspose to an image ${image}, kernel ${kernel}, stride ${stride}`, () => {
      checkGradients([[2, channels, ...windows.output], weight], (graph, [x, w]) => {
        const y = convTranspose(graph, x!, w!, windows, groups, "conv");
        assert.deepEqual(graph.shape(y), [2, channels, ...image]);
        return flat(graph, tanh(graph, y, "tanh"));
      });
    });
  }
});

test("gradients pass through convolutions that follow each other and pools", () => {
  const first = windowsOf([6, 6], [3, 3], [1, 1], [1, 1], [1, 1, 1, 1]);
  const halves = windowsOf([6, 6], [2, 2], [2, 2], [1, 1], [0, 0, 0, 0]);
  const second = windowsOf([3, 3], [2, 2], [1, 1], [1, 1], [0, 0, 0, 0]);
  checkGradients(
    [
      [2, 1, 6, 6],
      [2, 1, 3, 3],
      [3, 2, 2, 2],
    ],
    (graph, [x, w1, w2]) => {
      const pooled = maxPool(graph, conv(graph, x!, w1!, first, 1, "conv1"), halves, "pool");
      return flat(graph, conv(graph, pooled, w2!, second, 1, "conv2"));
    },
  );
});

test("a convolution of single pixels copies nothing", () => {
  const windows = windowsOf([3, 4], [1, 1], [1, 1], [1, 1], [0, 0, 0, 0]);
  const program = checkGradients(
    [
      [2, 3, 3, 4],
      [4, 3, 1, 1],
    ],
    (graph, [x, w]) => flat(graph, conv(graph, tanh(graph, x!, "tanh"), w!, windows, 1, "conv")),
  );
  assert.ok(program.operators.every(({ operator }) => operator.family !== "gather"));
});
