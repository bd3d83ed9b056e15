/**
 * GRU (Cho et al. 2014), unrolled over time; gates in the order of ONNX: update, reset, candidate.
 *
 *     z, r = σ(x W ᵀ + b + h R ᵀ + b′)      h = (1 − z) n + z h₋
 *     n = tanh(x Wₙ ᵀ + bₙ + r (h₋ Rₙ ᵀ + b′ₙ))      or, when the reset comes first:  tanh(x Wₙ ᵀ + bₙ + (r h₋) Rₙ ᵀ + b′ₙ)
 *
 * One Dot makes the input's part for all steps; the gradients of the weights are one Dot each over all steps.
 */

import type { Contribution, SourceGraph, ValueId } from "../graph/graph.ts";
import type { Register } from "../graph/mapBuilder.ts";
import { Dtype } from "../program/descriptor.ts";
import { elementwise } from "./elementwise.ts";
import { concat } from "./join.ts";
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
import { slice } from "./slice.ts";
import { sumAxes } from "./sum.ts";
import { transposeMatrix } from "./transpose.ts";

export interface GruTensors extends RecurrentTensors {
  /** [3 · hidden] each, both there or neither. */
  readonly inputBias: ValueId | null;
  readonly recurrentBias: ValueId | null;
}

export interface GruOptions {
  readonly reverse: boolean;
  /** Whether the reset gate multiplies the candidate's recurrent product (PyTorch, cuDNN) or the state before it. */
  readonly linearBeforeReset: boolean;
}

const GATES = 3;
const [UPDATE, RESET] = [0, 1];
/** Bound of hidden states that started from zeros. */
const BOUND = 1;

interface Step {
  readonly time: number;
  /** Update and reset, [batch, 2, hidden]. */
  readonly gates: ValueId;
  readonly candidate: ValueId;
  /** What the reset gate multiplies: the candidate's recurrent part, or the state before; null where it is zero. */
  readonly resetPart: ValueId | null;
  /** r · h₋, where that is multiplied by the weights. */
  readonly resetState: ValueId | null;
  readonly hidden: ValueId;
}

