/** A Dot as matrices: which output dimensions are batch, rows and columns. */
import { wordCount } from "../../program/descriptor.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { expand } from "./nodes.ts";
import type { Quantised } from "./quantise.ts";
import { arrange, type View } from "./views.ts";

/** One factor and the output dimensions that it alone follows. */
export interface Side {
  readonly quantised: Quantised;
  readonly dimensions: readonly number[];
}

export interface DotLayout {
  /** Extents of the output dimensions, then of the reduced axis. */
  readonly lengths: readonly number[];
  /** Dimensions that both factors follow. */
  readonly batch: readonly number[];
  /** Rows of the product. */
  readonly first: Side;
  /** Columns of the product. */
  readonly second: Side;
}

export function layoutOf(lengths: readonly number[], left: Quantised, right: Quantised): DotLayout {
  const dimensions = lengths.slice(0, -1).map((_, d) => d);
  const follows = ({ views }: Quantised, d: number) => views[0]!.order.includes(d);
  const batch = dimensions.filter((d) => follows(left, d) && follows(right, d));
  const rows = dimensions.filter((d) => follows(left, d) && !follows(right, d));
  const columns = dimensions.filter((d) => follows(right, d) && !follows(left, d));
  const sides: [Side, Side] = [
    { quantised: left, dimensions: rows },
    { quantised: right, dimensions: columns },
  ];
  // The product is symmetric; the side whose dimensions come first in the output goes to the left, which saves a Transpose.
  const swap = (columns[0] ?? Number.POSITIVE_INFINITY) < (rows[0] ?? -1);
  const [first, second] = swap ? [sides[1], sides[0]] : sides;
  return { lengths, batch, first, second };
}

export function sizeOf(lengths: readonly number[], dimensions: readonly number[]): number {
  return wordCount(dimensions.map((d) => lengths[d]!));
}

/** `arrange`, with an operand that does not move along a dimension repeated over it. */
export function arrangeFull(
  graph: GraphBuilder,
  lengths: readonly number[],
  view: View,
  dimensions: readonly number[],
): Value {
  return expand(
    graph,
    arrange(graph, view, dimensions),
    dimensions.map((d) => lengths[d]!),
  );
}
