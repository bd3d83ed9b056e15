/** The program of the self-test: every operator family in every realisation, each on operands where a wrong bit would show. */
import {
  Dtype,
  type MapInstruction,
  MapOpcode,
  type Operand,
  type Operator,
  type Reference,
  wordCount,
} from "../../program/descriptor.ts";
import type { NamedOperator, Program, StateTensor, Tensor } from "../../program/program.ts";
import type { StepInputs } from "../../program/stepInputs.ts";
import type { Form } from "../hostedEngine.ts";
import { type DotRealisation, FLOAT64, type RootRealisation } from "../realise/arithmetic.ts";
import {
  FAINT,
  floatPairs,
  LENGTH,
  MIDDLES,
  middleDigits,
  nearMiddles,
  randomFloats,
  randomIntegers,
  WIDE_INTEGERS,
} from "./vectors.ts";

/** What an operator of the program stands for in the report. */
export interface Subject {
  readonly operator: string;
  readonly realisation: string;
  /** Subnormal results may be taken for zero (docs/numerics.md, section 4.1). */
  readonly faint: boolean;
}

export interface ConformanceProgram {
  readonly program: Program;
  readonly inputs: StepInputs;
  /** By operator index; null for operators that only prepare. */
  readonly subjects: readonly (Subject | null)[];
}

/** A tensor of the program under construction. */
interface Value {
  readonly reference: Reference;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

class Builder {
  readonly operators: NamedOperator[] = [];
  readonly subjects: (Subject | null)[] = [];
  readonly state: StateTensor[] = [];
  readonly tensors: Tensor[] = [];

  input(data: Float32Array | Int32Array, shape: readonly number[] = [data.length]): Value {
    const dtype = data instanceof Float32Array ? Dtype.float32 : Dtype.int32;
    this.state.push({ name: `input${this.state.length}`, dtype, shape, source: null });
    this.tensors.push({ dtype, shape, words: new Uint32Array(data.buffer, data.byteOffset, data.length) });
    return { reference: { kind: "state", index: this.state.length - 1 }, dtype, shape };
  }

  /** Adds an operator that the report names, and a state tensor that takes its output, so that a plain step shows it too. */
  check(operator: string, realisation: string, what: Operator, faint = false): Value {
    const value = this.prepare(what);
    this.subjects[value.reference.index] = { operator, realisation, faint };
    const { dtype, shape } = what;
    this.state.push({ name: `output${value.reference.index}`, dtype, shape, source: value.reference.index });
    this.tensors.push({ dtype, shape, words: new Uint32Array(wordCount(shape)) });
    return value;
  }

  prepare(operator: Operator): Value {
    this.operators.push({ name: `${operator.family}${this.operators.length}`, operator });
    this.subjects.push(null);
    const { dtype, shape } = operator;
    return { reference: { kind: "operator", index: this.operators.length - 1 }, dtype, shape };
  }

  peak(x: Value): Value {
    return this.prepare(peakOf(x, 1));
  }

  update(state: Value, source: Value): void {
    const { index } = state.reference;
    this.state[index] = { ...this.state[index]!, source: source.reference.index };
  }

