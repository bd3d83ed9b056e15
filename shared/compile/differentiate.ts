/** Reverse-mode differentiation of a source graph: it appends the nodes that compute gradients. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { add } from "../layers/add.ts";
import { joinSum } from "../layers/join.ts";
import { ModelError } from "../program/errors.ts";

/** A scalar to differentiate. */
export interface LossSeed {
  readonly loss: ValueId;
  /** Its own gradient, of its shape; absent for the layers that are losses, which take it for one. */
  readonly gradient?: ValueId;
}

/**
 * The gradient of a scalar `loss`, or of a sum of several, with respect to each of `variables`, null where it does not depend on one.
 * A tensor that is used more than once gets the sum of its contributions.
 * @throws ModelError when the loss depends on a variable only through a layer that has no gradient.
 */
export function differentiate(
  graph: SourceGraph,
  loss: ValueId | readonly LossSeed[],
  variables: readonly ValueId[],
): readonly (ValueId | null)[] {
  const seeds = new Map((typeof loss === "number" ? [{ loss }] : loss).map((seed) => [seed.loss, seed]));
  const onPath = pathNodes(graph, [...seeds.keys()], variables);
  const gradients = new Map<ValueId, ValueId>();
  const contribute = (tensor: ValueId, gradient: ValueId): void => {
    const before = gradients.get(tensor);
    gradients.set(tensor, before === undefined ? gradient : sum(graph, before, gradient));
  };
  for (const id of [...onPath].sort((a, b) => b - a)) {
    const seed = seeds.get(id);
    if (seed?.gradient !== undefined) contribute(id, seed.gradient);
    const upstream = gradients.get(id) ?? null;
    const node = graph.node(id);
    if (node.gradient === undefined || (upstream === null && seed === undefined)) continue;
    for (const [tensor, gradient] of node.gradient(upstream)) if (onPath.has(tensor)) contribute(tensor, gradient);
  }
  return variables.map((variable) => {
    const gradient = gradients.get(variable) ?? null;
    if (gradient === null && onPath.has(variable)) {
      throw new ModelError(`"${graph.name(variable)}" cannot be trained`, "It is used only where no gradient exists.");
    }
    return gradient;
  });
}

/** The gradients of different parts of one tensor stand side by side; others are added. */
function sum(graph: SourceGraph, a: ValueId, b: ValueId): ValueId {
  const name = graph.name(b);
  return joinSum(graph, a, b, name) ?? add(graph, a, b, name);
}

/** Nodes between a variable and a loss, ends included. */
function pathNodes(graph: SourceGraph, losses: readonly ValueId[], variables: readonly ValueId[]): Set<ValueId> {
  const wanted = new Set(variables);
  const path = new Set<ValueId>();
  for (const id of [...graph.ancestors(losses)].sort((a, b) => a - b)) {
    if (wanted.has(id) || graph.node(id).inputs.some((input) => path.has(input))) path.add(id);
  }
  return path;
}
