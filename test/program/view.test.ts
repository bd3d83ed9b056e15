import assert from "node:assert/strict";
import { test } from "node:test";
import { wordCount } from "../../shared/program/descriptor.ts";
import { broadcastStrides, reshapeView, transposeView, type View, wholeView } from "../../shared/program/view.ts";
import { Random } from "../helpers/random.ts";

/** The addresses of a view's elements in row-major order. */
function addresses({ offset, shape, strides }: View): number[] {
  return shape.reduce(
    (lines, dimension, axis) =>
      lines.flatMap((line) => Array.from({ length: dimension }, (_, i) => line + i * strides[axis]!)),
    [offset],
  );
}

const whole = (shape: readonly number[]) => wholeView({ kind: "operator", index: 0 }, 0, shape);

/** A random shape of `count` elements, with axes of length 1 thrown in. */
function shapeOf(random: Random, count: number): number[] {
  const shape: number[] = [];
  for (let rest = count; rest > 1; ) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => d > 1 && rest % d === 0);
    const dimension = random.pick(divisors);
    shape.push(dimension);
    rest /= dimension;
    if (random.chance(0.3)) shape.push(1);
  }
  return shape;
}

function shuffled(random: Random, count: number): number[] {
  const order: number[] = [];
  for (const axis of Array.from({ length: count }, (_, i) => i)) order.splice(random.below(order.length + 1), 0, axis);
  return order;
}

test("a reshaped view has the same elements in the same order, and is refused only where strides cannot say it", () => {
  const random = new Random(21);
  let refused = 0;
  for (let trial = 0; trial < 3000; trial++) {
    const count = random.pick([1, 2, 6, 8, 12, 24, 36]);
    let view = whole(shapeOf(random, count));
    if (random.chance(0.6)) view = transposeView(view, shuffled(random, view.shape.length));
    const shape = shapeOf(random, count);
    const reshaped = reshapeView(view, shape);
    const wanted = addresses(view);
    if (reshaped !== null) {
      assert.deepEqual(reshaped.shape, shape);
      assert.deepEqual(addresses(reshaped), wanted);
      continue;
    }
    refused++;
    // The only candidates are the distances between neighbours along each axis.
    let inner = count;
    const strides = shape.map((dimension) => {
      inner /= dimension;
      return dimension === 1 ? 0 : wanted[inner]! - wanted[0]!;
    });
    assert.notDeepEqual(addresses({ ...view, shape, strides }), wanted);
  }
  assert.ok(refused > 100, `${refused} refusals`);
});

test("axes of length 1 have stride 0, so that equal views are equal", () => {
  assert.deepEqual(whole([2, 1, 3]).strides, [3, 0, 1]);
  assert.deepEqual(reshapeView(whole([2, 3]), [1, 2, 1, 3])!.strides, [0, 3, 0, 1]);
  assert.deepEqual(reshapeView(whole([]), [1, 1])!.strides, [0, 0]);
});

test("broadcasting repeats by strides of 0", () => {
  const view = whole([3, 1]);
  const shape = [2, 3, 4];
  const strides = broadcastStrides(view, shape);
  assert.deepEqual(strides, [0, 1, 0]);
  const expected = Array.from({ length: wordCount(shape) }, (_, i) => Math.floor(i / 4) % 3);
  assert.deepEqual(addresses({ ...view, shape, strides }), expected);
});
