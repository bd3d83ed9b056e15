/**
 * The canonical operators as values: one descriptor says what one operator of a program computes (docs/numerics.md, section 2).
 * Its byte encoding is in `encoding.ts`, its element rules are in `shared/operators`.
 */

/** Element type of a tensor; the numbers are the wire encoding. */
export const Dtype = { float32: 0, int32: 1 } as const;
export type Dtype = (typeof Dtype)[keyof typeof Dtype];

export type ReferenceKind = "operator" | "state" | "constant";

/** What an operand refers to: an earlier operator's output, a state tensor before the step, or a constant. */
export interface Reference {
  readonly kind: ReferenceKind;
  readonly index: number;
}

/** A strided view on the words of a referenced tensor. */
export interface Operand {
  readonly reference: Reference;
  readonly dtype: Dtype;
  /** Words of the tensor referred to. */
  readonly count: number;
  /** First word. */
  readonly offset: number;
  /** One stride (in words) for each output dimension; the reducing families have one more, for the reduced axis. */
  readonly strides: readonly number[];
}

/** Map instruction names; the numbers are the wire encoding (docs/numerics.md, section 2.2). */
export const MapOpcode = {
  add: 1,
  sub: 2,
  mul: 3,
  div: 4,
  sqrt: 5,
  abs: 6,
  neg: 7,
  max: 8,
  min: 9,
  less: 10,
  equal: 11,
  select: 12,
} as const;
export type MapOpcode = (typeof MapOpcode)[keyof typeof MapOpcode];

/** `(opcode, a, b, c)`: registers are operands, then immediates, then earlier results. Unused fields are 0. */
export type MapInstruction = readonly [opcode: number, a: number, b: number, c: number];

interface OperatorBase {
  /** Dtype of the output. */
  readonly dtype: Dtype;
  /** Static shape of the output, rank 0 to 6. */
  readonly shape: readonly number[];
}

export interface MapOperator extends OperatorBase {
  readonly family: "map";
  readonly operands: readonly Operand[];
  /** Immediate float32 words. */
  readonly immediates: readonly number[];
  readonly instructions: readonly MapInstruction[];
}

/** Operands: a, b, peak of a, peak of b. */
export interface DotOperator extends OperatorBase {
  readonly family: "dot";
  /** Reduced length K. */
  readonly length: number;
  /** P: bits a side of the integer grid. */
  readonly bits: number;
  readonly operands: readonly [Operand, Operand, Operand, Operand];
}

/** Operands: x, peak of x. */
export interface SumOperator extends OperatorBase {
  readonly family: "sum";
  readonly length: number;
  readonly bits: number;
  readonly operands: readonly [Operand, Operand];
}

/** Operands: x, peak of x, int32 index. Adds x into the output row that the index names. */
export interface SumByIndexOperator extends OperatorBase {
  readonly family: "sumByIndex";
  readonly length: number;
  readonly bits: number;
  /** Output dimension selected by the index. */
  readonly axis: number;
  readonly operands: readonly [Operand, Operand, Operand];
}

/** Operand: x. Mode 0: max |x|. Mode 1: the next power of two of it, at least 2^-40. */
export interface PeakOperator extends OperatorBase {
  readonly family: "peak";
  readonly length: number;
  readonly mode: 0 | 1;
  readonly operands: readonly [Operand];
}

/** Operands: table, int32 index. */
export interface GatherOperator extends OperatorBase {
  readonly family: "gather";
  /** Words between rows of the table. */
  readonly rowStride: number;
  readonly rows: number;
  readonly operands: readonly [Operand, Operand];
}

/** Output [B, width]: words `offset …` of the samples that the committed order draws for this step. */
export interface BatchOperator extends OperatorBase {
  readonly family: "batch";
  readonly offset: number;
  readonly operands: readonly [];
}

/** Output [1]: one column of this step's row in the schedule table. */
export interface ScheduleOperator extends OperatorBase {
  readonly family: "schedule";
  readonly column: number;
  readonly operands: readonly [];
}

export type Operator =
  | MapOperator
  | DotOperator
  | SumOperator
  | SumByIndexOperator
  | PeakOperator
  | GatherOperator
  | BatchOperator
  | ScheduleOperator;

export type Family = Operator["family"];

/** Family numbers of the wire encoding. */
export const FAMILY_CODE: Readonly<Record<Family, number>> = {
  map: 1,
  dot: 2,
  sum: 3,
  sumByIndex: 4,
  peak: 5,
  gather: 6,
  batch: 7,
  schedule: 8,
};

/** Number of words of a shape; a scalar (rank 0) has one. */
export function wordCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
