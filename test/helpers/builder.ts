/** Builds canonical programs operator by operator, for tests. */

import type { SampleOrder } from "../../shared/numerics/sampleOrder.ts";
import {
  Dtype,
  type MapInstruction,
  MapOpcode,
  type Operand,
  type Operator,
  type Reference,
  wordCount,
} from "../../shared/program/descriptor.ts";
import type {
  NamedOperator,
  Program,
  SampleField,
  StateRole,
  StateTensor,
  Tensor,
} from "../../shared/program/program.ts";
import { floats } from "./operators.ts";

/** A tensor of the program under construction. */
export interface Value {
  readonly reference: Reference;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, d) => wordCount(shape.slice(d + 1)));
}

/** A view with these strides from the first word on. */
export function view({ reference, dtype, shape }: Value, strides: readonly number[]): Operand {
  return { reference, dtype, count: wordCount(shape), offset: 0, strides };
}

/** A view that follows the output's dimensions named by `axes` (one for each dimension of the value), broadcast over the others. */
export function along(value: Value, rank: number, axes: readonly number[]): Operand {
  const strides = new Array<number>(rank).fill(0);
  for (const [d, axis] of axes.entries()) strides[axis] = rowMajor(value.shape)[d]!;
  return view(value, strides);
}

/** Registers of a Map under construction; every method appends one instruction and returns its register. */
export class MapBody {
  readonly immediates: number[] = [];
  readonly #operands: number;
  readonly #code: [opcode: number, a: Register, b: Register, c: Register][] = [];

  constructor(operands: number) {
    this.#operands = operands;
  }

  operand(at: number): Register {
    return { from: "operand", at };
  }

  immediate(value: number): Register {
    const word = floats(value)[0]!;
    const known = this.immediates.indexOf(word);
    if (known >= 0) return { from: "immediate", at: known };
    this.immediates.push(word);
    return { from: "immediate", at: this.immediates.length - 1 };
  }

  do(name: keyof typeof MapOpcode, a: Register, b?: Register, c?: Register): Register {
    const none: Register = { from: "operand", at: 0 };
    this.#code.push([MapOpcode[name], a, b ?? none, c ?? none]);
    return { from: "result", at: this.#code.length - 1 };
  }

  /** (x + c) − c with c = 1.5 · 2^-80. */
  flush(x: Register): Register {
    const c = this.immediate(1.5 * 2 ** -80);
    return this.do("sub", this.do("add", x, c), c);
  }

  clamp(x: Register, bound: number): Register {
    return this.do("min", this.do("max", x, this.immediate(-bound)), this.immediate(bound));
  }

  instructions(): MapInstruction[] {
    const first = { operand: 0, immediate: this.#operands, result: this.#operands + this.immediates.length };
    const number = ({ from, at }: Register): number => first[from] + at;
    const used: Record<number, number> = {
      [MapOpcode.sqrt]: 1,
      [MapOpcode.abs]: 1,
      [MapOpcode.neg]: 1,
      [MapOpcode.select]: 3,
    };
    return this.#code.map(([opcode, a, b, c]): MapInstruction => {
      const arity = used[opcode] ?? 2;
      return [opcode, number(a), arity > 1 ? number(b) : 0, arity > 2 ? number(c) : 0];
    });
  }
}

export interface Register {
  readonly from: "operand" | "immediate" | "result";
  readonly at: number;
}

/** How Dot and Sum find the bound of an operand: one Peak over the tensor, or one for each row of its last dimension. */
export type PeakScale = "tensor" | "row";

export class ProgramBuilder {
  readonly #operators: NamedOperator[] = [];
  readonly #state: StateTensor[] = [];
  readonly #constants: Tensor[] = [];
  readonly #fields: SampleField[] = [];
  readonly #columns: string[] = [];
  #sampleWords = 0;

