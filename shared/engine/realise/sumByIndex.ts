/** SumByIndex (docs/numerics.md, section 2.6): a float64 ScatterND that adds, exact in any order, or one for each digit of the operand. */

import { OnnxType } from "../../onnx/model.ts";
import { type SumByIndexOperator, wordCount } from "../../program/descriptor.ts";
import type { SumRealisation } from "./arithmetic.ts";
import type { Context } from "./context.ts";
import { digitSum, widthFor } from "./digitSum.ts";
import { UnrealisableError } from "./errors.ts";
import { text, type Value } from "./graph.ts";
import { indexIsBelow } from "./indexBounds.ts";
import { cast, elementwise, expand, reshape, slice, zeros } from "./nodes.ts";
import { asDigits, asFloat64, quantise } from "./quantise.ts";
import { arrange, takeView } from "./views.ts";

/**
 * Dimensions fall into those that the index depends on (blocks, each with its own rows) and the others, which are scattered as whole
 * rows. An index that may lie outside is sent to a row after the last, which is cut off.
 */
export function realiseSumByIndex(context: Context, operator: SumByIndexOperator, realisation: SumRealisation): Value {
  const { graph, program } = context;
  const { shape, length, bits, axis } = operator;
  const [x, peak, index] = operator.operands;
  const reduced = shape.length;
  const lengths = [...shape, length];
  const inside = indexIsBelow(program, index, shape[axis]!);
  const rows = inside ? shape[axis]! : shape[axis]! + 1;

  const indexView = takeView(graph, context.resolve(index.reference), index, lengths);
  const dimensions = shape.map((_, d) => d).filter((d) => d !== axis);
  const blocks = dimensions.filter((d) => indexView.order.includes(d));
  const others = dimensions.filter((d) => !blocks.includes(d));
  const sizes = (of: readonly number[]) => of.map((d) => lengths[d]!);
  const blockCount = wordCount(sizes(blocks));

  const width = realisation === "digits32" ? widthFor(length) : null;
  const quantised = quantise(context, x, peak, lengths, bits, width === null ? asFloat64 : asDigits(width));
  if ([indexView, ...quantised.views].some((view) => view.order.includes(axis))) {
    throw new UnrealisableError(`an operand follows dimension ${axis}, which the index selects`);
  }

  const raw = expand(graph, arrange(graph, indexView, [...blocks, reduced]), sizes([...blocks, reduced]));
  const row = cast(graph, inside ? raw : clampOutside(context, raw, shape[axis]!), OnnxType.int64);
  const flatRow = blockCount === 1 ? row : elementwise(graph, "Add", [row, blockOffsets(context, sizes(blocks), rows)]);

  const positions = blockCount * length;
  const totals = quantised.views.map((view) => {
    const updates = expand(
      graph,
      arrange(graph, view, [...blocks, reduced, ...others]),
      sizes([...blocks, reduced, ...others]),
    );
    return graph.node(
      "ScatterND",
      [
        zeros(graph, width === null ? OnnxType.float64 : OnnxType.float32, [blockCount * rows, ...sizes(others)]),
        reshape(graph, flatRow, [positions, 1]),
        reshape(graph, updates, [positions, ...sizes(others)]),
      ],
      updates.type,
      [blockCount * rows, ...sizes(others)],
      { reduction: text("add") },
    );
  });
  const order = [...blocks, axis, ...others];
  /** Without the row of what lies outside, and in the output's order. */
  const placed = (total: Value): Value => {
    const full = reshape(graph, total, [...sizes(blocks), rows, ...sizes(others)]);
    const value = slice(
      graph,
      full,
      order.map(() => 0),
      sizes(order),
    );
    return arrange(
      graph,
      { value, order },
      shape.map((_, d) => d),
    );
  };
  if (width === null) return placed(cast(graph, totals[0]!, OnnxType.float32));
  const scale = arrange(
    graph,
    quantised.peak,
    shape.map((_, d) => d),
  );
  return digitSum(graph, totals.map(placed), scale, { bits, width, length });
}

/** The index where it is in 0 … rows − 1, else rows. */
function clampOutside({ graph }: Context, index: Value, rows: number): Value {
  const scalar = (value: number) => graph.constant(OnnxType.int32, [], Int32Array.of(value));
  const negative = elementwise(graph, "Less", [index, scalar(0)], OnnxType.bool);
  const capped = elementwise(graph, "Min", [index, scalar(rows)]);
  return elementwise(graph, "Where", [negative, scalar(rows), capped], OnnxType.int32);
}

/** First row of each block, to be added to `[...blocks, K]`. */
function blockOffsets({ graph }: Context, blockSizes: readonly number[], rows: number): Value {
  const count = wordCount(blockSizes);
  const offsets = BigInt64Array.from({ length: count }, (_, block) => BigInt(block * rows));
  return graph.constant(OnnxType.int64, [...blockSizes, 1], offsets);
}
