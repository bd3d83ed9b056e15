/**
 * Convolution of images, plain and transposed, with any stride, padding, dilation and groups. The windows are copied into a matrix and
 * multiplied with the weight: one Dot on the integer grids of image and weight.
 *
 *     correlate   out[o, p] = Σ_{c, k} w[o, c, k] · x[c, window p at tap k]             Conv, and the image gradient of ConvTranspose
 *     spread      out[c, q] = Σ_{o, k} w[o, c, k] · g[o, the window over q at tap k]    ConvTranspose, and the image gradient of Conv
 *     taps        out[o, c, k] = Σ_{p, n} g[o, p, n] · x[c, window p at tap k, n]       the weight gradient of both
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { wordCount } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { fromPlanes, toPlanes } from "./planes.ts";
import { reshape } from "./reshape.ts";
import { sumAxes } from "./sum.ts";
import { takeRows } from "./takeRows.ts";
import { transpose, transposeMatrix } from "./transpose.ts";
import { coverTable, type Windows, windowTable } from "./windows.ts";

/** x [N, C, H, W], w [O, C / groups, KH, KW] → [N, O, OH, OW]. The windows lie over x. */
export function conv(
  graph: SourceGraph,
  x: ValueId,
  w: ValueId,
  windows: Windows,
  groups: number,
  name: string,
): ValueId {
  const image = toPlanes(graph, x);
  const matrix = windowMatrix(graph, image, windows, groups, `${name}.windows`);
  return withGradient(
    graph,
    fromPlanes(graph, correlate(graph, matrix, w, windows, groups, `${name}.dot`), windows.output),
    (upstream) => {
      const g = toPlanes(graph, upstream);
      const forImage = spread(graph, g, w, windows, groups, `${graph.name(x)}.grad`);
      return [
        [image, forImage],
        [w, taps(graph, g, matrix, graph.shape(w), groups, `${graph.name(w)}.grad`)],
      ];
    },
  );
}

/** x [N, O, OH, OW], w [O, C / groups, KH, KW] → [N, C, H, W]. The windows lie over the result. */
export function convTranspose(
  graph: SourceGraph,
  x: ValueId,
  w: ValueId,
  windows: Windows,
  groups: number,
  name: string,
): ValueId {
  const image = toPlanes(graph, x);
  return withGradient(
    graph,
    fromPlanes(graph, spread(graph, image, w, windows, groups, `${name}.dot`), windows.input),
    (upstream) => {
      const matrix = windowMatrix(graph, toPlanes(graph, upstream), windows, groups, `${name}.windows`);
      const forImage = correlate(graph, matrix, w, windows, groups, `${graph.name(x)}.grad`);
      return [
        [image, forImage],
        [w, taps(graph, image, matrix, graph.shape(w), groups, `${graph.name(w)}.grad`)],
      ];
    },
  );
}

/** Adds a number for each channel: x [N, C, …] + bias [C]. */
export function addToChannels(graph: SourceGraph, x: ValueId, bias: ValueId, name: string): ValueId {
  const shape = graph.shape(x);
  const channels = reshape(graph, bias, [shape[1]!, ...shape.slice(2).map(() => 1)]);
  return elementwise(
    graph,
    name,
    "channelBias",
    [x, channels],
    (map, [a, b]) => map.add(a!, b!),
    (upstream) => [
      [x, upstream!],
      [bias, sumAxes(graph, toPlanes(graph, upstream!), 1, 3, `${graph.name(bias)}.grad`)],
    ],
  );
}

/** A node that passes `inner` on and carries the gradient past the nodes that `inner` is made of. */
function withGradient(
  graph: SourceGraph,
  inner: ValueId,
  gradient: (upstream: ValueId) => readonly (readonly [tensor: ValueId, gradient: ValueId])[],
): ValueId {
  const { name, dtype, shape } = graph.node(inner);
  return graph.add({
    name,
    layer: "conv",
    inputs: [inner],
    dtype,
    shape,
    gradient: (upstream) => gradient(upstream!),
    lower: (lowering) => lowering.view(inner),
  });
}

/** Planes [C, H · W, N] → every window as a column, [groups, C / groups · taps, windows · N]. */
function windowMatrix(graph: SourceGraph, planes: ValueId, windows: Windows, groups: number, name: string): ValueId {
  const [channels, , batch] = graph.shape(planes) as [number, number, number];
  const taken = takeRows(graph, planes, windowTable(windows), name);
  const length = (channels / groups) * wordCount(windows.kernel);
  return reshape(graph, taken, grouped(groups, length, wordCount(windows.output) * batch));
}

function correlate(
  graph: SourceGraph,
  matrix: ValueId,
  w: ValueId,
  windows: Windows,
  groups: number,
  name: string,
): ValueId {
  const [outputs, ...rest] = graph.shape(w) as [number, ...number[]];
  const weight = reshape(graph, w, grouped(groups, outputs / groups, wordCount(rest)));
  const product = matmul(graph, weight, matrix, name);
  const positions = wordCount(windows.output);
  return reshape(graph, product, [outputs, positions, graph.shape(product).at(-1)! / positions]);
}

function spread(
  graph: SourceGraph,
  planes: ValueId,
  w: ValueId,
  windows: Windows,
  groups: number,
  name: string,
): ValueId {
  const [outputs, channels] = graph.shape(w) as [number, number];
  const batch = graph.shape(planes)[2]!;
  const [perGroup, kernel, positions] = [outputs / groups, wordCount(windows.kernel), wordCount(windows.input)];
  const covers = takeRows(graph, planes, coverTable(windows), `${name}.windows`);
  const matrix = reshape(graph, covers, grouped(groups, perGroup * kernel, positions * batch));
  const byChannel = transpose(graph, reshape(graph, w, [groups, perGroup, channels, kernel]), [0, 2, 1, 3]);
  const weight = reshape(graph, byChannel, grouped(groups, channels, perGroup * kernel));
  return reshape(graph, matmul(graph, weight, matrix, name), [groups * channels, positions, batch]);
}

function taps(
  graph: SourceGraph,
  g: ValueId,
  matrix: ValueId,
  shape: readonly number[],
  groups: number,
  name: string,
): ValueId {
  const length = graph.shape(matrix).at(-1)!;
  const upstream = reshape(graph, g, grouped(groups, shape[0]! / groups, length));
  return reshape(graph, matmul(graph, upstream, transposeMatrix(graph, matrix), name), shape);
}

/** One product has no group axis. */
function grouped(groups: number, rows: number, columns: number): number[] {
  return groups === 1 ? [rows, columns] : [groups, rows, columns];
}
