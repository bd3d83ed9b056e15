/**
 * Dots that are no matrix product: where one side is a vector, or both are, nothing is read twice, and a copy on the grid would cost as much
 * as the product (docs/numerics.md, section 2.4).
 */
import { Code, type Local, Op } from "./assembler.ts";
import type { Kernel } from "./elementwise.ts";
import { gridShift, onGrid } from "./expressions.ts";
import {
  advance,
  collapse,
  denseStrides,
  ELEMENT_BYTES,
  greatestLane,
  LANES,
  laneMask,
  loadVector,
  magnitudeBits,
  nest,
  storeVector,
  type Walk,
} from "./loops.ts";

export interface InnerProducts {
  /** Output dimensions. */
  readonly lengths: readonly number[];
  /** Reduced length. */
  readonly length: number;
  readonly bits: number;
  /** Strides over the output dimensions, then the reduced axis; peaks over the output dimensions. */
  readonly factors: readonly [Factor, Factor];
}

export interface Factor {
  readonly x: Walk;
  readonly peak: Walk;
}

/** Parameters: start, end, output, then each factor and its peak. Returns the greatest magnitude that it gave, as bits. */
export function innerProductKernel({ lengths: all, length, bits, factors }: InnerProducts): Kernel {
  const operands = factors.flatMap(({ x, peak }) => [{ ...x, strides: x.strides.slice(0, -1) }, peak]);
  const { lengths, walks } = collapse(all, [{ type: "float32", strides: denseStrides(all) }, ...operands]);
  const code = new Code(2 + walks.length);
  const range = { start: code.parameter(0), end: code.parameter(1) };
  const pointers = walks.map((_, w) => code.parameter(2 + w));
  const greatest = code.local("v128");

  nest(code, lengths, walks, pointers, range, ([out, ...at]) => {
    const sums = [code.local("v128"), code.local("v128")] as const;
    for (const sum of sums) code.splat(0).set(sum);
    const sides = factors.map(({ x, peak }, side) => {
      const [bound, pointer] = [code.local("v128"), code.local("i32")];
      loadVector(code, peak.type, at[2 * side + 1]!, 0, LANES);
      code.set(bound);
      code.get(at[2 * side]!).set(pointer);
      return { type: x.type, along: x.strides.at(-1)!, shift: gridShift(code, bound, bits), pointer };
    });
    const take = (lanes: number): void => {
      const [a, b] = sides.map(({ type, along, shift, pointer }) => {
        const value = code.local("v128");
        loadVector(code, type, pointer, along, lanes);
        code.set(value);
        const snapped = onGrid(code, value, shift);
        if (lanes < LANES) code.get(snapped).vector(laneMask(lanes, -1)).op(Op.and).set(snapped);
        return snapped;
      }) as [Local, Local];
      code.get(a).op(Op.promoteLow).get(b).op(Op.promoteLow, Op.f64x2mul).get(sums[0]).op(Op.f64x2add).set(sums[0]);
      code.highToLow(a).op(Op.promoteLow).highToLow(b).op(Op.promoteLow, Op.f64x2mul);
      code.get(sums[1]).op(Op.f64x2add).set(sums[1]);
    };
    const rest = length % LANES;
    if (length > rest) {
      const left = code.local("i32");
      code.i32(length - rest).set(left);
      code.repeat(() => {
        take(LANES);
        for (const { type, along, pointer } of sides) advance(code, pointer, LANES * along * ELEMENT_BYTES[type]);
        code.get(left).i32(LANES).op(Op.i32sub).tee(left);
      });
    }
    if (rest > 0) take(rest);
    const [both, result] = [code.local("v128"), code.local("v128")];
    code.get(sums[0], sums[1]).op(Op.f64x2add).set(both);
    code.get(both).highToLow(both).op(Op.f64x2add, Op.demoteLow).set(result);
    magnitudeBits(code, result, 1);
    code.get(greatest).op(Op.i32x4maxU).set(greatest);
    storeVector(code, "float32", out!, result, 1);
  });
  greatestLane(code, greatest);
  const inner = lengths.slice(1).reduce((product, n) => product * n, length);
  return { code, extent: { length: lengths[0]!, unit: 1, inner } };
}
