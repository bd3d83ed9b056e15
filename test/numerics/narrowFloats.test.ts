import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBfloat16, fromBinary16 } from "../../shared/numerics/narrowFloats.ts";

/** Every word of 16 bits. */
const WORDS = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

test("a binary16 is what its sign, exponent and fraction say", () => {
  for (const bits of WORDS) {
    const [sign, exponent, fraction] = [bits >> 15, (bits >> 10) & 31, bits & 1023];
    const magnitude =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (exponent === 0 ? fraction / 1024 : 1 + fraction / 1024) * 2 ** (Math.max(exponent, 1) - 15);
    assert.ok(Object.is(fromBinary16(bits), sign === 1 ? -magnitude : magnitude), `${bits}`);
  }
});

test("a bfloat16 is the upper half of a binary32", () => {
  const floats = new Float32Array(Uint32Array.from(WORDS, (bits) => bits << 16).buffer);
  for (const bits of WORDS) assert.ok(Object.is(fromBfloat16(bits), floats[bits]), `${bits}`);
});
