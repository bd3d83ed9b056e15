/**
 * The simple recurrent layer (Elman 1990), unrolled over time: h = f(x Wᵀ + h₋ Rᵀ + b), f being tanh or max(·, 0).
 *
 * One Dot makes the input's part for all steps, a step is one Dot and one Map; the gradients of the weights are one Dot each over all steps.
 */

import type { Contribution, SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import {
  neighbours,
  overTime,
  previousStates,
  type RecurrentTensors,
  rowsAt,
  sizesOf,
  timeOrder,
  total,
} from "./recurrence.ts";
import { reshape } from "./reshape.ts";
import { sumAxes } from "./sum.ts";
import { tanhExpression } from "./tanh.ts";
import { transposeMatrix } from "./transpose.ts";

export interface RnnTensors extends RecurrentTensors {
  /** [hidden] */
  readonly bias: ValueId | null;
}

export interface RnnOptions {
  readonly reverse: boolean;
  readonly activation: "tanh" | "relu";
}

/** Bound of what tanh gives. */
const BOUND = 1;

/** All hidden states by time: [steps, batch, hidden]. */
export function rnn(graph: SourceGraph, tensors: RnnTensors, options: RnnOptions, name: string): ValueId {
  const { input, weight, recurrent, bias, hidden: before } = tensors;
  const { reverse } = options;
  const isTanh = options.activation === "tanh";
  const sizes = sizesOf(graph, tensors);
  const { steps, batch, inputs, hidden } = sizes;
  const rows = reshape(graph, input, [steps * batch, inputs]);
  const projected = matmul(graph, rows, transposeMatrix(graph, weight), `${name}.input`);
  const biases = bias === null ? [] : [reshape(graph, bias, [1, hidden])];

  const states: { readonly time: number; readonly hidden: ValueId }[] = [];
  for (const time of timeOrder(steps, reverse)) {
    const last = states.at(-1)?.hidden;
    const previous = last ?? before;
    const bounds = isTanh && last !== undefined ? { left: BOUND } : {};
    const product =
      previous === null
        ? []
        : [matmul(graph, previous, transposeMatrix(graph, recurrent), `${name}.recurrent.${time}`, bounds)];
    const terms = [rowsAt(graph, projected, time, batch, [hidden]), ...product, ...biases];
    const state = elementwise(graph, `${name}.hidden.${time}`, "rnn", terms, (map, parts) => {
      const sum = total(map, parts);
      return isTanh ? map.clamp(tanhExpression(map, sum), -BOUND, BOUND) : map.max(map.flush(sum), map.immediate(0));
    });
    states.push({ time, hidden: state });
  }
  const byTime = states.toSorted((a, b) => a.time - b.time);
  const joined = overTime(
    graph,
    byTime.map((step) => step.hidden),
    name,
  );
  const result = reshape(graph, joined, [steps, batch, hidden]);

  const gradient = (upstream: ValueId): Contribution[] => {
    const flat = reshape(graph, upstream, [steps * batch, hidden]);
    const gradients = new Map<number, ValueId>();
    let below: ValueId | null = null;
    for (const { time, hidden: state } of states.toReversed()) {
      const own = rowsAt(graph, flat, time, batch, [hidden]);
      const passed: ValueId[] = below === null ? [] : [matmul(graph, below, recurrent, `${name}.grad.${time}.passed`)];
      below = elementwise(
        graph,
        `${name}.grad.${time}`,
        "rnnGradient",
        [state, own, ...passed],
        (map, [h, ...terms]) => {
          const g = map.flush(total(map, terms));
          const one = map.immediate(1);
          if (!isTanh) return map.select(map.less(map.immediate(0), h!), g, map.immediate(0));
          return map.flush(map.mul(g, map.sub(one, map.mul(h!, h!))));
        },
      );
      gradients.set(time, below);
    }
    const all = overTime(
      graph,
      byTime.map(({ time }) => gradients.get(time)!),
      `${name}.grad`,
    );
    const found: Contribution[] = [
      [input, reshape(graph, matmul(graph, all, weight, `${graph.name(input)}.grad`), [steps, batch, inputs])],
      [weight, matmul(graph, transposeMatrix(graph, all), rows, `${graph.name(weight)}.grad`)],
    ];
    if (bias !== null) {
      found.push([bias, reshape(graph, sumAxes(graph, all, 0, 1, `${graph.name(bias)}.grad`), graph.shape(bias))]);
    }
    const hiddenByTime = byTime.map((step) => step.hidden);
    const pair =
      before === null
        ? neighbours(graph, all, joined, sizes, reverse)
        : { later: all, state: previousStates(graph, before, hiddenByTime, reverse, name) };
    if (pair !== null) {
      const product = matmul(graph, transposeMatrix(graph, pair.later), pair.state, `${graph.name(recurrent)}.grad`);
      found.push([recurrent, product]);
    }
    if (before !== null) found.push([before, matmul(graph, below!, recurrent, `${graph.name(before)}.grad`)]);
    return found;
  };
  const optional = [bias, before].filter((value) => value !== null);
  return graph.add({
    name,
    layer: "rnn",
    inputs: [result, input, weight, ...(steps === 1 && before === null ? [] : [recurrent]), ...optional],
    dtype: Dtype.float32,
    shape: graph.shape(result),
    gradient: (upstream) => gradient(upstream!),
    lower: (lowering) => lowering.view(result),
  });
}
