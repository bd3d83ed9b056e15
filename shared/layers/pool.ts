/**
 * MaxPool, AveragePool and GlobalAveragePool of images. The gradient of a maximum goes to the first tap of the window that has it, by rows then columns, as in
 * PyTorch.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { operandOf, type View } from "../program/view.ts";
import { numbersTensor, sumOverCover } from "./cover.ts";
import { elementwise } from "./elementwise.ts";
import { constant } from "./leaf.ts";
import { fromPlanes, toPlanes } from "./planes.ts";
import { reshape } from "./reshape.ts";
import { scale } from "./scale.ts";
import { sumAxes } from "./sum.ts";
import { firstInside, fold, type Taps, tapsOver } from "./taps.ts";
import type { Windows } from "./windows.ts";

/** x [N, C, H, W] → [N, C, OH, OW]. Every window must hold a position of the image. */
export function maxPool(graph: SourceGraph, x: ValueId, windows: Windows, name: string): ValueId {
  const planes = toPlanes(graph, x);
  const taps = tapsOver(graph, planes, windows, "first", `${name}.windows`);
  const count = wordCount(windows.kernel);
  const viewsOf = (lowering: Parameters<Taps["view"]>[0]): View[] =>
    Array.from({ length: count }, (_, tap) => taps.view(lowering, tap));
  const [channels, , batch] = graph.shape(planes) as [number, number, number];
  const shape = [channels, wordCount(windows.output), batch];
  const greatest: ValueId = graph.add({
    name,
    layer: "maxPool",
    inputs: [taps.input],
    dtype: Dtype.float32,
    shape,
    gradient: (upstream) => {
      const winner = count === 1 ? null : firstMaximum(graph, greatest, taps, windows, `${name}.winner`);
      return [[planes, sumOverCover(graph, upstream!, winner, windows, `${graph.name(x)}.grad`)]];
    },
    lower: (lowering) =>
      lowering.reshape(
        fold(lowering, name, taps.shape, viewsOf(lowering), {
          start: (_, value) => value,
          next: (map, most, value) => map.max(most, value),
        }),
        shape,
      ),
  });
  return fromPlanes(graph, greatest, windows.output);
}

/** The number of the first tap that has the window's maximum. */
function firstMaximum(graph: SourceGraph, maximum: ValueId, taps: Taps, windows: Windows, name: string): ValueId {
  const count = wordCount(windows.kernel);
  const first = firstInside(windows);
  const firsts = constant(graph, `${name}.first`, numbersTensor([...windows.output, 1], first));
  const clipped = first.some((tap) => tap > 0);
  return graph.add({
    name,
    layer: "firstMaximum",
    inputs: clipped ? [taps.input, maximum, firsts] : [taps.input, maximum],
    dtype: Dtype.float32,
    shape: graph.shape(maximum),
    lower: (lowering) => {
      const whole = lowering.reshape(lowering.view(maximum), taps.shape);
      const least = clipped ? [lowering.view(firsts)] : [];
      // From the last tap to the first, so that the first of equal ones stays.
      const views = Array.from({ length: count }, (_, at) => taps.view(lowering, count - 1 - at));
      const winner = fold(lowering, name, taps.shape, views, {
        always: [whole],
        last: least.map((view) => ({ ...view, strides: [0, ...view.strides] })),
        start: (map) => map.immediate(count - 1),
        next: (map, tap, value, at, [most]) => map.select(map.equal(value, most!), map.immediate(count - 1 - at), tap),
        // Taps outside have the value of the first inside, whose number is greater.
        finish: (map, tap, [inside]) => (inside === undefined ? tap : map.max(tap, inside)),
      });
      return lowering.reshape(winner, graph.shape(maximum));
    },
  });
}

