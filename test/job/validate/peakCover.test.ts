import assert from "node:assert/strict";
import { test } from "node:test";
import { peakCovers } from "../../../shared/job/validate/peakCover.ts";
import { addressAt, multiIndex, operandLine, staysInside } from "../../../shared/operators/address.ts";
import { type Operand, type PeakOperator, wordCount } from "../../../shared/program/descriptor.ts";
import { along, rowMajor, type Value, view } from "../../helpers/builder.ts";
import { Random } from "../../helpers/random.ts";

/** Through all elements: every word read is among those that the element's Peak measured. */
function covered(
  data: Operand,
  peak: Operand,
  measure: PeakOperator,
  shape: readonly number[],
  length: number,
): boolean {
  for (let element = 0; element < wordCount(shape); element++) {
    const index = multiIndex(shape, element);
    const at = addressAt(operandLine(peak, index), 0)!;
    const measured = operandLine(measure.operands[0], multiIndex(measure.shape, at));
    const words = new Set(Array.from({ length: measure.length }, (_, k) => addressAt(measured, k)));
    const line = operandLine(data, index);
    for (let k = 0; k < length; k++) if (!words.has(addressAt(line, k))) return false;
  }
  return true;
}

function peakOf(x: Operand, shape: readonly number[], length: number): PeakOperator {
  return { family: "peak", dtype: 0, shape, length, mode: 1, operands: [x] };
}

const tensor = (shape: readonly number[]): Value => ({ reference: { kind: "state", index: 0 }, dtype: 0, shape });
const output = (shape: readonly number[]): Value => ({ reference: { kind: "operator", index: 0 }, dtype: 0, shape });

test("whatever is accepted is covered, and nearly everything covered is accepted", () => {
  const random = new Random(91);
  let accepted = 0;
  let missed = 0;
  for (let i = 0; i < 60_000; i++) {
    const count = 24;
    const small = (): number => random.pick([0, 0, 1, 1, 2, 3, 4, 6, 8, 12]);
    const dims = (rank: number): number[] => Array.from({ length: rank }, () => random.pick([1, 2, 3, 4]));
    const some = (shape: readonly number[], words: number): Operand => ({
      reference: { kind: "state", index: 0 },
      dtype: 0,
      count: words,
      offset: random.chance(0.6) ? 0 : random.below(4),
      strides: [...shape.map(small), small()],
    });
    const measureShape = dims(random.below(3));
    const measureLength = random.pick([1, 2, 3, 4, 6, 24]);
    const x = some(measureShape, count);
    if (!staysInside(x, measureShape, measureLength)) continue;
    const measure = peakOf(x, measureShape, measureLength);
    const shape = dims(random.below(3));
    const length = random.pick([1, 2, 3, 4]);
    const data = some(shape, count);
    const peak = { ...some(shape, wordCount(measureShape)), offset: random.chance(0.8) ? 0 : 1 };
    peak.strides = [...peak.strides.slice(0, -1), 0];
    if (!staysInside(data, shape, length) || !staysInside(peak, shape, 1)) continue;
    const truth = covered(data, peak, measure, shape, length);
    const answer = peakCovers(data, peak, measure, shape, length);
    if (answer) {
      accepted += 1;
      assert.ok(truth, JSON.stringify({ data, peak, measure, shape, length }));
    } else if (truth) missed += 1;
  }
  assert.ok(accepted > 1000 && missed < accepted / 4, `${accepted} accepted, ${missed} missed`);
});

test("whole-tensor and row scales of ordinary and transposed operands are accepted", () => {
  const x = tensor([6, 4]);
  const whole = peakOf(view(x, [0, 1]), [1], 24);
  const rows = peakOf(view(x, [4, 1]), [6], 4);
  const columns = peakOf(view(x, [1, 4]), [4], 6);
  const shape = [6, 5];
  const data = along(x, 3, [0, 2]);
  assert.ok(peakCovers(data, view(output([1]), [0, 0, 0]), whole, shape, 4));
  assert.ok(peakCovers(data, view(output([6]), [1, 0, 0]), rows, shape, 4));
  assert.ok(!peakCovers(data, view(output([4]), [0, 0, 0]), columns, shape, 4));
  assert.ok(!peakCovers(data, view(output([6]), [0, 1, 0]), rows, [6, 6], 4));
  // The columns of the same tensor, contracted over its rows.
  const transposed = along(x, 3, [2, 0]);
  assert.ok(peakCovers(transposed, view(output([4]), [1, 0, 0]), columns, [4, 5], 6));
  assert.ok(peakCovers(transposed, view(output([1]), [0, 0, 0]), whole, [4, 5], 6));
});

test("scales of merged and split axes are accepted", () => {
  const x = tensor([2, 3, 4]);
  const strides = rowMajor(x.shape);
  const merged = peakOf(view(x, [4, 1]), [6], 4);
  const split = peakOf(view(x, strides), [2, 3], 4);
  // out[b, t, j] with the scale of row (b, t), however the Peak's axes are written.
  assert.ok(peakCovers(along(x, 4, [0, 1, 3]), view(output([6]), [3, 1, 0, 0]), merged, [2, 3, 5], 4));
  assert.ok(peakCovers(along(x, 4, [0, 1, 3]), view(output([2, 3]), [3, 1, 0, 0]), split, [2, 3, 5], 4));
  assert.ok(peakCovers(view(x, [4, 0, 1]), view(output([2, 3]), [1, 0, 0]), split, [6, 5], 4));
});
