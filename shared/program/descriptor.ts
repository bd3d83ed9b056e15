/**
 * The canonical operators as values: one descriptor says what one operator of a program computes (docs/numerics.md, section 2).
 * Its byte encoding is in `encoding.ts`, its element rules are in `shared/operators`.
 */

import type { SampleOrder } from "../numerics/sampleOrder.ts";

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

/** How a Batch goes through the samples; the numbers are the wire encoding. */
export const SAMPLE_ORDER: Readonly<Record<SampleOrder, number>> = { replacement: 0, permutation: 1, sequential: 2 };

/** Output [B, width]: words `offset …` of the samples that the committed order draws for this step. */
export interface BatchOperator extends OperatorBase {
  readonly family: "batch";
  readonly order: SampleOrder;
  readonly offset: number;
  readonly operands: readonly [];
}

/** Output [1]: one column of this step's row in the schedule table. */
export interface ScheduleOperator extends OperatorBase {
  readonly family: "schedule";
  readonly column: number;
  readonly operands: readonly [];
}

/** Where an operand of a Join lies along its axis: positions `start … start + extent − 1`. */
export interface JoinRange {
  readonly start: number;
  readonly extent: number;
}

/** Operands side by side along one dimension, of the output's dtype; positions that none holds are 0. */
export interface JoinOperator extends OperatorBase {
  readonly family: "join";
  readonly axis: number;
  readonly operands: readonly Operand[];
  /** One for each operand; an operand's strides count from its start. */
  readonly ranges: readonly JoinRange[];
}

/** Random words, other ones in every step: float32 uniform in [0, 1), or int32. */
export interface RandomOperator extends OperatorBase {
  readonly family: "random";
  /** Operators of one stream and shape have the same words. */
  readonly stream: number;
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
  | ScheduleOperator
  | JoinOperator
  | RandomOperator;

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
  join: 9,
  random: 10,
};

/** Families without operands: what they give depends on the step's number alone, and engines take it as an input. */
export type SourceFamily = "batch" | "schedule" | "random";
/** An operator that an engine computes. */
export type ComputedOperator = Exclude<Operator, { family: SourceFamily }>;

export function isComputed(operator: Operator): operator is ComputedOperator {
  return operator.family !== "batch" && operator.family !== "schedule" && operator.family !== "random";
}

/** The lengths over which an operand's strides walk: the output's shape, but for a Join its own extent along the axis. */
export function operandShape(operator: Operator, position: number): readonly number[] {
  if (operator.family !== "join") return operator.shape;
  return operator.shape.with(operator.axis, operator.ranges[position]!.extent);
}

/** Number of words of a shape; a scalar (rank 0) has one. */
export function wordCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}
