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
  const isSwapped = (columns[0] ?? Number.POSITIVE_INFINITY) < (rows[0] ?? -1);
  const [usual, other] = isSwapped ? [sides.toReversed() as [Side, Side], sides] : [sides, sides.toReversed()];
  // A product in batches has no transposed factors, so there the other way round may move fewer words.
  const swap = batch.length > 0 && movedWords(lengths, batch, other) < movedWords(lengths, batch, usual);
  const [first, second] = (swap ? other : usual) as [Side, Side];
  return { lengths, batch, first, second };
}

/** Words that are transposed to make a product in batches of the two sides, its output included. */
function movedWords(lengths: readonly number[], batch: readonly number[], sides: readonly Side[]): number {
  const [first, second] = sides as [Side, Side];
  const reduced = lengths.length - 1;
  const moved = (order: readonly number[], wanted: readonly number[]): number => {
    const long = (list: readonly number[]) => list.filter((d) => order.includes(d) && lengths[d]! > 1);
    return `${long(order)}` === `${long(wanted)}` ? 0 : sizeOf(lengths, order);
  };
  const output = [...batch, ...first.dimensions, ...second.dimensions];
  return (
    moved(first.quantised.views[0]!.order, [...batch, ...first.dimensions, reduced]) +
    moved(second.quantised.views[0]!.order, [...batch, reduced, ...second.dimensions]) +
    moved(
      output,
      output.toSorted((a, b) => a - b),
    )
  );
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
