/** Binary logarithms rounded to integers, from the bits: `Math.log2` is only near. */

const view = new DataView(new ArrayBuffer(8));

/** floor(log2 |x|) of a finite number that is not zero and not subnormal in binary64. */
export function floorLog2(x: number): number {
  view.setFloat64(0, x);
  return ((view.getUint32(0) >>> 20) & 0x7ff) - 1023;
}

/** ceil(log2 |x|), as `floorLog2`. */
export function ceilLog2(x: number): number {
  const floor = floorLog2(x);
  return Math.abs(x) === 2 ** floor ? floor : floor + 1;
}
