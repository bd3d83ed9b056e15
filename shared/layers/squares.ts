/**
 * Sums of squares, exact on the grid of the tensor's own peak (2^-20 of it): Σ x² as Dots of x with itself over pieces that are short
 * enough. So nothing is lost to a few great elements, and no square has to pass the guard.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { operandOf } from "../program/view.ts";

/** Bits a side of the grid, as MatMul has them, so that an engine shares the quantised tensor. */
const BITS = 20;
/** Words in a piece: K · 2^(2 · 20) ≤ 2^53. */
export const SQUARES_PIECE = 8192;

/** Tensors [n] and [1] whose sum is Σ x²: of all whole pieces, and of the rest where there is one. */
export function squares(graph: SourceGraph, input: ValueId, name: string): ValueId[] {
  const count = wordCount(graph.shape(input));
  const length = Math.min(count, SQUARES_PIECE);
  const pieces = Math.floor(count / length);
  const rest = count - pieces * length;
  const parts = [pieceSquares(graph, input, 0, pieces, length, name)];
  if (rest > 0) parts.push(pieceSquares(graph, input, pieces * length, 1, rest, `${name}.rest`));
  return parts;
}

/** The power of two that bounds a whole tensor, [1]. */
export function tensorPeak(graph: SourceGraph, input: ValueId): ValueId {
  return graph.add({
    name: `${graph.name(input)}.peak`,
    layer: "peak",
    inputs: [input],
    dtype: Dtype.float32,
    shape: [1],
    lower: (lowering) => lowering.peak(lowering.view(input)),
  });
}

function pieceSquares(
  graph: SourceGraph,
  input: ValueId,
  first: number,
  pieces: number,
  length: number,
  name: string,
): ValueId {
  const count = wordCount(graph.shape(input));
  return graph.add({
    name,
    layer: "squares",
    inputs: [input],
    dtype: Dtype.float32,
    shape: [pieces],
    lower: (lowering) => {
      const line = lowering.reshape(lowering.view(input), [count]);
      const [step] = line.strides as [number];
      const piece = operandOf({ ...line, offset: line.offset + first * step }, [length * step, step]);
      const peak = operandOf(lowering.peak(line), [0, 0]);
      return lowering.emit(name, {
        family: "dot",
        dtype: Dtype.float32,
        shape: [pieces],
        length,
        bits: BITS,
        operands: [piece, piece, peak, peak],
      });
    },
  });
}