/** All hidden states by time: [steps, batch, hidden]. */
export function gru(graph: SourceGraph, tensors: GruTensors, options: GruOptions, name: string): ValueId {
  const { input, weight, recurrent, inputBias, recurrentBias, hidden: before } = tensors;
  const { linearBeforeReset } = options;
  const sizes = sizesOf(graph, tensors);
  const { steps, batch, inputs, hidden } = sizes;
  const rows = reshape(graph, input, [steps * batch, inputs]);
  const projected = matmul(graph, rows, transposeMatrix(graph, weight), `${name}.input`);
  const bounds = before === null ? { left: BOUND } : {};
  /** Words first … first + count − 1 of the gates' rows of a weight, a bias or a row of gates. */
  const part = (value: ValueId, axis: number, first: number, count: number) =>
    slice(graph, value, axis, first * hidden, count * hidden, 1, `${graph.name(value)}.part`);
  const biasPart = (bias: ValueId | null, first: number, count: number, shape: readonly number[]) =>
    bias === null ? [] : [reshape(graph, part(bias, 0, first, count), shape)];
  const times = (state: ValueId, first: number, count: number, what: string, isBounded = true) =>
    matmul(graph, state, transposeMatrix(graph, part(recurrent, 0, first, count)), what, isBounded ? bounds : {});

  const states: Step[] = [];
  for (const time of timeOrder(steps, options.reverse)) {
    const previous = states.at(-1)?.hidden ?? before;
    const at = (what: string) => `${name}.${what}.${time}`;
    const own = rowsAt(graph, projected, time, batch, [GATES * hidden]);
    const whole = previous !== null && linearBeforeReset ? times(previous, 0, GATES, at("recurrent")) : null;
    const gatePart = whole ?? (previous === null ? null : times(previous, 0, 2, at("recurrent")));
    const gates = elementwise(
      graph,
      at("gates"),
      "gru",
      [
        reshape(graph, part(own, 1, 0, 2), [batch, 2, hidden]),
        ...(gatePart === null ? [] : [reshape(graph, part(gatePart, 1, 0, 2), [batch, 2, hidden])]),
        ...biasPart(inputBias, 0, 2, [2, hidden]),
        ...biasPart(recurrentBias, 0, 2, [2, hidden]),
      ],
      (map, terms) => gateExpression(map, total(map, terms), map.immediate(0)),
    );
    const update = gateOf(graph, gates, UPDATE!);
    const reset = gateOf(graph, gates, RESET!);
    const candidateBias = biasPart(recurrentBias, 2, 1, [1, hidden]);
    let resetPart: ValueId | null = null;
    let resetState: ValueId | null = null;
    let recurrentTerms: readonly ValueId[] = candidateBias;
    if (linearBeforeReset) {
      const terms = [...(whole === null ? [] : [part(whole, 1, 2, 1)]), ...candidateBias];
      if (terms.length > 0) {
        const wide = elementwise(graph, at("linear"), "gru", terms, (map, registers) =>
          map.flush(total(map, registers)),
        );
        resetPart = wide;
      }
      recurrentTerms = resetPart === null ? [] : [reset, resetPart];
    } else if (previous !== null) {
      resetPart = previous;
      resetState = elementwise(graph, at("reset"), "gru", [reset, previous], (map, [r, h]) =>
        map.flush(map.mul(r!, h!)),
      );
      recurrentTerms = [times(resetState, 2, 1, at("candidatePart"), false), ...candidateBias];
    }
    const candidate = elementwise(
      graph,
      at("candidate"),
      "gru",
      [part(own, 1, 2, 1), ...biasPart(inputBias, 2, 1, [1, hidden]), ...recurrentTerms],
      (map, registers) => {
        const split = linearBeforeReset && resetPart !== null ? -2 : registers.length;
        const [r, linear] = registers.slice(split);
        const plain = total(map, registers.slice(0, split));
        const sum = r === undefined || linear === undefined ? plain : map.add(plain, map.flush(map.mul(r, linear)));
        return gateExpression(map, sum, map.immediate(1));
      },
    );
    const state = elementwise(
      graph,
      at("hidden"),
      "gru",
      [update, candidate, ...(previous === null ? [] : [previous])],
      (map, [z, n, h]) => {
        const fresh = map.flush(map.mul(map.sub(map.immediate(1), z!), n!));
        if (h === undefined) return map.clamp(fresh, -BOUND, BOUND);
        const mixed = map.add(fresh, map.flush(map.mul(z!, h)));
        return before === null ? map.clamp(mixed, -BOUND, BOUND) : mixed;
      },
    );
    states.push({ time, gates, candidate, resetPart, resetState, hidden: state });
  }
  const byTime = states.toSorted((a, b) => a.time - b.time);
  const hiddenByTime = byTime.map((step) => step.hidden);
  const joined = overTime(graph, hiddenByTime, name);
  const result = reshape(graph, joined, [steps, batch, hidden]);

  const gradient = (upstream: ValueId): Contribution[] => {
    const flat = reshape(graph, upstream, [steps * batch, hidden]);
    /** By time: gradients before the activations, [batch, 4 · hidden]: r · candidate, update, reset, candidate. */
    const gradients = new Map<number, ValueId>();
    const numbers = gateNumbers(graph, GATES + 1, `${name}.grad`);
    // The recurrent weights in the order of those gradients, the first being what the reset gate lets through.
    const turned = concat(
      graph,
      [part(recurrent, 0, 2, 1), part(recurrent, 0, 0, 2)],
      0,
      `${graph.name(recurrent)}.turned`,
    );
    const gateWeights = part(recurrent, 0, 0, 2);
    const candidateWeights = part(recurrent, 0, 2, 1);
    /** Gradient of the state that a step began with. */
    const backThrough = (
      gateGradient: ValueId,
      direct: ValueId,
      update: ValueId,
      carried: { readonly gradient: ValueId; readonly reset: ValueId } | null,
      what: string,
      own: ValueId | null,
    ): ValueId => {
      const product = linearBeforeReset
        ? matmul(graph, part(gateGradient, 1, 0, 3), turned, `${what}.passed`)
        : matmul(graph, part(gateGradient, 1, 1, 2), gateWeights, `${what}.passed`);
      const operands = [
        product,
        direct,
        update,
        ...(carried === null ? [] : [carried.gradient, carried.reset]),
        ...(own === null ? [] : [own]),
      ];
      return elementwise(graph, what, "gruGradient", operands, (map, [passed, dh, z, ...rest]) => {
        const terms = [passed!, map.flush(map.mul(dh!, z!))];
        if (carried !== null) terms.push(map.flush(map.mul(rest[0]!, rest[1]!)));
        if (own !== null) terms.push(rest.at(-1)!);
        return map.flush(total(map, terms));
      });
    };
    let hiddenGradient: ValueId | null = null;
    let initialGradient: ValueId | null = null;
    for (const [position, step] of [...states.entries()].reverse()) {
      const { time, gates, candidate, resetPart } = step;
      const at = (what: string) => `${name}.grad.${time}.${what}`;
      const dh: ValueId = hiddenGradient ?? rowsAt(graph, flat, time, batch, [hidden]);
      const update = gateOf(graph, gates, UPDATE!);
      const reset = gateOf(graph, gates, RESET!);
      const candidateGradient = elementwise(
        graph,
        at("candidate"),
        "gruGradient",
        [dh, update, candidate],
        (map, [g, z, n]) => {
          const one = map.immediate(1);
          const slope = map.flush(map.mul(map.sub(one, z!), gateSlope(map, n!, one)));
          return map.flush(map.mul(g!, slope));
        },
      );
      const previous = states[position - 1]?.hidden ?? before;
      const resetGradient: ValueId | null =
        linearBeforeReset || previous === null ? null : matmul(graph, candidateGradient, candidateWeights, at("reset"));
      // What the gradient of the reset gate is a product of, besides its slope.
      const resetFactors: readonly ValueId[] = linearBeforeReset
        ? resetPart === null
          ? []
          : [resetPart]
        : resetGradient === null
          ? []
          : [resetGradient];
      const fixed = [dh, candidateGradient, update, reset, candidate, ...(previous === null ? [] : [previous])];
      const operands = [numbers, ...[...fixed, ...resetFactors].map((value) => beside(graph, value, hidden))];
      const gateGradient = elementwise(graph, at("gates"), "gruGradient", operands, (map, registers) => {
        const [k, g, dn, z, r, n, ...rest] = registers as [Register, Register, Register, Register, Register, Register];
        const optional: Register[] = rest;
        const h = previous === null ? map.immediate(0) : optional.shift()!;
        const factor = optional.shift() ?? null;
        const is = (gate: number) => map.equal(k, map.immediate(gate));
        const mixed = map.flush(map.mul(map.flush(map.mul(g, map.sub(h, n))), gateSlope(map, z, map.immediate(0))));
        const inner = factor === null ? map.immediate(0) : map.flush(map.mul(linearBeforeReset ? dn : h, factor));
        const reseted = map.flush(map.mul(inner, gateSlope(map, r, map.immediate(0))));
        const through = map.flush(map.mul(dn, r));
        return map.select(is(0), through, map.select(is(1), mixed, map.select(is(2), reseted, dn)));
      });
      const flatGradient = reshape(graph, gateGradient, [batch, (GATES + 1) * hidden]);
      gradients.set(time, flatGradient);
      const carried = resetGradient === null ? null : { gradient: resetGradient, reset };
      const earlier = states[position - 1];
      if (earlier !== undefined) {
        const own = rowsAt(graph, flat, earlier.time, batch, [hidden]);
        hiddenGradient = backThrough(flatGradient, dh, update, carried, at("hidden"), own);
      } else if (before !== null) {
        initialGradient = backThrough(flatGradient, dh, update, carried, `${graph.name(before)}.grad`, null);
      }
    }
    const all = overTime(
      graph,
      byTime.map(({ time }) => gradients.get(time)!),
      `${name}.gates.grad`,
    );
    const ofInput = part(all, 1, 1, 3);
    const found: Contribution[] = [
      [input, reshape(graph, matmul(graph, ofInput, weight, `${graph.name(input)}.grad`), [steps, batch, inputs])],
      [weight, matmul(graph, transposeMatrix(graph, ofInput), rows, `${graph.name(weight)}.grad`)],
    ];
    if (inputBias !== null) found.push([inputBias, sumAxes(graph, ofInput, 0, 1, `${graph.name(inputBias)}.grad`)]);
    const turnedBack = (value: ValueId, what: string) =>
      concat(graph, [part(value, 0, 1, 2), part(value, 0, 0, 1)], 0, what);
    if (recurrentBias !== null) {
      const what = `${graph.name(recurrentBias)}.grad`;
      const sum = linearBeforeReset
        ? turnedBack(sumAxes(graph, part(all, 1, 0, 3), 0, 1, what), what)
        : sumAxes(graph, ofInput, 0, 1, what);
      found.push([recurrentBias, sum]);
    }
    const what = `${graph.name(recurrent)}.grad`;
    const product = (gradientPart: ValueId, state: ValueId, isBounded: boolean) =>
      matmul(graph, transposeMatrix(graph, gradientPart), state, what, isBounded ? { right: BOUND } : {});
    const pair =
      before === null
        ? neighbours(graph, all, joined, sizes, options.reverse)
        : { later: all, state: previousStates(graph, before, hiddenByTime, options.reverse, name) };
    if (pair !== null) {
      if (linearBeforeReset) {
        const ofTurned = product(part(pair.later, 1, 0, 3), pair.state, before === null);
        found.push([recurrent, turnedBack(ofTurned, what)]);
      } else {
        const ofGates = product(part(pair.later, 1, 1, 2), pair.state, before === null);
        const later = byTime.filter(({ resetState }) => resetState !== null);
        const resetStates = overTime(
          graph,
          later.map(({ resetState }) => resetState!),
          `${name}.resetStates`,
        );
        const ofCandidate = product(part(pair.later, 1, 3, 1), resetStates, false);
        found.push([recurrent, concat(graph, [ofGates, ofCandidate], 0, what)]);
      }
    }
    if (before !== null) found.push([before, initialGradient!]);
    return found;
  };
  const optional = [inputBias, recurrentBias, before].filter((value) => value !== null);
  return graph.add({
    name,
    layer: "gru",
    inputs: [result, input, weight, ...(steps === 1 && before === null ? [] : [recurrent]), ...optional],
    dtype: Dtype.float32,
    shape: graph.shape(result),
    gradient: (upstream) => gradient(upstream!),
    lower: (lowering) => lowering.view(result),
  });
}

/** [batch, hidden] or [1, hidden] beside every gate. */
function beside(graph: SourceGraph, value: ValueId, hidden: number): ValueId {
  return graph.shape(value)[0] === 1 ? reshape(graph, value, [1, 1, hidden]) : besideGates(graph, value);
}
