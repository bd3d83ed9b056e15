/** Strided views: how a source tensor lies in the words of a canonical one (docs/numerics.md, section 2.1). */
import type { Dtype, Operand, Reference } from "./descriptor.ts";
import { wordCount } from "./descriptor.ts";

/** A tensor of `shape` whose element at index i is word `offset + Σ i_d · stride_d` of the referenced tensor. */
export interface View {
  readonly reference: Reference;
  readonly dtype: Dtype;
  /** Words of the referenced tensor. */
  readonly count: number;
  readonly offset: number;
  readonly shape: readonly number[];
  /** One for each dimension; 0 where the dimension is 1, so that equal views are equal values. */
  readonly strides: readonly number[];
}

/** The whole referenced tensor in row-major order. */
export function wholeView(reference: Reference, dtype: Dtype, shape: readonly number[]): View {
  return { reference, dtype, count: wordCount(shape), offset: 0, shape, strides: rowMajorStrides(shape) };
}

export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const dimension of shape.toReversed()) {
    strides.unshift(dimension === 1 ? 0 : stride);
    stride *= dimension;
  }
  return strides;
}

export function transposeView(view: View, permutation: readonly number[]): View {
  return {
    ...view,
    shape: permutation.map((axis) => view.shape[axis]!),
    strides: permutation.map((axis) => view.strides[axis]!),
  };
}

/** Every `step`-th position of one axis from `start` on, `length` of them. */
export function sliceView(view: View, axis: number, start: number, length: number, step: number): View {
  const stride = view.strides[axis]!;
  return {
    ...view,
    offset: view.offset + start * stride,
    shape: view.shape.with(axis, length),
    strides: view.strides.with(axis, length === 1 ? 0 : stride * step),
  };
}

/**
 * The same elements under another shape, without moving a word; null when no strides do that (then it takes a copy).
 * Old axes that lie evenly behind one another are merged, then split into the new ones.
 */
export function reshapeView(view: View, shape: readonly number[]): View | null {
  const runs = mergedAxes(view);
  const strides: number[] = new Array(shape.length).fill(0);
  let run = runs.length - 1;
  // Elements of the current run that the new axes to the right of the current one already cover.
  let covered = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const dimension = shape[axis]!;
    if (dimension === 1) continue;
    if (run >= 0 && covered === runs[run]!.length) {
      run--;
      covered = 1;
    }
    const current = runs[run];
    if (current === undefined || current.length % (covered * dimension) !== 0) return null;
    strides[axis] = current.stride * covered;
    covered *= dimension;
  }
  return { ...view, shape, strides };
}

/** The axes of a view with neighbours that lie evenly behind one another joined, without axes of length 1. */
function mergedAxes(view: View): { length: number; stride: number }[] {
  const runs: { length: number; stride: number }[] = [];
  for (const [axis, length] of view.shape.entries()) {
    if (length === 1) continue;
    const stride = view.strides[axis]!;
    const outer = runs.at(-1);
    if (outer !== undefined && outer.stride === stride * length) {
      outer.length *= length;
      outer.stride = stride;
    } else {
      runs.push({ length, stride });
    }
  }
  return runs;
}

/** Strides of a view stretched to `shape` by broadcasting. */
export function broadcastStrides(view: View, shape: readonly number[]): number[] {
  const missing = shape.length - view.shape.length;
  return shape.map((_, axis) => view.strides[axis - missing] ?? 0);
}

/** An operand that walks over a view with the given strides. */
export function operandOf(view: View, strides: readonly number[]): Operand {
  const { reference, dtype, count, offset } = view;
  return { reference, dtype, count, offset, strides };
}
