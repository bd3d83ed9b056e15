/** What every optimizer is: a function that adds the nodes of one parameter's update. */

import type { SourceGraph, ValueId } from "../../graph/graph.ts";
import type { MapBuilder, Register } from "../../graph/mapBuilder.ts";
import { FLUSH } from "../../graph/mapBuilder.ts";
import { elementwise } from "../../layers/elementwise.ts";

/** A parameter with what its group says. */
export interface TrainedParameter {
  readonly value: ValueId;
  readonly gradient: ValueId;
  /** Weight decay; 0 for none. */
  readonly decay: number;
  /** Factor of the learning rate. */
  readonly factor: number;
}

/** A state tensor of the optimizer's own, and the value that replaces it. */
export interface Moment {
  readonly value: ValueId;
  readonly next: ValueId;
}

export interface ParameterUpdate {
  readonly next: ValueId;
  /** Of every parameter in the same order; none, one or two. */
  readonly moments: readonly Moment[];
}

export type Optimizer = (parameter: TrainedParameter) => ParameterUpdate;

const KEPT_FLOOR = 2 ** -20;

/** Scalars [1] that many parameters share, by what they are made of: one node for each. */
export class SharedScalars {
  readonly #graph: SourceGraph;
  readonly #known = new Map<string, ValueId>();

  constructor(graph: SourceGraph) {
    this.#graph = graph;
  }

  /** The learning rate times `factor`, and times `correction` if there is one. */
  stepSize(rate: ValueId, factor: number, correction?: ValueId): ValueId {
    return this.#once("stepSize", factor, correction === undefined ? [rate] : [rate, correction], (map, [r, c]) => {
      const scaled = factor === 1 ? r! : map.flush(map.mul(r!, map.immediate(factor)));
      return c === undefined ? map.flush(scaled) : map.flush(map.mul(scaled, c));
    });
  }

  /** What decoupled decay leaves of a weight: 1 − rate · factor · decay. The floor only tells an analysis that it is not nothing. */
  keep(rate: ValueId, factor: number, decay: number): ValueId {
    return this.#once("keep", factor * decay, [rate], (map, [r]) =>
      map.max(map.sub(map.immediate(1), map.mul(r!, map.immediate(factor * decay))), map.immediate(KEPT_FLOOR)),
    );
  }

  #once(
    name: string,
    factor: number,
    inputs: readonly ValueId[],
    expression: (map: MapBuilder, inputs: readonly Register[]) => Register,
  ): ValueId {
    const key = `${name}|${factor}|${inputs}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = elementwise(this.#graph, name, "optimizer", inputs, expression);
    this.#known.set(key, value);
    return value;
  }
}

/**
 * p · keep − direction · stepSize, flushed. The step is subtracted from the flush constant itself, (p k + (c − s)) − c, which saves
 * one pass over the weights.
 */
export function descend(
  map: MapBuilder,
  p: Register,
  direction: Register,
  stepSize: Register,
  keep?: Register,
): Register {
  const negated = map.sub(map.immediate(FLUSH), map.mul(direction, stepSize));
  const kept = keep === undefined ? p : map.mul(p, keep);
  return map.sub(map.add(kept, negated), map.immediate(FLUSH));
}

/** The gradient of a loss with decay · |p|² / 2 added: g + decay · p. */
export function withPenalty(graph: SourceGraph, { value, gradient, decay }: TrainedParameter): ValueId {
  if (decay === 0) return gradient;
  return elementwise(graph, `${graph.name(value)}.penalised`, "optimizer", [gradient, value], (map, [g, p]) =>
    map.flush(map.add(g!, map.flush(map.mul(p!, map.immediate(decay))))),
  );
}

/** Gradients are multiples of 2^-120, and normal numbers go down to 2^-126: a share below this could make one subnormal. */
const LEAST_OF_GRADIENT = 2 ** -6;
/** What is flushed is a multiple of 2^-104. */
const LEAST_OF_FLUSHED = 2 ** -22;

const product = (map: MapBuilder, x: Register, share: number, least: number): Register => {
  const result = map.mul(x, map.immediate(share));
  return share < least ? map.flush(result) : result;
};

/** The moving average kept · x + share · gradient, flushed. */
export function average(map: MapBuilder, kept: number, x: Register, share: number, gradient: Register): Register {
  return map.flush(map.add(product(map, x, kept, LEAST_OF_FLUSHED), product(map, gradient, share, LEAST_OF_GRADIENT)));
}

/** The moving average kept · x + share · gradient², flushed. */
export function averageSquare(map: MapBuilder, kept: number, x: Register, share: number, gradient: Register): Register {
  const square = map.flush(map.mul(gradient, gradient));
  return map.flush(map.add(product(map, x, kept, LEAST_OF_FLUSHED), product(map, square, share, LEAST_OF_FLUSHED)));
}
