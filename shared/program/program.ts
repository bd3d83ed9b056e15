/**
 * The canonical program: everything one training step computes, and what becomes of the state.
 * `encoding.ts` gives its bytes and roots, `validate.ts` the malformed predicate.
 */
import type { Dtype, Operator } from "./descriptor.ts";

/** A tensor as raw 32-bit words (float32 bit patterns or int32 two's complement), row-major. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** float32 data shares its buffer with a Float32Array where speed matters; the words are the value. */
  readonly words: Uint32Array;
}

/** The operator whose output becomes the state tensor after a step, or null: the tensor stays as it is. */
export type StateSource = number | null;

/**
 * What a state tensor is for. parameter: what the optimizer trains; running: what the forward pass keeps, such as a mean over batches;
 * moment: the optimizer's own; output: what an inference gives.
 */
export type StateRole = "parameter" | "running" | "moment" | "output";

export interface StateTensor {
  /** Human name (`fc1.weight`, `fc1.weight.m`); not committed. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly source: StateSource;
  /** Not committed; a parameter when absent. */
  readonly role?: StateRole;
}

export interface NamedOperator {
  /** Human name, unique in the program (`fc1.dot`, `loss`); not committed. */
  readonly name: string;
  readonly operator: Operator;
}

/** Most fields of a sample: everything that reads them goes through all of them. */
export const MAX_FIELDS = 1024;

/** One field of a dataset sample: `width` words at `offset`; bounds are inclusive and checked when the data is read. */
export interface SampleField {
  readonly name: string;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly width: number;
  readonly minimum: number;
  readonly maximum: number;
}

export interface Program {
  readonly operators: readonly NamedOperator[];
  readonly state: readonly StateTensor[];
  readonly constants: readonly Tensor[];
  /** Layout of one dataset sample. */
  readonly sample: { readonly words: number; readonly fields: readonly SampleField[] };
  /** Columns of the schedule table, in order (for AdamW: rate, and the two bias corrections). */
  readonly scheduleColumns: readonly string[];
  /** Operator whose single output word is the loss of the step. */
  readonly loss: number;
  /** Operator whose output are the model's logits (for evaluation), or null. */
  readonly logits: number | null;
}
