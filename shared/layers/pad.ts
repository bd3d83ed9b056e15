/** Pad: zeros, or another number, around a tensor; negative amounts cut off. One Join for each padded axis. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { fromNumber } from "../numerics/float32.ts";
import { flush } from "../numerics/flush.ts";
import { GUARD_LIMIT } from "../numerics/guard.ts";
import { Dtype } from "../program/descriptor.ts";
import type { Importer } from "./importer.ts";
import { type JoinPart, join } from "./join.ts";
import { slice } from "./slice.ts";
import { take } from "./take.ts";

/** Positions to add before and behind an axis; negative ones are cut off. */
export interface Padding {
  readonly before: number;
  readonly after: number;
}

/**
 * @param paddings one for each axis.
 * @param value what the new positions hold; brought within ±2^20, so that −∞ may be given. Other than 0 for float32 only.
 * @throws RangeError when more is cut off than there is.
 */
export function pad(
  graph: SourceGraph,
  input: ValueId,
  paddings: readonly Padding[],
  name: string,
  value = 0,
): ValueId {
  let padded = input;
  for (const [axis, { before, after }] of paddings.entries()) {
    const length = graph.shape(padded)[axis]! + Math.min(before, 0) + Math.min(after, 0);
    padded = slice(graph, padded, axis, Math.max(-before, 0), length, 1, name);
    const [first, last] = [Math.max(before, 0), Math.max(after, 0)];
    const parts: JoinPart[] = [{ value: padded, start: first }];
    if (value !== 0) {
      const filled = (extent: number): ValueId => fill(graph, graph.shape(padded).with(axis, extent), value, name);
      if (first > 0) parts.unshift({ value: filled(first), start: 0 });
      if (last > 0) parts.push({ value: filled(last), start: first + length });
    }
    padded = join(graph, parts, axis, first + length + last, name);
  }
  return padded;
}

/** A tensor that holds one number everywhere; it takes no memory. */
export function fill(graph: SourceGraph, shape: readonly number[], value: number, name: string): ValueId {
  const word = flush(fromNumber(Math.min(Math.max(value, -GUARD_LIMIT), GUARD_LIMIT)));
  const tensor = { dtype: Dtype.float32, shape: [1], words: Uint32Array.of(word) };
  return graph.add({
    name: `${name}.fill`,
    layer: "fill",
    inputs: [],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => ({ ...lowering.constant(tensor), shape, strides: shape.map(() => 0) }),
  });
}

/** Which position of an axis of `extent` a position outside it repeats. */
const REPEATED: Readonly<Record<string, (at: number, extent: number) => number>> = {
  edge: (at, extent) => Math.min(Math.max(at, 0), extent - 1),
  wrap: (at, extent) => ((at % extent) + extent) % extent,
  reflect: (at, extent) => {
    if (extent === 1) return 0;
    const within = Math.abs(at) % (2 * extent - 2);
    return Math.min(within, 2 * extent - 2 - within);
  },
};

export const importPad: Importer = (context) => {
  const { graph } = context;
  const input = context.tensor(0, Dtype.float32, Dtype.int32);
  const { shape, dtype } = graph.node(input);
  const amounts = context.integers(1, "pads");
  if (amounts === null) throw context.error("it names no pads", "Export with static shapes.");
  const axes = (context.integers(3, "axes") ?? [...shape.keys()]).map((axis) => context.axis(axis, shape.length));
  if (amounts.length !== 2 * axes.length) {
    throw context.error(`${amounts.length} pads for ${axes.length} axes`, "Correct the model.");
  }
  const paddings = shape.map((extent, axis): Padding => {
    const at = axes.indexOf(axis);
    const [before, after] = at < 0 ? [0, 0] : [amounts[at]!, amounts[at + axes.length]!];
    if (extent + Math.min(before, 0) + Math.min(after, 0) < 1) {
      throw context.error(`[${before}, ${after}] leave nothing of an axis of ${extent}`, "Correct the pads.");
    }
    return { before, after };
  });
  const mode = context.string("mode", "constant");
  if (mode === "constant") {
    const given = context.has(2) ? context.host(2) : null;
    if (context.has(2) && given === null) throw context.error("its value is not constant", "Export it as a constant.");
    const value = given?.values[0] ?? context.float("value", 0);
    if (Number.isNaN(value) || (dtype === Dtype.int32 && value !== 0)) {
      throw context.error(`it pads with ${value}`, "Pad float32 with a number, int32 with 0.");
    }
    return pad(graph, input, paddings, context.name, value);
  }
  const repeated = REPEATED[mode];
  if (repeated === undefined) {
    throw context.error(`its mode is ${mode}`, `The modes are constant, ${Object.keys(REPEATED).join(", ")}.`);
  }
  return paddings.reduce((padded, { before, after }, axis) => {
    if (before === 0 && after === 0) return padded;
    const extent = shape[axis]!;
    const positions = Array.from({ length: before + extent + after }, (_, i) => repeated(i - before, extent));
    return take(graph, padded, axis, positions, context.name);
  }, input);
};
