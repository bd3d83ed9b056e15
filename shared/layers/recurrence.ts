/** What recurrent layers share: time steps as rows of one matrix, the order of steps, and activations of all gates in one Map. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { Dtype } from "../program/descriptor.ts";
import { concat } from "./join.ts";
import { constant } from "./leaf.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { tanhExpression } from "./tanh.ts";

/** The tensors of one direction of a recurrent layer with `gates` gates. */
export interface RecurrentTensors {
  /** [steps, batch, inputs] */
  readonly input: ValueId;
  /** [gates · hidden, inputs] */
  readonly weight: ValueId;
  /** [gates · hidden, hidden] */
  readonly recurrent: ValueId;
  /** State before the first step, [batch, hidden]; null: zeros. */
  readonly hidden: ValueId | null;
}

export interface RecurrentSizes {
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
}

export function sizesOf(graph: SourceGraph, { input, recurrent }: RecurrentTensors): RecurrentSizes {
  const [steps, batch, inputs] = graph.shape(input) as [number, number, number];
  return { steps, batch, inputs, hidden: graph.shape(recurrent)[1]! };
}

/** Time steps in the order in which they are computed. */
export function timeOrder(steps: number, reverse: boolean): number[] {
  const times = [...new Array(steps).keys()];
  return reverse ? times.reverse() : times;
}

/** The rows of time t of a matrix [steps · batch, n], as [batch, …shape]. */
export function rowsAt(
  graph: SourceGraph,
  matrix: ValueId,
  t: number,
  batch: number,
  shape: readonly number[],
): ValueId {
  const rows = slice(graph, matrix, 0, t * batch, batch, 1, `${graph.name(matrix)}.${t}`);
  return reshape(graph, rows, [batch, ...shape]);
}

/** Gate k of gates [batch, count, hidden], as [batch, hidden]. */
export function gateOf(graph: SourceGraph, gates: ValueId, k: number): ValueId {
  const [batch, , hidden] = graph.shape(gates) as [number, number, number];
  return reshape(graph, slice(graph, gates, 1, k, 1, 1, `${graph.name(gates)}.${k}`), [batch, hidden]);
}

/** [batch, hidden] as [batch, 1, hidden], to stand beside every gate. */
export function besideGates(graph: SourceGraph, value: ValueId): ValueId {
  const [batch, hidden] = graph.shape(value) as [number, number];
  return reshape(graph, value, [batch, 1, hidden]);
}

/** The numbers 0 … count − 1, [count, 1]. */
export function gateNumbers(graph: SourceGraph, count: number, name: string): ValueId {
  const words = new Uint32Array(Float32Array.from({ length: count }, (_, k) => k).buffer);
  return constant(graph, `${name}.number`, { dtype: Dtype.float32, shape: [count, 1], words });
}

/** Values [batch, …] of all time steps, given by time, as [steps · batch, …]. */
export function overTime(graph: SourceGraph, byTime: readonly ValueId[], name: string): ValueId {
  return concat(graph, byTime, 0, name);
}

/**
 * What follows a state [steps · batch, n] and what it follows, both as rows: the rows of `later` at every time that has a time before it,
 * and those of `state` at the time before. null when there is one step only.
 */
export function neighbours(
  graph: SourceGraph,
  later: ValueId,
  state: ValueId,
  { steps, batch }: RecurrentSizes,
  reverse: boolean,
): { readonly later: ValueId; readonly state: ValueId } | null {
  if (steps === 1) return null;
  const rows = (steps - 1) * batch;
  const part = (value: ValueId, isLater: boolean) =>
    slice(graph, value, 0, isLater === reverse ? 0 : batch, rows, 1, `${graph.name(value)}.part`);
  return { later: part(later, true), state: part(state, false) };
}

/** The hidden state before each step, by time, from those after it: [steps · batch, hidden]. */
export function previousStates(
  graph: SourceGraph,
  before: ValueId,
  hidden: readonly ValueId[],
  reverse: boolean,
  name: string,
): ValueId {
  const previous = reverse ? [...hidden.slice(1), before] : [before, ...hidden.slice(0, -1)];
  return concat(graph, previous, 0, `${name}.previous`);
}

/** tanh of x where `isPlain` is 1, else the sigmoid ½ + ½ tanh(x / 2); in [−1, 1]. */
export function gateExpression(map: MapBuilder, x: Register, isPlain: Register): Register {
  const half = map.immediate(0.5);
  const curve = tanhExpression(map, map.mul(x, map.select(isPlain, map.immediate(1), half)));
  return map.clamp(map.select(isPlain, curve, map.add(map.mul(curve, half), half)), -1, 1);
}

/** The derivative of `gateExpression`, from its value y: 1 − y², or y (1 − y). */
export function gateSlope(map: MapBuilder, y: Register, isPlain: Register): Register {
  return map.flush(map.mul(map.sub(map.immediate(1), y), map.add(y, isPlain)));
}

export function total(map: MapBuilder, terms: readonly Register[]): Register {
  return terms.reduce((a, b) => map.add(a, b));
}