/** x [N, C, H, W] → [N, C, OH, OW]; `counts` says by how much each window's sum is divided. */
export function averagePool(
  graph: SourceGraph,
  x: ValueId,
  windows: Windows,
  counts: readonly number[],
  name: string,
): ValueId {
  const planes = toPlanes(graph, x);
  const taps = tapsOver(graph, planes, windows, "zero", `${name}.windows`);
  const [channels, , batch] = graph.shape(planes) as [number, number, number];
  const shape = [channels, wordCount(windows.output), batch];
  const shares = constant(
    graph,
    `${name}.shares`,
    numbersTensor(
      [shape[1]!, 1],
      counts.map((count) => 1 / count),
    ),
  );
  const divided = (value: ValueId, label: string): ValueId =>
    counts.every((count) => count === counts[0])
      ? scale(graph, value, 1 / counts[0]!, label)
      : elementwise(graph, label, "shares", [value, shares], (map, [a, b]) => map.flush(map.mul(a!, b!)));
  const total = graph.add({
    name: `${name}.total`,
    layer: "averagePool",
    inputs: [taps.input],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      const views = Array.from({ length: wordCount(windows.kernel) }, (_, tap) => taps.view(lowering, tap));
      const sum = fold(lowering, `${name}.total`, taps.shape, views, {
        start: (map, term) => map.flush(term),
        next: (map, sum, term) => map.add(sum, map.flush(term)),
      });
      return lowering.reshape(sum, shape);
    },
  });
  const average = divided(total, name);
  const result: ValueId = graph.add({
    name,
    layer: "averagePool",
    dtype: Dtype.float32,
    shape,
    inputs: [average],
    gradient: (upstream) => [
      [planes, sumOverCover(graph, divided(upstream!, `${name}.share`), null, windows, `${graph.name(x)}.grad`)],
    ],
    lower: (lowering) => lowering.view(average),
  });
  return fromPlanes(graph, result, windows.output);
}

/** How many taps of each window count: all that lie in the image, and with `pad` those in its padding. */
export function countTaps(windows: Windows, pads: readonly [number, number, number, number] | null): number[] {
  const { input, output, kernel, stride, dilation, pad } = windows;
  const inside = (axis: 0 | 1, window: number): number => {
    const before = pads === null ? 0 : pads[axis];
    const after = pads === null ? 0 : pads[axis + 2]!;
    let taps = 0;
    for (let tap = 0; tap < kernel[axis]; tap++) {
      const position = window * stride[axis] + tap * dilation[axis] - pad[axis];
      if (position >= -before && position < input[axis] + after) taps++;
    }
    return taps;
  };
  return Array.from({ length: output[0] }, (_, row) => inside(0, row)).flatMap((down) =>
    Array.from({ length: output[1] }, (_, column) => down * inside(1, column)),
  );
}

/** x [N, C, …spatial] → [N, C, 1, …]: the mean of each channel. */
export function globalAveragePool(graph: SourceGraph, x: ValueId, name: string): ValueId {
  const planes = toPlanes(graph, x);
  const [channels, positions, batch] = graph.shape(planes) as [number, number, number];
  const total = reshape(graph, sumAxes(graph, planes, 1, 2, `${name}.total`, { bits: 22 }), [channels, 1, batch]);
  const mean = scale(graph, total, 1 / positions, name);
  const result = graph.add({
    name,
    layer: "globalAveragePool",
    inputs: [mean],
    dtype: Dtype.float32,
    shape: [channels, 1, batch],
    gradient: (upstream) => [
      [
        planes,
        repeatRows(graph, scale(graph, upstream!, 1 / positions, `${name}.share`), positions, `${graph.name(x)}.grad`),
      ],
    ],
    lower: (lowering) => lowering.view(mean),
  });
  return fromPlanes(
    graph,
    result,
    graph
      .shape(x)
      .slice(2)
      .map(() => 1),
  );
}

/** x [A, 1, B] → [A, count, B]. */
function repeatRows(graph: SourceGraph, x: ValueId, count: number, name: string): ValueId {
  const [outer, , inner] = graph.shape(x) as [number, number, number];
  const shape = [outer, count, inner];
  return graph.add({
    name,
    layer: "repeatRows",
    inputs: [x],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      const view = lowering.view(x);
      const [a, , b] = view.strides as [number, number, number];
      const operands = [operandOf(view, [a, 0, b])];
      return lowering.emit(name, {
        family: "map",
        dtype: Dtype.float32,
        shape,
        operands,
        immediates: [],
        instructions: [],
      });
    },
  });
}
