/** The taps of sliding windows as operands of Maps, several Maps where there are more than one Map can read. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { Lowering } from "../graph/lower.ts";
import { MapBuilder, type Register } from "../graph/mapBuilder.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { MAX_MAP_OPERANDS } from "../program/encoding.ts";
import { operandOf, type View, wholeView } from "../program/view.ts";
import { takeRows } from "./takeRows.ts";
import { type Windows, windowTable } from "./windows.ts";

/** Where a layer finds tap k of every window: a view of the shape [C, OH, OW, N] for each tap. */
export interface Taps {
  readonly input: ValueId;
  readonly shape: readonly number[];
  view(lowering: Lowering, tap: number): View;
}

/**
 * The taps of windows over planes [C, H · W, N]: strided views where all of them lie inside, else of a copy of the windows.
 * @param outside what stands for a tap outside: 0, or the window's first tap inside, which leaves a maximum as it is.
 */
export function tapsOver(
  graph: SourceGraph,
  planes: ValueId,
  windows: Windows,
  outside: "zero" | "first",
  name: string,
): Taps {
  const { input, output, kernel, stride, dilation } = windows;
  const [channels, , batch] = graph.shape(planes) as [number, number, number];
  const shape = [channels, ...output, batch];
  const table = windowTable(windows);
  if (table.positions.every((position) => position >= 0)) {
    return {
      input: planes,
      shape,
      view: (lowering, tap) => {
        const view = lowering.view(planes);
        const [c, p, n] = view.strides as [number, number, number];
        const start = Math.floor(tap / kernel[1]) * dilation[0] * input[1] + (tap % kernel[1]) * dilation[1];
        return {
          ...view,
          offset: view.offset + start * p,
          shape,
          strides: [c, stride[0] * input[1] * p, stride[1] * p, n],
        };
      },
    };
  }
  const first = firstInside(windows);
  const positions = table.positions.map((position, at) => {
    if (position >= 0 || outside === "zero") return position;
    const window = at % first.length;
    return table.positions[first[window]! * first.length + window]!;
  });
  const copied = takeRows(graph, planes, { shape: table.shape, positions }, name);
  return {
    input: copied,
    shape,
    view: (lowering, tap) => {
      const view = lowering.view(copied);
      const step = wordCount(output) * batch;
      return {
        ...view,
        offset: view.offset + tap * step,
        shape,
        strides: [wordCount(kernel) * step, output[1] * batch, batch, 1],
      };
    },
  };
}

/** The first tap of each window that lies inside the image. @throws RangeError when there is none. */
export function firstInside(windows: Windows): number[] {
  const { positions } = windowTable(windows);
  const count = wordCount(windows.output);
  return Array.from({ length: count }, (_, window) => {
    for (let tap = 0; tap < wordCount(windows.kernel); tap++) if (positions[tap * count + window]! >= 0) return tap;
    throw new RangeError(`window ${window} lies outside the image`);
  });
}

/**
 * Folds views of one shape into one value, in their order: `start` makes the first register, `next` adds a view to it. `finish` is applied
 * to the last register. `always` are operands that every Map reads.
 */
export function fold(
  lowering: Lowering,
  name: string,
  shape: readonly number[],
  views: readonly View[],
  parts: {
    readonly always?: readonly View[];
    readonly last?: readonly View[];
    readonly start: (map: MapBuilder, x: Register, always: readonly Register[]) => Register;
    readonly next: (map: MapBuilder, sum: Register, x: Register, at: number, always: readonly Register[]) => Register;
    readonly finish?: (map: MapBuilder, sum: Register, last: readonly Register[]) => Register;
  },
): View {
  const { always = [], last = [] } = parts;
  const room = MAX_MAP_OPERANDS - always.length - last.length;
  let sum: View | null = null;
  for (let from = 0; from < views.length; ) {
    const until = Math.min(views.length, from + room - (sum === null ? 0 : 1));
    const map = new MapBuilder();
    const operand = (view: View) => map.operand(operandOf(view, view.strides));
    const constants = always.map(operand);
    let register: Register | null = sum === null ? null : operand(sum);
    for (; from < until; from++) {
      const x = operand(views[from]!);
      register = register === null ? parts.start(map, x, constants) : parts.next(map, register, x, from, constants);
    }
    const isLast = until === views.length;
    const result = isLast && parts.finish !== undefined ? parts.finish(map, register!, last.map(operand)) : register!;
    const label = isLast ? name : `${name}.part`;
    sum = lowering.emit(label, { family: "map", dtype: Dtype.float32, shape, ...map.finish(result)! });
  }
  return sum!;
}

/** The sum over the second axis of x [A, count, …], number by number in float32, on the flushed grid. */
export function addAll(graph: SourceGraph, x: ValueId, shape: readonly number[], count: number, name: string): ValueId {
  return graph.add({
    name,
    layer: "addAll",
    inputs: [x],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => {
      const view = lowering.view(x);
      const [outer, step, ...inner] = view.strides as [number, number, ...number[]];
      const parts = Array.from({ length: count }, (_, at) => ({
        ...view,
        offset: view.offset + at * step,
        shape,
        strides: [outer, ...inner],
      }));
      const sum = fold(lowering, name, shape, parts, {
        start: (map, term) => map.flush(term),
        next: (map, total, term) => map.add(total, map.flush(term)),
      });
      return wholeView(sum.reference, Dtype.float32, shape);
    },
  });
}