  add(name: string, operator: Operator): Value {
    this.#operators.push({ name, operator });
    const { dtype, shape } = operator;
    return { reference: { kind: "operator", index: this.#operators.length - 1 }, dtype, shape };
  }

  state(
    name: string,
    shape: readonly number[],
    { dtype = Dtype.float32, role = "parameter" }: { readonly dtype?: Dtype; readonly role?: StateRole } = {},
  ): Value {
    this.#state.push({ name, dtype, shape, role, source: null });
    return { reference: { kind: "state", index: this.#state.length - 1 }, dtype, shape };
  }

  constant(shape: readonly number[], words: Uint32Array, dtype: Dtype = Dtype.float32): Value {
    this.#constants.push({ dtype, shape, words });
    return { reference: { kind: "constant", index: this.#constants.length - 1 }, dtype, shape };
  }

  /** A field of `width` words a sample, and the batch that reads it. */
  batch(
    name: string,
    rows: number,
    width: number,
    dtype: Dtype,
    minimum: number,
    maximum: number,
    order: SampleOrder = "replacement",
  ): Value {
    const offset = this.#sampleWords;
    this.#sampleWords += width;
    this.#fields.push({ name, dtype, offset, width, minimum, maximum });
    return this.add(name, { family: "batch", dtype, shape: [rows, width], order, offset, operands: [] });
  }

  schedule(name: string): Value {
    this.#columns.push(name);
    return this.add(name, { family: "schedule", dtype: 0, shape: [1], column: this.#columns.length - 1, operands: [] });
  }

  map(
    name: string,
    shape: readonly number[],
    operands: readonly Operand[],
    write: (body: MapBody, ...x: Register[]) => void,
  ): Value {
    const body = new MapBody(operands.length);
    write(body, ...operands.map((_, at) => body.operand(at)));
    const { immediates } = body;
    return this.add(name, { family: "map", dtype: 0, shape, operands, immediates, instructions: body.instructions() });
  }

  /** One Peak over the whole tensor, shape [1]; or with `row` one for each row of the last dimension. */
  peak(name: string, value: Value, mode: 0 | 1, scale: PeakScale = "tensor"): Value {
    const last = value.shape.at(-1) ?? 1;
    const [shape, length] = scale === "row" ? [value.shape.slice(0, -1), last] : [[1], wordCount(value.shape)];
    const strides = scale === "row" ? rowMajor(value.shape) : [0, 1];
    return this.add(name, { family: "peak", dtype: 0, shape, length, mode, operands: [view(value, strides)] });
  }

  /** out[i, j] = Σ_k a[i, k] · b[k, j]; either factor may be stored transposed. */
  matmul(
    name: string,
    a: Value,
    b: Value,
    options: { readonly aTransposed?: boolean; readonly bTransposed?: boolean; readonly bits?: number } = {},
  ): Value {
    const [rows, length] = options.aTransposed ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
    const columns = options.bTransposed ? b.shape[0]! : b.shape[1]!;
    const peakA = this.peak(`${name}.peakA`, a, 1);
    const peakB = this.peak(`${name}.peakB`, b, 1);
    return this.add(name, {
      family: "dot",
      dtype: 0,
      shape: [rows, columns],
      length,
      bits: options.bits ?? 20,
      operands: [
        along(a, 3, options.aTransposed ? [2, 0] : [0, 2]),
        along(b, 3, options.bTransposed ? [1, 2] : [2, 1]),
        view(peakA, [0, 0, 0]),
        view(peakB, [0, 0, 0]),
      ],
    });
  }

  /** Values side by side along one dimension, at their starts; all of one dtype, and of one shape but for that dimension. */
  join(
    name: string,
    parts: readonly { readonly value: Value; readonly start: number }[],
    axis: number,
    extent: number,
  ): Value {
    const { dtype, shape } = parts[0]!.value;
    return this.add(name, {
      family: "join",
      dtype,
      shape: shape.with(axis, extent),
      axis,
      operands: parts.map(({ value }) => view(value, rowMajor(value.shape))),
      ranges: parts.map(({ value, start }) => ({ start, extent: value.shape[axis]! })),
    });
  }

  random(name: string, shape: readonly number[], stream: number, dtype: Dtype = Dtype.float32): Value {
    return this.add(name, { family: "random", dtype, shape, stream, operands: [] });
  }

  /** The sum of all words of a value, shape [1]. */
  total(name: string, value: Value, bits = 20): Value {
    const peak = this.peak(`${name}.peak`, value, 1);
    const operands = [view(value, [0, 1]), view(peak, [0, 0])] as const;
    return this.add(name, { family: "sum", dtype: 0, shape: [1], length: wordCount(value.shape), bits, operands });
  }

  /** Rows of a `[rows, width]` table named by an int32 index of shape [n]: `[n, width]`. */
  gather(name: string, table: Value, index: Value): Value {
    const [rows, width] = table.shape as [number, number];
    const operands = [view(table, [0, 1]), view(index, [1, 0])] as const;
    const shape = [wordCount(index.shape), width];
    return this.add(name, { family: "gather", dtype: table.dtype, shape, rowStride: width, rows, operands });
  }

  /** `[rows, width]`: the rows of x `[n, width]` added into those that the index of shape [n] names. */
  sumByIndex(name: string, x: Value, index: Value, rows: number, bits = 20): Value {
    const [length, width] = x.shape as [number, number];
    const peak = this.peak(`${name}.peak`, x, 1);
    const operands = [view(x, [0, 1, width]), view(peak, [0, 0, 0]), view(index, [0, 0, 1])] as const;
    return this.add(name, { family: "sumByIndex", dtype: 0, shape: [rows, width], length, bits, axis: 0, operands });
  }

  /** The state tensors so far. */
  get states(): readonly Value[] {
    return this.#state.map(({ dtype, shape }, index) => ({ reference: { kind: "state", index }, dtype, shape }));
  }

  nameOf({ reference: { kind, index } }: Value): string {
    return kind === "operator"
      ? this.#operators[index]!.name
      : kind === "state"
        ? this.#state[index]!.name
        : "constant";
  }

  /** The value replaces the state tensor after each step. */
  update(state: Value, value: Value): void {
    const { index } = state.reference;
    this.#state[index] = { ...this.#state[index]!, source: value.reference.index };
  }

  build(loss: Value, logits: Value | null = null): Program {
    return {
      operators: this.#operators,
      state: this.#state,
      constants: this.#constants,
      sample: { words: this.#sampleWords, fields: this.#fields },
      scheduleColumns: this.#columns,
      loss: loss.reference.index,
      logits: logits === null ? null : logits.reference.index,
    };
  }
}
