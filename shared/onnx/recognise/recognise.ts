/**
 * Finds layers that an exporter has written out in small nodes, and puts the operator in their place that means them, so that each becomes few
 * canonical operators: GELU, SiLU, layer and RMS normalisation. Nodes that only such a layer needed are left out.
 */
import type { OnnxModel, OnnxNode } from "../model.ts";
import { recogniseActivation } from "./activation.ts";
import { NodeIndex } from "./nodes.ts";
import { recogniseNormalization } from "./normalization.ts";

export function recognise(model: OnnxModel): OnnxModel {
  const index = new NodeIndex(model.graph);
  const covered = new Set<OnnxNode>();
  const nodes = model.graph.nodes.map((node) => {
    const found = recogniseNormalization(index, node) ?? recogniseActivation(index, node);
    for (const each of found?.covered ?? []) covered.add(each);
    return { original: node, node: found?.node ?? node };
  });
  const kept = withoutUnread(nodes, covered, new Set(model.graph.outputs.map(({ name }) => name)));
  return { ...model, graph: { ...model.graph, nodes: kept } };
}

/** Leaves out the nodes of `removable` that nothing reads any more; readers stand behind what they read. */
function withoutUnread(
  nodes: readonly { readonly original: OnnxNode; readonly node: OnnxNode }[],
  removable: ReadonlySet<OnnxNode>,
  outputs: ReadonlySet<string>,
): OnnxNode[] {
  const read = new Set(outputs);
  const kept: OnnxNode[] = [];
  for (const { original, node } of nodes.toReversed()) {
    if (removable.has(original) && !node.outputs.some((output) => read.has(output))) continue;
    for (const input of node.inputs) read.add(input);
    kept.push(node);
  }
  return kept.reverse();
}
