/**
 * Whether a peak bounds what Dot or Sum reads (docs/numerics.md, section 4, rule 3): for every output element and every reduced position,
 * the word that is read must be among those that the element's Peak measured. Both are linear in the index, so this is decided from the
 * strides, without going through the elements.
 */
import { type Operand, type PeakOperator, wordCount } from "../../program/descriptor.ts";

interface Axis {
  readonly length: number;
  /** Words between neighbours in what the Peak measures. */
  readonly stride: number;
}

/**
 * @param data the operand of a family that reduces over `length` positions, with output `shape`.
 * @param peak its peak operand, which refers to the output of `measure`.
 * @param measure a Peak of the tensor that `data` refers to.
 */
export function peakCovers(
  data: Operand,
  peak: Operand,
  measure: PeakOperator,
  shape: readonly number[],
  length: number,
): boolean {
  const [x] = measure.operands;
  const axes = mergedAxes(measure);
  const steps = rowMajorStrides(axes);
  const start = digits(peak.offset, axes, steps);
  const moves = shape.map((extent, d) => (extent === 1 ? 0 : peak.strides[d]!));
  if (moves.some((stride) => stride < 0)) return false;
  const parts = moves.map((stride) => digits(stride, axes, steps));
  // Without a carry between the axes, the Peak's multi-index is linear in the output's.
  const carries = axes.some((axis, e) => {
    const reach = parts.reduce((sum, part, d) => sum + (shape[d]! - 1) * part[e]!, start[e]!);
    return reach >= axis.length;
  });
  if (carries) return false;
  const along = (part: readonly number[]): number => part.reduce((sum, digit, e) => sum + digit * axes[e]!.stride, 0);
  // Position of the word read, counted from the first word that its Peak measures: base + Σ i_d · coefficient_d.
  const base = data.offset - x.offset - along(start);
  const terms = [...shape, length].map((extent, d) => ({
    reach: extent - 1,
    coefficient: data.strides[d]! - along(parts[d] ?? []),
  }));
  const moving = terms.filter(({ reach }) => reach > 0);
  const span = moving.map(({ reach, coefficient }) => reach * coefficient);
  const least = base + span.reduce((sum, each) => sum + Math.min(each, 0), 0);
  const most = base + span.reduce((sum, each) => sum + Math.max(each, 0), 0);
  const step = x.strides[measure.shape.length]!;
  if (least < 0 || most > (measure.length - 1) * step) return false;
  return step <= 1 || [base, ...moving.map(({ coefficient }) => coefficient)].every((each) => each % step === 0);
}

/** Output axes of a Peak, without those of length 1, neighbours that lie evenly behind one another joined. */
function mergedAxes({ shape, operands: [x] }: PeakOperator): Axis[] {
  const axes: Axis[] = [];
  for (const [d, length] of shape.entries()) {
    if (length === 1) continue;
    const stride = x.strides[d]!;
    const outer = axes.at(-1);
    if (outer !== undefined && outer.stride === stride * length)
      axes.splice(-1, 1, { length: outer.length * length, stride });
    else axes.push({ length, stride });
  }
  return axes;
}

function rowMajorStrides(axes: readonly Axis[]): number[] {
  return axes.map((_, e) => wordCount(axes.slice(e + 1).map(({ length }) => length)));
}

/** A position in the Peak's output as a multi-index; the first digit takes what is too much. */
function digits(position: number, axes: readonly Axis[], steps: readonly number[]): number[] {
  return axes.map((axis, e) => {
    const digit = Math.floor(position / steps[e]!);
    return e === 0 ? digit : digit % axis.length;
  });
}
