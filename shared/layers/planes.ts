/**
 * Images as planes: [N, C, H, W] seen as [C, H · W, N]. Layers over images keep their tensors in this order in memory, with the batch innermost:
 * windows are then rows of N words, sums over a channel are contiguous, and products need no transposition.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { wordCount } from "../program/descriptor.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

/** [N, C, …spatial] → [C, positions, N]. */
export function toPlanes(graph: SourceGraph, image: ValueId): ValueId {
  const [batch, channels, ...spatial] = graph.shape(image) as [number, number, ...number[]];
  const axes = spatial.map((_, axis) => axis + 2);
  return reshape(graph, transpose(graph, image, [1, ...axes, 0]), [channels, wordCount(spatial), batch]);
}

/** [C, positions, N] → [N, C, …spatial]. */
export function fromPlanes(graph: SourceGraph, planes: ValueId, spatial: readonly number[]): ValueId {
  const [channels, , batch] = graph.shape(planes) as [number, number, number];
  const axes = spatial.map((_, axis) => axis + 1);
  const whole = reshape(graph, planes, [channels, ...spatial, batch]);
  return transpose(graph, whole, [axes.length + 1, 0, ...axes]);
}
