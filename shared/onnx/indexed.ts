/** Tensors of known numbers, element by element. */
import { wordCount } from "../program/descriptor.ts";
import { ModelError } from "../program/errors.ts";
import type { HostTensor } from "./host.ts";

/** Far more than any mask or table has; a file of a few bytes can ask for any number. */
const MOST_ELEMENTS = 2 ** 26;

/**
 * How many elements a tensor of known numbers has, before memory is taken for it.
 * @throws ModelError when a dimension is none, or there are too many elements.
 */
export function requireElements(shape: readonly number[]): number {
  const count = wordCount(shape);
  if (shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0) && count <= MOST_ELEMENTS)
    return count;
  throw new ModelError(
    `it makes numbers of shape [${shape}]`,
    `Known numbers may be up to ${MOST_ELEMENTS} in a tensor.`,
  );
}

/** Values of a tensor of the given shape from its indices, row-major. The index passed on is reused. @throws ModelError as `requireElements`. */
export function fill(
  shape: readonly number[],
  valueAt: (index: readonly number[], at: number) => number,
): Float64Array {
  const values = new Float64Array(requireElements(shape));
  const index = new Array<number>(shape.length).fill(0);
  for (let at = 0; at < values.length; at++) {
    values[at] = valueAt(index, at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return values;
}

/** Words between neighbours along each axis of a row-major tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Where the element of a tensor lies that is broadcast to an index of a shape of at least its rank. */
export function broadcastPosition({ dimensions }: HostTensor, rank: number): (index: readonly number[]) => number {
  const missing = rank - dimensions.length;
  const strides = stridesOf(dimensions).map((stride, axis) => (dimensions[axis] === 1 ? 0 : stride));
  return (index) => strides.reduce((at, stride, axis) => at + stride * index[axis + missing]!, 0);
}
