/**
 * LSTM (Hochreiter, Schmidhuber 1997), unrolled over time; gates in the order of ONNX: input, output, forget, candidate.
 *
 *     i, o, f = σ(…), g = tanh(…)  of  x W ᵀ + h R ᵀ + b      c = f c₋ + i g      h = o tanh c
 *
 * One Dot makes the input's part for all steps; a step is one Dot and four Maps. Backwards a step is one Dot, its Peak and three
 * Maps, and the gradients of the weights are one Dot each over all steps. A hidden state is at most 1 by construction, so it needs no Peak.
 */

import type { Contribution, SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import {
  besideGates,
  gateExpression,
  gateNumbers,
  gateOf,
  gateSlope,
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
import { tanh } from "./tanh.ts";
import { transposeMatrix } from "./transpose.ts";

export interface LstmTensors extends RecurrentTensors {
  /** [4 · hidden] */
  readonly bias: ValueId | null;
  /** Cell before the first step, [batch, hidden]; null: zeros. */
  readonly cell: ValueId | null;
}

export interface LstmOptions {
  readonly reverse: boolean;
  /** Whether the last cell follows the hidden states in the result. */
  readonly givesCell: boolean;
}

const GATES = 4;
const [INPUT, OUTPUT, FORGET, CANDIDATE] = [0, 1, 2, 3];
/** Bound of hidden states. */
const BOUND = 1;

interface Step {
  readonly time: number;
  readonly gates: ValueId;
  readonly cell: ValueId;
  /** tanh of the cell. */
  readonly curve: ValueId;
  readonly hidden: ValueId;
}

/** All hidden states by time, and behind them the last cell where it is asked for: [steps (+ 1), batch, hidden]. */
export function lstm(graph: SourceGraph, tensors: LstmTensors, options: LstmOptions, name: string): ValueId {
  const { input, weight, recurrent, bias, hidden: before, cell: cellBefore } = tensors;
  const sizes = sizesOf(graph, tensors);
  const { steps, batch, inputs, hidden } = sizes;
  const rows = reshape(graph, input, [steps * batch, inputs]);
  const projected = matmul(graph, rows, transposeMatrix(graph, weight), `${name}.input`);
  const numbers = gateNumbers(graph, GATES, name);
  const biases = bias === null ? [] : [reshape(graph, bias, [GATES, hidden])];

  const states: Step[] = [];
  for (const time of timeOrder(steps, options.reverse)) {
    const last = states.at(-1);
    const previous = last?.hidden ?? before;
    const recurrentPart =
      previous === null
        ? []
        : [
            reshape(
              graph,
              matmul(
                graph,
                previous,
                transposeMatrix(graph, recurrent),
                `${name}.recurrent.${time}`,
                last === undefined ? {} : { left: BOUND },
              ),
              [batch, GATES, hidden],
            ),
          ];
    const terms = [rowsAt(graph, projected, time, batch, [GATES, hidden]), ...recurrentPart, ...biases];
    const gates = elementwise(graph, `${name}.gates.${time}`, "lstm", [numbers, ...terms], (map, [k, ...parts]) =>
      gateExpression(map, total(map, parts), map.equal(k!, map.immediate(CANDIDATE!))),
    );
    const gate = (k: number) => gateOf(graph, gates, k);
    const kept = last?.cell ?? cellBefore;
    const cell = elementwise(
      graph,
      `${name}.cell.${time}`,
      "lstm",
      [gate(INPUT!), gate(CANDIDATE!), ...(kept === null ? [] : [gate(FORGET!), kept])],
      (map, [i, g, f, c]) => {
        const fresh = map.flush(map.mul(i!, g!));
        return f === undefined ? fresh : map.add(fresh, map.flush(map.mul(f, c!)));
      },
    );
    const curve = tanh(graph, cell, `${name}.curve.${time}`);
    const state = elementwise(graph, `${name}.hidden.${time}`, "lstm", [gate(OUTPUT!), curve], (map, [o, t]) =>
      map.clamp(map.flush(map.mul(o!, t!)), -BOUND, BOUND),
    );
    states.push({ time, gates, cell, curve, hidden: state });
  }
  const byTime = states.toSorted((a, b) => a.time - b.time);
  const hiddenByTime = byTime.map((step) => step.hidden);
  const parts = [...hiddenByTime, ...(options.givesCell ? [states.at(-1)!.cell] : [])];
  const joined = overTime(graph, parts, name);
  const result = reshape(graph, joined, [parts.length, batch, hidden]);

  const gradient = (upstream: ValueId): Contribution[] => {
    const flat = reshape(graph, upstream, [parts.length * batch, hidden]);
    const gradients = new Map<number, ValueId>();
    let below: { readonly gates: ValueId; readonly cell: ValueId; readonly forget: ValueId } | null = null;
    for (const [position, step] of [...states.entries()].reverse()) {
      const { time, gates, curve } = step;
      const at = `${name}.grad.${time}`;
      const own = rowsAt(graph, flat, time, batch, [hidden]);
      const passed: ValueId | null = below === null ? null : matmul(graph, below.gates, recurrent, `${at}.passed`);
      const hiddenGradient = elementwise(
        graph,
        `${at}.hidden`,
        "lstmGradient",
        [own, ...(passed === null ? [] : [passed])],
        (map, terms) => map.flush(total(map, terms)),
      );
      const cellOperands = below === null ? [] : [below.cell, below.forget];
      const last = below === null && options.givesCell ? [rowsAt(graph, flat, steps, batch, [hidden])] : [];
      const cellGradient: ValueId = elementwise(
        graph,
        `${at}.cell`,
        "lstmGradient",
        [hiddenGradient, gateOf(graph, gates, OUTPUT!), curve, ...cellOperands, ...last],
        (map, [dh, o, t, ...rest]) => {
          const slope = map.flush(map.mul(o!, map.sub(map.immediate(1), map.mul(t!, t!))));
          const own = map.flush(map.mul(dh!, slope));
          if (rest.length === 0) return own;
          return map.flush(map.add(own, rest.length === 1 ? rest[0]! : map.flush(map.mul(rest[0]!, rest[1]!))));
        },
      );
      const kept = states[position - 1]?.cell ?? cellBefore;
      const operands = [
        numbers,
        gates,
        ...[hiddenGradient, cellGradient, curve, gateOf(graph, gates, INPUT!), gateOf(graph, gates, CANDIDATE!)].map(
          (value) => besideGates(graph, value),
        ),
        ...(kept === null ? [] : [besideGates(graph, kept)]),
      ];
      const gateGradient = elementwise(
        graph,
        `${at}.gates`,
        "lstmGradient",
        operands,
        (map, [k, y, dh, dc, t, i, g, c]) => {
          const is = (gate: number) => map.equal(k!, map.immediate(gate));
          const forget = c ?? map.immediate(0);
          const other = map.select(is(INPUT!), g!, map.select(is(OUTPUT!), t!, map.select(is(FORGET!), forget, i!)));
          const direct = map.flush(map.mul(map.select(is(OUTPUT!), dh!, dc!), other));
          return map.flush(map.mul(direct, gateSlope(map, y!, is(CANDIDATE!))));
        },
      );
      below = {
        gates: reshape(graph, gateGradient, [batch, GATES * hidden]),
        cell: cellGradient,
        forget: gateOf(graph, gates, FORGET!),
      };
      gradients.set(time, below.gates);
    }
    const all = overTime(
      graph,
      byTime.map(({ time }) => gradients.get(time)!),
      `${name}.gates.grad`,
    );
    const found: Contribution[] = [
      [input, reshape(graph, matmul(graph, all, weight, `${graph.name(input)}.grad`), [steps, batch, inputs])],
      [weight, matmul(graph, transposeMatrix(graph, all), rows, `${graph.name(weight)}.grad`)],
    ];
    if (bias !== null) {
      found.push([bias, reshape(graph, sumAxes(graph, all, 0, 1, `${graph.name(bias)}.grad`), graph.shape(bias))]);
    }
    const pair =
      before === null
        ? neighbours(graph, all, joined, sizes, options.reverse)
        : { later: all, state: previousStates(graph, before, hiddenByTime, options.reverse, name) };
    if (pair !== null) {
      const product = matmul(graph, transposeMatrix(graph, pair.later), pair.state, `${graph.name(recurrent)}.grad`);
      found.push([recurrent, product]);
    }
    if (before !== null) found.push([before, matmul(graph, below!.gates, recurrent, `${graph.name(before)}.grad`)]);
    if (cellBefore !== null) {
      const carried = elementwise(
        graph,
        `${graph.name(cellBefore)}.grad`,
        "lstmGradient",
        [below!.cell, below!.forget],
        (map, [dc, f]) => map.flush(map.mul(dc!, f!)),
      );
      found.push([cellBefore, carried]);
    }
    return found;
  };
  const optional = [bias, before, cellBefore].filter((value) => value !== null);
  return graph.add({
    name,
    layer: "lstm",
    inputs: [result, input, weight, ...(steps === 1 && before === null ? [] : [recurrent]), ...optional],
    dtype: Dtype.float32,
    shape: graph.shape(result),
    gradient: (upstream) => gradient(upstream!),
    lower: (lowering) => lowering.view(result),
  });
}
