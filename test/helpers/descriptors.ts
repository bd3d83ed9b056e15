/** Random descriptors: decodable, but otherwise garbage. What they compute is the business of the total rules. */
import type { SampleOrder } from "../../shared/numerics/sampleOrder.ts";
import {
  type Dtype,
  FAMILY_CODE,
  type Family,
  type MapInstruction,
  type Operand,
  type Operator,
  type ReferenceKind,
  SAMPLE_ORDER,
  wordCount,
} from "../../shared/program/descriptor.ts";
import { OPERAND_COUNT, reduces } from "../../shared/program/encoding.ts";
import type { Random } from "./random.ts";

export const ORDERS = Object.keys(SAMPLE_ORDER) as readonly SampleOrder[];
const KINDS: readonly ReferenceKind[] = ["operator", "state", "constant"];
export const FAMILIES = Object.keys(FAMILY_CODE) as readonly Family[];

/** Numbers that garbage likes: small, edges of their field, anything. */
function wild(random: Random): number {
  return random.pick([
    0,
    1,
    2,
    3,
    63,
    64,
    65,
    255,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    random.below(100),
    random.word(),
  ]);
}

/** At most 2^32 − 1 words; now and then one dimension takes nearly all of them. */
function wildShape(random: Random, rank: number): number[] {
  const shape = Array.from({ length: rank }, () => random.between(1, 4));
  if (rank > 0 && random.chance(0.2)) {
    const at = random.below(rank);
    shape[at] = Math.floor((2 ** 32 - 1) / (wordCount(shape) / shape[at]!));
  }
  return shape;
}

function stride(random: Random): number {
  return random.pick([0, 0, 1, 1, -1, 7, 64, 0x7fffffff, -0x80000000, random.word() | 0]);
}

/** A descriptor of the family whose every field may hold anything that docs/protocol.md, section 1.1, lets decode. */
export function garbageOperator(random: Random, family: Family = random.pick(FAMILIES)): Operator {
  const rank = family === "batch" ? 2 : random.between(family === "sumByIndex" || family === "join" ? 1 : 0, 6);
  const shape = wildShape(random, rank);
  const strides = shape.length + (reduces(family) ? 1 : 0);
  const operand = (): Operand => ({
    reference: { kind: random.pick(KINDS), index: wild(random) },
    dtype: random.below(2) as Dtype,
    count: wild(random),
    offset: wild(random),
    strides: Array.from({ length: strides }, () => stride(random)),
  });
  const operands = (count: number): never => Array.from({ length: count }, operand) as never;
  const dtype = (["gather", "batch", "join", "random"].includes(family) ? random.below(2) : 0) as Dtype;
  const base = { dtype, shape };
  const length = random.between(1, 200);
  const bits = random.between(1, 22);
  switch (family) {
    case "map":
      return {
        family,
        ...base,
        operands: operands(random.between(1, 8)),
        immediates: Array.from({ length: random.below(6) }, () => random.word()),
        instructions: Array.from(
          { length: random.below(12) },
          (): MapInstruction => [
            random.chance(0.9) ? random.between(1, 12) : random.below(256),
            random.below(14),
            random.below(14),
            random.chance(0.9) ? random.below(14) : random.below(256),
          ],
        ),
      };
    case "dot":
    case "sum":
      return { family, ...base, length, bits, operands: operands(OPERAND_COUNT[family]) };
    case "sumByIndex":
      return { family, ...base, length, bits, axis: random.below(rank), operands: operands(OPERAND_COUNT[family]) };
    case "peak":
      return { family, ...base, length, mode: random.below(2) as 0 | 1, operands: operands(1) };
    case "gather":
      return { family, ...base, rowStride: wild(random), rows: wild(random), operands: operands(2) };
    case "batch":
      return { family, ...base, order: random.pick(ORDERS), offset: wild(random), operands: [] };
    case "schedule":
      return { family, ...base, column: wild(random), operands: [] };
    case "join": {
      const count = random.between(1, 8);
      const place = (): number => (random.chance(0.2) ? wild(random) : random.below(4));
      const ranges = Array.from({ length: count }, () => ({ start: place(), extent: place() }));
      return { family, ...base, axis: random.below(rank), operands: operands(count), ranges };
    }
    case "random":
      return { family, ...base, stream: wild(random), operands: [] };
  }
}
