/** Canonical words of what an engine computed (docs/numerics.md, section 1). */
import { Dtype } from "../program/descriptor.ts";
import type { Tensor } from "../program/program.ts";

const NEGATIVE_ZERO = 0x80000000;
const MAGNITUDE = 0x7fffffff;
const INFINITY = 0x7f800000;
const NAN = 0x7fc00000;

/** Replaces −0 by +0 and every NaN by 0x7fc00000, in place; int32 words stay. */
export function canonicalise(tensor: Tensor): Tensor {
  if (tensor.dtype === Dtype.float32) {
    const { words } = tensor;
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      if (word === NEGATIVE_ZERO) words[i] = 0;
      else if ((word & MAGNITUDE) > INFINITY) words[i] = NAN;
    }
  }
  return tensor;
}