  build(loss: number): ConformanceProgram {
    const { operators, state, subjects } = this;
    const sources = { constants: [], sample: { words: 0, fields: [] }, scheduleColumns: [] };
    return {
      program: { operators, state, ...sources, loss, logits: null },
      inputs: { state: this.tensors, batches: new Map(), schedule: new Map() },
      subjects,
    };
  }
}

function view({ reference, dtype, shape }: Value, strides: readonly number[]): Operand {
  return { reference, dtype, count: wordCount(shape), offset: 0, strides };
}

function peakOf(x: Value, mode: 0 | 1): Operator {
  return { family: "peak", dtype: 0, shape: [1], length: wordCount(x.shape), mode, operands: [view(x, [0, 1])] };
}

const ARITY: Readonly<Record<keyof typeof MapOpcode, number>> = {
  ...{ add: 2, sub: 2, mul: 2, div: 2, sqrt: 1, abs: 1, neg: 1, max: 2, min: 2, less: 2, equal: 2, select: 3 },
};

/** How the report calls what the engine does. */
interface Names {
  readonly dot: string;
  readonly sum: string;
  readonly scatter: string;
  /** Put before what a division or a root is tried on. */
  readonly root: string;
}

const DOT_NAMES: Readonly<Record<DotRealisation, string>> = {
  float64: "float64 product",
  digits32: "products of float32 digits",
  int8: "products of int8 digits",
};

const ROOT_NAMES: Readonly<Record<RootRealisation, string>> = {
  native: "",
  float64: "through float64, ",
  corrected: "corrected, ",
};

function namesOf(form: Form): Names {
  if (form === "kernels") return { dot: DOT_NAMES.float64, sum: "kernel", scatter: "kernel", root: "" };
  const { dot, sum, root } = form;
  const by = sum === "float64" ? "float64" : "float32 digits";
  return { dot: DOT_NAMES[dot], sum: `ReduceSum of ${by}`, scatter: `ScatterND of ${by}`, root: ROOT_NAMES[root] };
}

function addMaps(build: Builder, { root }: Names): void {
  const { a, b } = floatPairs();
  const [x, y] = [build.input(a), build.input(b)];
  const positive = build.input(a.map(Math.abs));
  const [scalar, third] = [build.input(Float32Array.of(1 / 3)), build.input(b.map((value, i) => (i % 3 ? value : 0)))];
  const faint = [build.input(FAINT.a), build.input(FAINT.b)] as const;
  const map = (operands: readonly [Value, readonly number[]][], code: MapInstruction, length: number): Operator => ({
    family: "map",
    dtype: 0,
    shape: [length],
    operands: operands.map(([value, strides]) => view(value, strides)),
    immediates: [],
    instructions: [code],
  });
  for (const [name, opcode] of Object.entries(MapOpcode) as [keyof typeof MapOpcode, number][]) {
    const arity = ARITY[name];
    const how = name === "div" || name === "sqrt" ? root : "";
    const code: MapInstruction = [opcode, 0, arity > 1 ? 1 : 0, arity > 2 ? 2 : 0];
    const first: [Value, readonly number[]] =
      name === "sqrt" ? [positive, [1]] : name === "select" ? [third, [1]] : [x, [1]];
    const all: [Value, readonly number[]][] = [first, [y, [1]], [positive, [1]]];
    build.check(`Map ${name}`, `${how}vectors`, map(all.slice(0, arity), code, LENGTH));
    if (arity === 2) {
      build.check(`Map ${name}`, `${how}vector and scalar`, map([first, [scalar, [0]]], code, LENGTH));
      build.check(
        `Map ${name}`,
        `${how}scalar and vector`,
        map(
          [
            [scalar, [0]],
            [y, [1]],
          ],
          code,
          LENGTH,
        ),
      );
    }
    if (["add", "sub", "mul", "div"].includes(name)) {
      const operands: [Value, readonly number[]][] = faint.map((value) => [value, [1]]);
      build.check(`Map ${name}`, `${how}subnormals`, map(operands, code, FAINT.a.length), true);
    }
  }
  const { dividends, divisors, radicands } = nearMiddles(LENGTH, 19);
  const middles = [dividends, divisors, radicands].map((data): [Value, readonly number[]] => [build.input(data), [1]]);
  build.check("Map div", `${root}next to a middle`, map(middles.slice(0, 2), [MapOpcode.div, 0, 1, 0], LENGTH));
  build.check("Map sqrt", `${root}next to a middle`, map(middles.slice(2), [MapOpcode.sqrt, 0, 0, 0], LENGTH));
  addNegativeZeros(build, x);
  const integers = build.input(WIDE_INTEGERS);
  const copy = { ...map([[integers, [1]]], [0, 0, 0, 0], WIDE_INTEGERS.length), instructions: [] } as Operator;
  build.check("Map", "int32 operand", copy);
  const square = build.input(randomFloats(15 * 17, 3, 8), [15, 17]);
  const transposed: Operator = {
    ...{ family: "map", dtype: 0, shape: [17, 15], immediates: [] },
    operands: [view(square, [1, 17]), view(square, [1, 0])],
    instructions: [[MapOpcode.sub, 0, 1, 0]],
  };
  build.check("Map", "transposed and broadcast views", transposed);
}

/** An engine may carry −0 where the rules have +0; nothing may depend on it. */
function addNegativeZeros(build: Builder, x: Value): void {
  const [zero, zeroes, one] = [2, 3, 1];
  // Registers: x, the immediates 1 and 0, then x · 0, which is −0 where x is negative.
  const consumers: readonly [keyof typeof MapOpcode, MapInstruction][] = [
    ["add", [MapOpcode.add, zeroes, zero, 0]],
    ["sub", [MapOpcode.sub, zero, zeroes, 0]],
    ["mul", [MapOpcode.mul, zeroes, one, 0]],
    ["div", [MapOpcode.div, zeroes, one, 0]],
    ["abs", [MapOpcode.abs, zeroes, 0, 0]],
    ["neg", [MapOpcode.neg, zeroes, 0, 0]],
    ["max", [MapOpcode.max, zeroes, zero, 0]],
    ["min", [MapOpcode.min, zeroes, zero, 0]],
    ["less", [MapOpcode.less, zeroes, zero, 0]],
    ["equal", [MapOpcode.equal, zeroes, zero, 0]],
    ["select", [MapOpcode.select, zeroes, one, zero]],
  ];
  for (const [name, consumer] of consumers) {
    build.check(`Map ${name}`, "negative zero", {
      ...{ family: "map", dtype: 0, shape: [LENGTH], operands: [view(x, [1])], immediates: [0x3f800000, 0] },
      instructions: [[MapOpcode.mul, 0, zero, 0], consumer],
    });
  }
}

function addSums(build: Builder, { sum: reduceSum, scatter }: Names): void {
  const large = build.input(randomFloats(48 * 130, 4, 10), [48, 130]);
  const peak = build.peak(large);
  const sum = (shape: readonly number[], length: number, strides: readonly number[], bits: number): Operator => {
    const operands = [view(large, strides), view(peak, [...shape.map(() => 0), 0])] as const;
    return { family: "sum", dtype: 0, shape, length, bits, operands };
  };
  build.check("Quantise", "Add, Sub", sum([48 * 130], 1, [1, 0], 20));
  build.check("Quantise", "Add, Sub", sum([48 * 130], 1, [1, 0], 7));
  const halves = build.input(
    Float32Array.from({ length: 65 }, (_, i) => (i - 32) / 64 / 2),
    [65],
  );
  const one = build.input(Float32Array.of(1));
  const ties: Operator = {
    ...{ family: "sum", dtype: 0, shape: [65], length: 1, bits: 6 },
    operands: [view(halves, [1, 0]), view(build.peak(one), [0, 0])],
  };
  build.check("Quantise", "ties", ties);
  build.check("Sum", `${reduceSum}, last axis`, sum([48], 130, [130, 1], 20));
  build.check("Sum", `${reduceSum}, first axis`, sum([130], 48, [1, 130], 22));
  build.check("Sum", `${reduceSum}, all`, sum([1], 48 * 130, [0, 1], 20));

  const index = build.input(randomIntegers(48, 5, 12), [48]);
  const wild = build.input(
    randomIntegers(48, 6, 12).map((value, i) => (i % 5 === 0 ? value - 12 : value)),
    [48],
  );
  for (const [rows, name] of [
    [index, scatter],
    [wild, `${scatter}, index outside`],
  ] as const) {
    const operands = [view(large, [0, 1, 130]), view(peak, [0, 0, 0]), view(rows, [0, 0, 1])] as const;
    const byIndex = { family: "sumByIndex", dtype: 0, shape: [12, 130], length: 48, bits: 20, axis: 0 } as const;
    build.check("SumByIndex", name, { ...byIndex, operands });
    const gather = { family: "gather", dtype: 0, rowStride: 130, rows: 11 } as const;
    build.check("Gather", "rows", { ...gather, shape: [48, 130], operands: [view(large, [0, 1]), view(rows, [1, 0])] });
    const words = { family: "gather", dtype: 0, rowStride: 1, rows: 12, shape: [48] } as const;
    build.check("Gather", "words", { ...words, operands: [view(large, [130]), view(rows, [1])] });
  }
  const table: Operator = {
    ...{ family: "gather", dtype: 1, rowStride: 1, rows: WIDE_INTEGERS.length, shape: [48] },
    operands: [view(build.input(WIDE_INTEGERS), [0]), view(index, [1])],
  };
  build.check("Gather", "int32 words", table);
}

function addJoins(build: Builder): void {
  const rows = build.input(randomFloats(12 * 7, 17, 10), [12, 7]);
  const columns = build.input(randomFloats(5 * 12, 18, 10), [5, 12]);
  const integers = build.input(WIDE_INTEGERS);
  const parts = [view(rows, [7, 1]), view(columns, [1, 12])];
  const join = { family: "join", dtype: 0, axis: 1 } as const;
  const together = [
    { start: 0, extent: 7 },
    { start: 7, extent: 5 },
  ];
  build.check("Join", "Concat", { ...join, shape: [12, 12], operands: parts, ranges: together });
  const apart = together.map(({ start, extent }, i) => ({ start: start + 3 * i + 1, extent }));
  build.check("Join", "Concat, gaps", { ...join, shape: [12, 19], operands: parts, ranges: apart });
  const beside = [
    { start: 2, extent: 11 },
    { start: 13, extent: 11 },
  ];
  const copies = [view(integers, [1]), view(integers, [1])];
  build.check("Join", "int32", { ...join, dtype: 1, axis: 0, shape: [24], operands: copies, ranges: beside });
}

function addDots(build: Builder, { dot: name }: Names): void {
  const [rows, length, columns] = [35, 131, 67];
  const dot = (
    left: Value,
    right: Value,
    shape: number[],
    k: number,
    a: number[],
    b: number[],
    bits = 20,
  ): Operator => {
    const none = [...shape.map(() => 0), 0];
    const operands = [
      ...[view(left, a), view(right, b)],
      ...[view(build.peak(left), none), view(build.peak(right), none)],
    ] as unknown as Extract<Operator, { family: "dot" }>["operands"];
    return { family: "dot", dtype: 0, shape, length: k, bits, operands };
  };
  const a = build.input(randomFloats(rows * length, 7, 6), [rows, length]);
  const b = build.input(randomFloats(length * columns, 8, 6), [length, columns]);
  const aT = build.input(randomFloats(rows * length, 9, 6), [length, rows]);
  const bT = build.input(randomFloats(length * columns, 10, 6), [columns, length]);
  const shape = [rows, columns];
  for (const [left, leftStrides, leftName] of [
    [a, [length, 0, 1], "A"],
    [aT, [1, 0, rows], "Aᵀ"],
  ] as const)
    for (const [right, rightStrides, rightName] of [
      [b, [0, 1, columns], "B"],
      [bT, [0, length, 1], "Bᵀ"],
    ] as const) {
      const operator = dot(left, right, shape, length, [...leftStrides], [...rightStrides]);
      build.check("Dot", `${name} ${leftName}·${rightName}`, operator);
    }
  // A sum that float32, or a float64 sum of rounded products, would lose: large terms that cancel around small ones.
  const cancelling = Float32Array.from({ length: 2 * length }, (_, k) => (k % 2 ? -1 : 1) * (2 ** 10 + (k >> 1) / 8));
  const ones = new Float32Array(2 * length).map((_, k) => 1 + (k % 7) * 2 ** -19);
  const [c, d] = [build.input(cancelling, [1, 2 * length]), build.input(ones, [2 * length, 1])];
  build.check("Dot", `${name}, cancellation`, dot(c, d, [1, 1], 2 * length, [0, 0, 1], [0, 0, 1]));
  const left = build.input(randomFloats(3 * 9 * 33, 11, 6), [3, 9, 33]);
  const right = build.input(randomFloats(3 * 33 * 10, 12, 6), [3, 33, 10]);
  const batched = dot(left, right, [3, 9, 10], 33, [297, 33, 0, 1], [330, 0, 1, 10]);
  build.check("Dot", `${name}, batched`, batched);
  // The largest sum of 20 bits a side, and just less.
  const length20 = 8192;
  const ends = Float32Array.from({ length: 3 * length20 }, (_, at) => {
    const [row, k] = [Math.floor(at / length20), at % length20];
    if (row === 0) return 1;
    return row === 1 ? (k % 2 ? 1 : 2 ** -20 - 1) : k === length20 - 1 ? 2 ** -20 : 1;
  });
  const full = build.input(ends, [3, length20]);
  const most = build.input(new Float32Array(length20).fill(1), [length20, 1]);
  build.check("Dot", `${name}, largest sum`, dot(full, most, [3, 1], length20, [length20, 0, 1], [0, 0, 1]));
  // c · 2^20 + d · 2^10 + e: sums that lie in the middle of two float32s, and next to it.
  const awkward = build.input(middleDigits(), [MIDDLES, 3]);
  const places = build.input(Float32Array.of(1, 2 ** -10, 2 ** -20), [3, 1]);
  build.check("Dot", `${name}, next to a middle`, dot(awkward, places, [MIDDLES, 1], 3, [3, 0, 1], [0, 0, 1]));
  // Longer than any kernel's block, and than what float32 adds exactly at a time.
  const long = 4096 * 9 + 77;
  const [row, column] = [build.input(randomFloats(2 * long, 21, 6), [2, long]), build.input(randomFloats(long, 22, 6))];
  build.check("Dot", `${name}, long`, dot(row, column, [2, 1], long, [long, 0, 1], [0, 0, 1], 18));
  // Large enough for kernels to split it among threads.
  const wide = build.input(randomFloats(48 * 128, 13, 4), [48, 128]);
  const tall = build.input(randomFloats(128 * 64, 14, 4), [128, 64]);
  build.check("Dot", `${name}, large`, dot(wide, tall, [48, 64], 128, [128, 0, 1], [0, 1, 64]));
}

function addPeaks(build: Builder): void {
  const { a } = floatPairs();
  const x = build.input(a.map((value, i) => (i % 4 ? value : 2 ** ((i % 61) - 40))));
  for (const mode of [0, 1] as const) {
    build.check("Peak", mode === 0 ? "ReduceMax" : "ReduceMax, NextPowerTwo", peakOf(x, mode));
    const each: Operator = { family: "peak", dtype: 0, shape: [LENGTH], length: 1, mode, operands: [view(x, [1, 0])] };
    build.check("Peak", mode === 0 ? "Abs" : "NextPowerTwo", each);
    const columns: Operator = {
      ...{ family: "peak", dtype: 0, shape: [10], length: 103, mode },
      operands: [view(x, [1, 10])],
    };
    build.check("Peak", mode === 0 ? "ReduceMax, first axis" : "ReduceMax, first axis, NextPowerTwo", columns);
  }
  const tiny = build.input(Float32Array.of(0, 2 ** -41, -(2 ** -40), 2 ** -40 + 2 ** -63, 2 ** -60));
  build.check("Peak", "NextPowerTwo, floor", {
    ...{ family: "peak", dtype: 0, shape: [5], length: 1, mode: 1 },
    operands: [view(tiny, [1, 0])],
  });
}

/** @param only leaves out all but one family, where the others are realised as in a program that was tried before. */
export function conformanceProgram(form: Form = FLOAT64, only?: "dot"): ConformanceProgram {
  const build = new Builder();
  const names = namesOf(form);
  if (only === undefined) {
    addMaps(build, names);
    addSums(build, names);
    addJoins(build);
    addPeaks(build);
  }
  addDots(build, names);
  return build.build(build.operators.findIndex(({ operator }) => wordCount(operator.shape) === 1));
}

/** A program that any engine runs. */
export function probeProgram(): Program {
  const build = new Builder();
  return build.build(build.peak(build.input(Float32Array.of(1, 2, 3, 4))).reference.index).program;
}

/** A state that stays as it is, whose magnitudes alone decide whether the step is valid, and one that changes in every step. */
export function guardProgram(): ConformanceProgram {
  const build = new Builder();
  const steady = build.input(randomFloats(LENGTH, 15, 19));
  const moving = build.input(randomFloats(LENGTH, 16, 18));
  const next = build.prepare({
    ...{ family: "map", dtype: 0, shape: [LENGTH], immediates: [0xbf600000, 0x3f000000] },
    operands: [view(moving, [1])],
    instructions: [
      [MapOpcode.mul, 0, 1, 0],
      [MapOpcode.add, 3, 2, 0],
    ],
  });
  build.update(moving, next);
  return build.build(build.peak(steady).reference.index);
}
