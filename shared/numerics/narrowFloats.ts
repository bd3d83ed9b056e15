/** Float numbers of 16 bits, as files hold them. */

/** The number that an IEEE-754 binary16 stands for, exactly. @param bits not negative. */
export function fromBinary16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const word = new DataView(new ArrayBuffer(4));

/** The number that a bfloat16 stands for: the upper half of a binary32. @param bits not negative. */
export function fromBfloat16(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}
