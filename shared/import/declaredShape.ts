import { wordCount } from "../program/descriptor.ts";

/** The declared shape with its symbolic axes filled in from what is given, or null when it does not fit. */
export function declaredShape(
  dimensions: readonly (number | string)[] | null,
  given: readonly number[],
): readonly number[] | null {
  if (dimensions === null) return null;
  const open = dimensions.flatMap((dimension, axis) => (typeof dimension === "string" ? [axis] : []));
  const shape = dimensions.map((dimension) => (typeof dimension === "string" ? 1 : dimension));
  if (dimensions.length === given.length) {
    for (const axis of open) shape[axis] = given[axis]!;
    return shape.every((dimension, axis) => dimension === given[axis]) ? shape : null;
  }
  if (shape.length === 0) return null;
  const batch = given[0]!;
  if (open.includes(0)) shape[0] = batch;
  const [other, ...more] = open.filter((axis) => axis > 0);
  if (more.length > 0) return null;
  if (other !== undefined) shape[other] = wordCount(given) / wordCount(shape);
  return shape[0] === batch && wordCount(shape) === wordCount(given) ? shape : null;
}
