/** What sliding windows share when their gradient goes back: every position of the image adds up what its windows say. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { MapBuilder, type Register } from "../graph/mapBuilder.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { operandOf, reshapeView, type View } from "../program/view.ts";
import { elementwise } from "./elementwise.ts";
import { constant } from "./leaf.ts";
import { takeRows } from "./takeRows.ts";
import { addAll } from "./taps.ts";
import type { Windows } from "./windows.ts";

/**
 * out[c, q, n] = Σ over the windows p that hold position q, with tap k, of g[c, p, n], where `winner`[c, p, n] is k or there is none.
 * g and winner are [C, windows, N], the result is [C, H · W, N].
 */
export function sumOverCover(
  graph: SourceGraph,
  g: ValueId,
  winner: ValueId | null,
  windows: Windows,
  name: string,
): ValueId {
  return isTiling(windows)
    ? spreadTiles(graph, g, winner, windows, name)
    : sumOverlapping(graph, g, winner, windows, name);
}

/** Whether every position of the image lies in exactly one window. */
function isTiling({ input, output, kernel, stride, dilation, pad }: Windows): boolean {
  return ([0, 1] as const).every(
    (axis) =>
      pad[axis] === 0 &&
      (dilation[axis] === 1 || kernel[axis] === 1) &&
      stride[axis] === kernel[axis] &&
      input[axis] === output[axis] * kernel[axis],
  );
}

function spreadTiles(
  graph: SourceGraph,
  g: ValueId,
  winner: ValueId | null,
  { input, output, kernel }: Windows,
  name: string,
): ValueId {
  const [channels, , batch] = graph.shape(g) as [number, number, number];
  const shape = [channels, wordCount(input), batch];
  const tapNumbers = constant(graph, `${name}.taps`, numbersTensor([...kernel], [...tapsOf(kernel)]));
  return graph.add({
    name,
    layer: "cover",
    inputs: winner === null ? [g] : [g, winner, tapNumbers],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      const map = new MapBuilder();
      const read = (view: View): Register => {
        const [c, p, n] = view.strides as [number, number, number];
        return map.operand(operandOf(view, [c, output[1] * p, 0, p, 0, n]));
      };
      let value = map.flush(read(lowering.view(g)));
      if (winner !== null) {
        const taps = lowering.view(tapNumbers);
        const [down, right] = taps.strides as [number, number];
        const tap = map.operand(operandOf(taps, [0, 0, down, 0, right, 0]));
        value = map.select(map.equal(read(lowering.view(winner)), tap), value, map.immediate(0));
      }
      const tiles = lowering.emit(name, {
        family: "map",
        dtype: Dtype.float32,
        shape: [channels, output[0], kernel[0], output[1], kernel[1], batch],
        ...map.finish(value)!,
      });
      return reshapeView(tiles, shape)!;
    },
  });
}

function sumOverlapping(
  graph: SourceGraph,
  g: ValueId,
  winner: ValueId | null,
  windows: Windows,
  name: string,
): ValueId {
  const { input } = windows;
  const { shape, places, taps } = covers(windows);
  const take = (x: ValueId, label: string) =>
    takeRows(graph, x, { shape, positions: Int32Array.from(places) }, `${name}.${label}`);
  const taken = take(g, "covers");
  const [channels, , , batch] = graph.shape(taken) as [number, number, number, number];
  let each = taken;
  if (winner !== null) {
    const tapNumbers = constant(graph, `${name}.taps`, numbersTensor([...shape, 1], taps));
    each = elementwise(
      graph,
      `${name}.won`,
      "won",
      [taken, take(winner, "winners"), tapNumbers],
      (map, [value, won, tap]) => map.select(map.equal(won!, tap!), value!, map.immediate(0)),
    );
  }
  return addAll(graph, each, [channels, wordCount(input), batch], shape[0], name);
}

/** For each position of the image the windows that hold it, and as which tap: [most windows, H · W], −1 where there is none. */
function covers({ input, output, kernel, stride, dilation, pad }: Windows): {
  readonly shape: [number, number];
  readonly places: readonly number[];
  readonly taps: readonly number[];
} {
  const [rows, columns] = ([0, 1] as const).map((axis) =>
    Array.from({ length: input[axis] }, (_, position) =>
      Array.from({ length: kernel[axis] }, (_, tap) => ({
        tap,
        window: (position + pad[axis] - tap * dilation[axis]) / stride[axis],
      })).filter(({ window }) => Number.isInteger(window) && window >= 0 && window < output[axis]),
    ),
  ) as [{ tap: number; window: number }[][], { tap: number; window: number }[][]];
  const lists = rows.flatMap((down) =>
    columns.map((right) =>
      down.flatMap((row) =>
        right.map((column) => ({
          place: row.window * output[1] + column.window,
          tap: row.tap * kernel[1] + column.tap,
        })),
      ),
    ),
  );
  const most = Math.max(1, ...lists.map((list) => list.length));
  const column = (pick: (at: number) => number[]) => Array.from({ length: most }, (_, at) => pick(at)).flat();
  return {
    shape: [most, wordCount(input)],
    places: column((at) => lists.map((list) => list[at]?.place ?? -1)),
    taps: column((at) => lists.map((list) => list[at]?.tap ?? -1)),
  };
}

function* tapsOf(kernel: readonly number[]): Generator<number> {
  for (let tap = 0; tap < wordCount(kernel); tap++) yield tap;
}

/** A float32 tensor of small integers. */
export function numbersTensor(shape: readonly number[], numbers: readonly number[]) {
  return { dtype: Dtype.float32, shape, words: new Uint32Array(Float32Array.from(numbers).buffer) };
}
