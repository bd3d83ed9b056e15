/** Reverse-mode differentiation of a source graph: it appends the nodes that compute gradients. */
import { add } from "../layers/add.ts";
import { ModelError } from "./errors.ts";
import type { SourceGraph, ValueId } from "./graph.ts";

/**
 * The gradient of a scalar `loss` with respect to each of `variables`, null where the loss does not depend on one. A tensor
 * that is used more than once gets the sum of its contributions.
 * @throws ModelError when the loss depends on a variable only through a layer that has no gradient.
 */
export function differentiate(
  graph: SourceGraph,
  loss: ValueId,
  variables: readonly ValueId[],
): readonly (ValueId | null)[] {
  const onPath = pathNodes(graph, loss, variables);
  const gradients = new Map<ValueId, ValueId>();
  for (const id of [...onPath].sort((a, b) => b - a)) {
    const upstream = gradients.get(id) ?? null;
    const node = graph.node(id);
    if (node.gradient === undefined || (upstream === null && id !== loss)) continue;
    for (const [tensor, gradient] of node.gradient(upstream)) {
      if (!onPath.has(tensor)) continue;
      const before = gradients.get(tensor);
      gradients.set(tensor, before === undefined ? gradient : add(graph, before, gradient, graph.name(gradient)));
    }
  }
  return variables.map((variable) => {
    const gradient = gradients.get(variable) ?? null;
    if (gradient === null && onPath.has(variable)) {
      throw new ModelError(`"${graph.name(variable)}" cannot be trained`, "It is used only where no gradient exists.");
    }
    return gradient;
  });
}

/** Nodes between a variable and the loss, ends included. */
function pathNodes(graph: SourceGraph, loss: ValueId, variables: readonly ValueId[]): Set<ValueId> {
  const wanted = new Set(variables);
  const path = new Set<ValueId>();
  for (const id of [...graph.ancestors([loss])].sort((a, b) => a - b)) {
    if (wanted.has(id) || graph.node(id).inputs.some((input) => path.has(input))) path.add(id);
  }
  return path;
}
