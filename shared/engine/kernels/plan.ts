/**
 * A program as a list of commands over buffers: WebAssembly kernels, and matrix products for the runtime. One pass over a tensor does
 * what it can: a kernel that makes a tensor also measures it for the Peak and the guard that want its greatest magnitude.
 */

import {
  type DotOperator,
  Dtype,
  type JoinOperator,
  type Operand,
  type Operator,
  operandShape,
  type Reference,
  wordCount,
} from "../../program/descriptor.ts";
import type { Program } from "../../program/program.ts";
import { UnrealisableError } from "../realise/errors.ts";
import type { Code } from "./assembler.ts";
import { type Covers, coversOf, productWords, spreadKernel, unreadCovers } from "./covers.ts";
import { type Elementwise, type Extent, elementwiseKernel, type Kernel } from "./elementwise.ts";
import { mapExpression, quantised } from "./expressions.ts";
import { gatherKernel, scatterKernel } from "./indexed.ts";
import { innerProductKernel } from "./innerProducts.ts";
import { denseStrides, type ElementType, LANES, type Walk } from "./loops.ts";
import { reductionKernel } from "./reduction.ts";

/** A piece of memory; its place is decided when all commands are known. */
export type BufferId = number;

export interface BufferPlan {
  readonly bytes: number;
  /** Kept for the whole life of the session, else from its first to its last command. */
  readonly lasting: boolean;
}

/** Where a greatest magnitude is kept, as bits. */
export type CellId = number;

export interface Place {
  readonly buffer: BufferId;
  /** In bytes. */
  readonly offset: number;
}

/** What a kernel is there for, for measurements. */
export type Purpose = "map" | "quantise" | "dot" | "round" | "reduce" | "move";

export interface KernelCommand {
  readonly kind: "kernel";
  readonly purpose: Purpose;
  /** Index among the plan's functions. */
  readonly code: number;
  readonly extent: Extent;
  readonly places: readonly Place[];
  /** Takes the kernel's result, or null. */
  readonly cell: CellId | null;
  /** Whether the cell holds what was measured of an earlier part of the tensor: the greater of both stands. */
  readonly isFurther: boolean;
  /** Whether only traces need what it makes. */
  readonly isForTraces: boolean;
}

/** c = a · b in float64; `batch` products one behind the other, of which none is transposed, or one. */
export interface ProductCommand {
  readonly kind: "product";
  readonly a: BufferId;
  readonly b: BufferId;
  readonly c: BufferId;
  readonly batch: number | null;
  readonly rows: number;
  readonly columns: number;
  readonly length: number;
  /** Whether a is stored [length, rows] and b [columns, length]. */
  readonly transposed: readonly [a: boolean, b: boolean];
}

export type Command =
  | KernelCommand
  | ProductCommand
  /** Writes the output of an operator that is an input of the step. */
  | { readonly kind: "feed"; readonly operator: number; readonly to: BufferId }
  /** In a traced step, copies what an operator gave. */
  | { readonly kind: "keep"; readonly operator: number; readonly from: BufferId }
  /** Writes the power of two above a greatest magnitude (mode 1), or itself. */
  | { readonly kind: "peak"; readonly mode: 0 | 1; readonly cell: CellId; readonly to: BufferId };

export interface Plan {
  readonly buffers: readonly BufferPlan[];
  readonly functions: readonly Code[];
  /** What is done again each step. */
  readonly commands: readonly Command[];
  /** Measures state and constants; done when a state has been loaded. */
  readonly prologue: readonly Command[];
  readonly cells: number;
  /** State tensors before a step, and after it where they are not the same memory. */
  readonly state: readonly {
    readonly before: BufferId;
    readonly after: BufferId;
    readonly cell: CellId | null;
    readonly next: CellId | null;
  }[];
  readonly constants: readonly BufferId[];
  readonly outputs: readonly BufferId[];
  /** Cells that the guard is the greatest of. */
  readonly guard: readonly CellId[];
}

/** @throws UnrealisableError as `realise`. */
export function planProgram(program: Program): Plan {
  return new Planner(program).plan();
}

const WORD_BYTES = 4;
/** A right factor that is multiplied by few rows is copied and multiplied by panels that stay in the cache, where it is much larger. */
const PANEL_BYTES = 2 ** 20;
const MOST_PANEL_ROWS = 64;
const LEAST_PANELS = 4;

/** A factor of a Dot. */
interface Side {
  readonly operand: Operand;
  readonly peak: Operand;
  /** Dimensions along which it moves. */
  readonly moving: readonly number[];
}

interface KernelOptions {
  readonly into?: Command[];
  readonly isForTraces?: boolean;
  readonly isFurther?: boolean;
}
const ELEMENT: Readonly<Record<Dtype, ElementType>> = { [Dtype.float32]: "float32", [Dtype.int32]: "int32" };

class Planner {
  readonly #program: Program;
  readonly #buffers: BufferPlan[] = [];
  readonly #functions: Code[] = [];
  readonly #kernels = new Map<string, { readonly code: number; readonly extent: Extent }>();
  readonly #commands: Command[] = [];
  readonly #prologue: Command[] = [];
  readonly #outputs: BufferId[] = [];
  readonly #state: BufferId[];
  readonly #constants: BufferId[];
  /** Quantised copies by what they hold. */
  readonly #copies = new Map<string, BufferId>();
  readonly #cells = new Map<string, CellId>();
  readonly #guard = new Set<CellId>();
  /** Tensors whose greatest magnitude is wanted. */
  readonly #measured = new Set<string>();
  /** Operators that only traces need. */
  readonly #unread: ReadonlySet<number>;
  #cellCount = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#unread = unreadCovers(program);
    this.#state = program.state.map(({ shape }) => this.#buffer(wordCount(shape) * WORD_BYTES, true));
    this.#constants = program.constants.map(({ words, dtype }, index) => {
      if (dtype === Dtype.float32) requireFinite(words, index);
      return this.#buffer(words.byteLength, true);
    });
  }

  plan(): Plan {
    const { operators, state, loss } = this.#program;
    for (const { operator } of operators) {
      if (operator.family === "peak" && this.#isWhole(operator.operands[0], [...operator.shape, operator.length])) {
        this.#measured.add(keyOf(operator.operands[0].reference));
      }
    }
    const sources = new Set(state.flatMap(({ source }) => (source === null ? [] : [source])));
    for (const index of [...sources, loss]) this.#measured.add(keyOf({ kind: "operator", index }));

    for (const [index, { name, operator }] of operators.entries()) {
      try {
        const output = this.#operator(index, operator);
        this.#outputs.push(output);
        this.#commands.push({ kind: "keep", operator: index, from: output });
      } catch (error) {
        if (error instanceof UnrealisableError) throw new UnrealisableError(error.problem, name);
        throw error;
      }
    }
    const after = state.map(({ source }, p) => {
      const reference: Reference = source === null ? { kind: "state", index: p } : { kind: "operator", index: source };
      const next = this.#cellOf(reference);
      this.#guard.add(next);
      const own = this.#cells.get(keyOf({ kind: "state", index: p })) ?? null;
      const before = this.#state[p]!;
      return { before, after: source === null ? before : this.#outputs[source]!, cell: own, next };
    });
    this.#guard.add(this.#cellOf({ kind: "operator", index: loss }));
    return {
      buffers: this.#buffers,
      functions: this.#functions,
      commands: this.#commands,
      prologue: this.#prologue,
      cells: this.#cellCount,
      state: after,
      constants: this.#constants,
      outputs: this.#outputs,
      guard: [...this.#guard],
    };
  }

  #operator(index: number, operator: Operator): BufferId {
    const { shape } = operator;
    const words = wordCount(shape);
    const output = this.#inPlace(index, operator) ?? this.#buffer(words * WORD_BYTES, this.#isKept(index));
    const reference: Reference = { kind: "operator", index };
    switch (operator.family) {
      case "batch":
      case "schedule":
      case "random":
        this.#commands.push({ kind: "feed", operator: index, to: output });
        return output;
      case "map": {
        const { operands, immediates, instructions } = operator;
        this.#elementwise(
          output,
          operands,
          {
            lengths: shape,
            inputs: operands.map((operand) => this.#walk(operand, shape)),
            output: "float32",
            measure: this.#measured.has(keyOf(reference)),
            expression: (code, inputs) => mapExpression(code, inputs, immediates, instructions),
          },
          JSON.stringify([immediates, instructions]),
          reference,
        );
        return output;
      }
      case "dot":
        this.#dot(operator, output, reference);
        return output;
      case "sum": {
        const [x, peak] = operator.operands;
        const kind = { family: "sum", bits: operator.bits, peak: this.#walk(peak, shape) } as const;
        const reduction = {
          lengths: shape,
          length: operator.length,
          x: this.#walk(x, [...shape, operator.length]),
          kind,
        };
        this.#kernel(
          "reduce",
          `reduce ${JSON.stringify(reduction)}`,
          () => reductionKernel(reduction),
          [{ buffer: output, offset: 0 }, this.#place(x), this.#place(peak)],
          this.#newCell(reference),
        );
        return output;
      }
      case "peak": {
        const [x] = operator.operands;
        if (this.#isWhole(x, [...shape, operator.length])) {
          const cell = this.#cellOf(x.reference);
          this.#guard.add(cell);
          this.#commands.push({ kind: "peak", mode: operator.mode, cell, to: output });
          return output;
        }
        const kind = { family: "peak", mode: operator.mode } as const;
        const reduction = {
          lengths: shape,
          length: operator.length,
          x: this.#walk(x, [...shape, operator.length]),
          kind,
        };
        const cell = this.#cellCount++;
        this.#guard.add(cell);
        this.#kernel(
          "reduce",
          `reduce ${JSON.stringify(reduction)}`,
          () => reductionKernel(reduction),
          [{ buffer: output, offset: 0 }, this.#place(x)],
          cell,
        );
        return output;
      }
      case "gather": {
        const [table, rowIndex] = operator.operands;
        const { rowStride, rows } = operator;
        requireRows(table, shape, rowStride, rows);
        const gathering = {
          lengths: shape,
          table: this.#walk({ ...table, count: Number.POSITIVE_INFINITY }, shape).strides,
          index: this.#walk(rowIndex, shape).strides,
          rowStride,
          rows,
        };
        this.#kernel(
          "move",
          `gather ${JSON.stringify(gathering)}`,
          () => gatherKernel(gathering),
          [{ buffer: output, offset: 0 }, this.#place(table), this.#place(rowIndex)],
          null,
          { isForTraces: this.#unread.has(index) },
        );
        return output;
      }
      case "sumByIndex": {
        const { axis, bits, length, operands } = operator;
        const [x, peak, index] = operands;
        const full = [...shape, length];
        for (const operand of [x, index, peak]) {
          if (shape[axis]! > 1 && operand.strides[axis] !== 0) {
            throw new UnrealisableError(`an operand follows dimension ${axis}, which the index selects`);
          }
        }
        const scattering = {
          ...{ lengths: shape, axis, bits, length, x: this.#walk(x, full) },
          peak: this.#walk(peak, shape),
          index: this.#walk(index, full).strides,
        };
        const sums = this.#buffer(words * 8, false);
        this.#kernel(
          "reduce",
          `scatter ${JSON.stringify(scattering)}`,
          () => scatterKernel(scattering),
          [{ buffer: sums, offset: 0 }, this.#place(x), this.#place(peak), this.#place(index)],
          null,
        );
        this.#round(output, sums, shape, denseStrides(shape), reference);
        return output;
      }
      case "join":
        this.#join(operator, output);
        return output;
    }
  }

  /** Operands and the zeros between them, each into its part of the output. */
  #join(operator: JoinOperator, output: BufferId): void {
    const { shape, axis, ranges, operands } = operator;
    const outputStrides = denseStrides(shape);
    const part = (start: number, lengths: readonly number[], operand: Operand | null): void => {
      // Words are copied, whatever they stand for.
      const inputs: Walk[] = operand === null ? [] : [{ ...this.#walk(operand, lengths), type: "float32" }];
      const to = { buffer: output, offset: start * outputStrides[axis]! * WORD_BYTES };
      const expression: Elementwise["expression"] = (code, [value]) => {
        if (value !== undefined) return value;
        const zero = code.local("v128");
        code.splat(0).set(zero);
        return zero;
      };
      this.#kernel(
        "move",
        `join ${JSON.stringify([lengths, inputs, outputStrides])}`,
        () => elementwiseKernel({ lengths, inputs, output: "float32", outputStrides, measure: false, expression }),
        operand === null ? [to] : [to, this.#place(operand)],
        null,
      );
    };
    let end = 0;
    const fillTo = (start: number): void => {
      if (start < end) throw new UnrealisableError("its ranges overlap or leave the dimension");
      if (start > end) part(end, shape.with(axis, start - end), null);
    };
    for (const [at, operand] of operands.entries()) {
      const { start, extent } = ranges[at]!;
      fillTo(start);
      part(start, operandShape(operator, at), operand);
      end = start + extent;
    }
    fillTo(shape[axis]!);
  }

  #dot(operator: DotOperator, output: BufferId, reference: Reference): void {
    // Before all else: what the covers hold may not be there to be read.
    const covers = coversOf(this.#program, operator);
    if (covers !== null) {
      this.#spread(operator, covers, output, reference);
      return;
    }
    const { shape, length, bits } = operator;
    const [a, b, peakA, peakB] = operator.operands;
    const full = [...shape, length];
    const reduced = shape.length;
    const left = movingDimensions(a, full);
    const right = movingDimensions(b, full);
    const batch = shape.map((_, d) => d).filter((d) => left.includes(d) && right.includes(d));
    const keptOf = (moving: readonly number[]) => moving.filter((d) => d !== reduced && !batch.includes(d));
    const last = shape.findLastIndex((n) => n > 1);
    // The product is symmetric; the side that the last dimension belongs to goes to the right, so that rows are read whole.
    const swap = keptOf(left).includes(last);
    const sides = [
      { operand: a, peak: peakA, moving: left },
      { operand: b, peak: peakB, moving: right },
    ] as const;
    const [first, second] = swap ? [sides[1], sides[0]] : [sides[0], sides[1]];
    const [rows, columns] = [keptOf(first.moving), keptOf(second.moving)];
    const size = (dimensions: readonly number[]) => wordCount(dimensions.map((d) => full[d]!));
    const isVector = size(rows) === 1 || size(columns) === 1;
    if (isVector && [a, b].every(({ strides }) => length === 1 || strides[reduced] === 0 || strides[reduced] === 1)) {
      this.#innerProducts(operator, output, reference);
      return;
    }

    if (batch.length === 0 && size(rows) <= MOST_PANEL_ROWS && columns.length === 1) {
      const panel = largestDivisor(full[columns[0]!]!, PANEL_BYTES / (8 * length));
      if (size(columns) >= LEAST_PANELS * panel && panel * length * 16 >= PANEL_BYTES) {
        this.#panels(operator, first, second, { rows, column: columns[0]!, panel }, output, reference);
        return;
      }
    }
    let transposed: readonly [boolean, boolean];
    let places: readonly [BufferId, BufferId];
    if (batch.length === 0) {
      const [x, y] = [
        this.#matrix(first.operand, first.peak, full, rows, bits, true),
        this.#matrix(second.operand, second.peak, full, columns, bits, false),
      ];
      transposed = [x.reducedFirst, !y.reducedFirst];
      places = [x.buffer, y.buffer];
    } else {
      transposed = [false, false];
      places = [
        this.#pack(first.operand, first.peak, full, [...batch, ...rows, reduced], bits),
        this.#pack(second.operand, second.peak, full, [...batch, reduced, ...columns], bits),
      ];
    }
    const product = this.#buffer(size([...batch, ...rows, ...columns]) * 8, false);
    this.#commands.push({
      kind: "product",
      a: places[0],
      b: places[1],
      c: product,
      batch: batch.length === 0 ? null : size(batch),
      rows: size(rows),
      columns: size(columns),
      length,
      transposed,
    });
    const order = [...batch, ...rows, ...columns];
    const dense = denseStrides(order.map((d) => shape[d]!));
    const strides = shape.map((_, d) => (order.includes(d) ? dense[order.indexOf(d)]! : 0));
    this.#round(output, product, shape, strides, reference);
  }

  /** A product by panels of its columns; each is copied to the grid, multiplied and rounded before the next. */
  #panels(
    { shape, length, bits }: DotOperator,
    left: Side,
    right: Side,
    { rows, column, panel }: { rows: readonly number[]; column: number; panel: number },
    output: BufferId,
    reference: Reference,
  ): void {
    const full = [...shape, length];
    const reduced = shape.length;
    const x = this.#matrix(left.operand, left.peak, full, rows, bits, true);
    const reducedFirst = right.moving[0] === reduced;
    const dimensions = reducedFirst ? [reduced, column] : [column, reduced];
    const along = (strides: readonly number[]) => dimensions.map((d) => (full[d] === 1 ? 0 : strides[d]!));
    const height = wordCount(rows.map((d) => full[d]!));
    const [copy, product] = [this.#buffer(length * panel * 8, false), this.#buffer(height * panel * 8, false)];
    const lengths = shape.with(column, panel);
    const order = [...rows, column];
    const dense = denseStrides(order.map((d) => lengths[d]!));
    const rounding = {
      lengths,
      inputs: [{ type: "float64", strides: shape.map((_, d) => (order.includes(d) ? dense[order.indexOf(d)]! : 0)) }],
      output: "float32",
      outputStrides: denseStrides(shape),
      measure: this.#measured.has(keyOf(reference)),
    } as const;
    const cell = rounding.measure ? this.#newCell(reference) : null;
    for (let start = 0; start < shape[column]!; start += panel) {
      const from = (operand: Operand) => ({ ...operand, offset: operand.offset + start * operand.strides[column]! });
      this.#elementwise(
        copy,
        [from(right.operand), from(right.peak)],
        {
          lengths: dimensions.map((d) => (d === column ? panel : length)),
          inputs: [
            { type: ELEMENT[right.operand.dtype], strides: along(right.operand.strides) },
            { type: ELEMENT[right.peak.dtype], strides: along(right.peak.strides) },
          ],
          output: "float64",
          measure: false,
          expression: (code, [value, greatest]) => quantised(code, value!, greatest!, bits),
        },
        `quantise ${bits}`,
        null,
      );
      this.#commands.push({
        kind: "product",
        a: x.buffer,
        b: copy,
        c: product,
        batch: null,
        rows: height,
        columns: panel,
        length,
        transposed: [x.reducedFirst, !reducedFirst],
      });
      this.#kernel(
        "round",
        `round ${JSON.stringify(rounding)}`,
        () => elementwiseKernel({ ...rounding, expression: (_, [value]) => value! }),
        [
          { buffer: output, offset: start * rounding.outputStrides[column]! * WORD_BYTES },
          { buffer: product, offset: 0 },
        ],
        cell,
        { isFurther: start > 0 },
      );
    }
  }

  #innerProducts({ shape, length, bits, operands }: DotOperator, output: BufferId, reference: Reference): void {
    const [a, b, peakA, peakB] = operands;
    const full = [...shape, length];
    const factor = (x: Operand, peak: Operand) => ({ x: this.#walk(x, full), peak: this.#walk(peak, shape) });
    const products = { lengths: shape, length, bits, factors: [factor(a, peakA), factor(b, peakB)] } as const;
    this.#kernel(
      "dot",
      `inner products ${JSON.stringify(products)}`,
      () => innerProductKernel(products),
      [{ buffer: output, offset: 0 }, this.#place(a), this.#place(peakA), this.#place(b), this.#place(peakB)],
      this.#newCell(reference),
    );
  }

  /** Products with the table of the covers, moved to where the covers would have had their numbers. */
  #spread({ shape, bits, operands }: DotOperator, covers: Covers, output: BufferId, reference: Reference): void {
    const [a, , peakA, peakB] = operands;
    const { gather, table, index, groups, channels, inputs, taps, rows, batch } = covers;
    const grouped = ({ strides }: Operand) => (shape.length === 3 ? strides[0]! : 0);
    const along = a.strides.at(-1)!;
    const weight = this.#copy(
      a,
      peakA,
      [groups, channels, taps, inputs],
      [grouped(a), a.strides[shape.length - 2]!, along, taps * along],
      [grouped(peakA), peakA.strides[shape.length - 2]!, 0, 0],
      bits,
    );
    const numbers = this.#copy(
      table,
      peakB,
      [groups * inputs, rows, batch],
      [table.strides[0]!, gather.rowStride, table.strides[5]!],
      [0, 0, 0],
      bits,
    );
    const products = this.#buffer(productWords(covers) * 8, false);
    this.#commands.push({
      kind: "product",
      a: weight,
      b: numbers,
      c: products,
      batch: groups === 1 ? null : groups,
      rows: channels * taps,
      columns: rows * batch,
      length: inputs,
      transposed: [false, false],
    });
    const { gather: _, table: __, index: ___, ...sizes } = covers;
    this.#kernel(
      "dot",
      `spread ${JSON.stringify(sizes)}`,
      () => spreadKernel(sizes),
      [{ buffer: output, offset: 0 }, { buffer: products, offset: 0 }, this.#place(index)],
      this.#newCell(reference),
    );
  }

  /**
   * An operand as a quantised matrix of the kept dimensions and the reduced axis, in whichever of both orders it lies in memory. On the left
   * the runtime would turn it in every product anew, at the cost of a quarter of its speed: there it is turned as it is copied, where that
   * takes no longer than copying.
   */
  #matrix(
    operand: Operand,
    peak: Operand,
    full: readonly number[],
    kept: readonly number[],
    bits: number,
    isLeft: boolean,
  ): { buffer: BufferId; reducedFirst: boolean } {
    const reduced = full.length - 1;
    const moving = movingDimensions(operand, full);
    const isTurned = isLeft && full[reduced]! % LANES === 0 && full[kept.at(-1) ?? reduced]! % LANES === 0;
    const reducedFirst = moving[0] === reduced && !isTurned;
    return {
      buffer: this.#pack(operand, peak, full, reducedFirst ? [reduced, ...kept] : [...kept, reduced], bits),
      reducedFirst,
    };
  }

  /** A quantised copy as float64, stored row by row over the given dimensions. */
  #pack(
    operand: Operand,
    peak: Operand,
    full: readonly number[],
    dimensions: readonly number[],
    bits: number,
  ): BufferId {
    const x = this.#walk(operand, full);
    const bound = this.#walk(peak, full.slice(0, -1));
    return this.#copy(
      operand,
      peak,
      dimensions.map((d) => full[d]!),
      dimensions.map((d) => x.strides[d]!),
      dimensions.map((d) => (d === full.length - 1 ? 0 : bound.strides[d]!)),
      bits,
    );
  }

  /** The same, by the strides of the operand and of its peak over the given lengths. */
  #copy(
    operand: Operand,
    peak: Operand,
    lengths: readonly number[],
    walk: readonly number[],
    peaks: readonly number[],
    bits: number,
  ): BufferId {
    const within = (strides: readonly number[]) => strides.map((stride, d) => (lengths[d] === 1 ? 0 : stride));
    const [strides, bounds] = [within(walk), within(peaks)];
    // Equal copies of one tensor, whatever shape they are seen in, are one.
    const flat = strides.every((stride, d) => lengths[d] === 1 || stride === denseStrides(lengths)[d]);
    const isWhole =
      flat && operand.offset === 0 && wordCount(lengths) === operand.count && bounds.every((stride) => stride === 0);
    const layout = isWhole ? "whole" : JSON.stringify([lengths, strides, bounds, operand.offset]);
    const key = `${keyOf(operand.reference)} ${keyOf(peak.reference)} ${peak.offset} ${bits} ${layout}`;
    const known = this.#copies.get(key);
    if (known !== undefined) return known;
    const copy = this.#buffer(wordCount(lengths) * 8, false);
    this.#elementwise(
      copy,
      [operand, peak],
      {
        lengths,
        inputs: [
          { type: ELEMENT[operand.dtype], strides },
          { type: ELEMENT[peak.dtype], strides: bounds },
        ],
        output: "float64",
        measure: false,
        expression: (code, [value, greatest]) => quantised(code, value!, greatest!, bits),
      },
      `quantise ${bits}`,
      null,
    );
    this.#copies.set(key, copy);
    return copy;
  }

  /** float64 sums, rounded once. */
  #round(
    output: BufferId,
    sums: BufferId,
    lengths: readonly number[],
    strides: readonly number[],
    reference: Reference,
  ): void {
    const measure = this.#measured.has(keyOf(reference));
    const input: Walk = { type: "float64", strides };
    this.#kernel(
      "round",
      `round ${JSON.stringify([lengths, strides, measure])}`,
      () =>
        elementwiseKernel({ lengths, inputs: [input], output: "float32", measure, expression: (_, [value]) => value! }),
      [
        { buffer: output, offset: 0 },
        { buffer: sums, offset: 0 },
      ],
      measure ? this.#newCell(reference) : null,
    );
  }

  #elementwise(
    output: BufferId,
    operands: readonly Operand[],
    spec: Elementwise,
    expression: string,
    reference: Reference | null,
  ): void {
    const { lengths, inputs, output: type, measure } = spec;
    const key = JSON.stringify([lengths, inputs, type, measure]);
    const places = [{ buffer: output, offset: 0 }, ...operands.map((operand) => this.#place(operand))];
    const cell = measure && reference !== null ? this.#newCell(reference) : null;
    this.#kernel(
      type === "float64" ? "quantise" : "map",
      `elementwise ${key} ${expression}`,
      () => elementwiseKernel(spec),
      places,
      cell,
    );
  }

  #kernel(
    purpose: Purpose,
    key: string,
    make: () => Kernel,
    places: readonly Place[],
    cell: CellId | null,
    { into = this.#commands, isForTraces = false, isFurther = false }: KernelOptions = {},
  ): void {
    let known = this.#kernels.get(key);
    if (known === undefined) {
      const { code, extent } = make();
      known = { code: this.#functions.push(code) - 1, extent };
      this.#kernels.set(key, known);
    }
    into.push({ kind: "kernel", purpose, ...known, places, cell, isFurther, isForTraces });
  }

  #newCell(reference: Reference): CellId {
    const cell = this.#cellCount++;
    this.#cells.set(keyOf(reference), cell);
    return cell;
  }

  /** The cell with the greatest magnitude of a whole tensor; emits a pass over it where nothing has measured it yet. */
  #cellOf(reference: Reference): CellId {
    const known = this.#cells.get(keyOf(reference));
    if (known !== undefined) return known;
    const { words, dtype } = this.#tensor(reference);
    const type = ELEMENT[dtype];
    const cell = this.#newCell(reference);
    this.#kernel(
      "reduce",
      `measure ${type} ${words}`,
      () =>
        elementwiseKernel({
          lengths: [words],
          inputs: [{ type, strides: [1] }],
          output: null,
          measure: true,
          expression: (_, [value]) => value!,
        }),
      [{ buffer: this.#resolve(reference), offset: 0 }],
      cell,
      { into: reference.kind === "operator" ? this.#commands : this.#prologue },
    );
    return cell;
  }

  #tensor({ kind, index }: Reference): { words: number; dtype: Dtype } {
    const { dtype, shape } =
      kind === "operator"
        ? this.#program.operators[index]!.operator
        : kind === "state"
          ? this.#program.state[index]!
          : this.#program.constants[index]!;
    return { words: wordCount(shape), dtype };
  }

  #resolve({ kind, index }: Reference): BufferId {
    const found = { operator: this.#outputs, state: this.#state, constant: this.#constants }[kind][index];
    if (found === undefined) throw new UnrealisableError(`${kind} ${index} does not precede it`);
    return found;
  }

  #place({ reference, offset }: Operand): Place {
    return { buffer: this.#resolve(reference), offset: offset * WORD_BYTES };
  }

  /** How an operand walks over an index space. @throws UnrealisableError when it leaves its tensor. */
  #walk(operand: Operand, lengths: readonly number[]): Walk {
    let [lowest, highest] = [operand.offset, operand.offset];
    const strides = lengths.map((length, d) => (length === 1 ? 0 : (operand.strides[d] ?? 0)));
    for (const [d, stride] of strides.entries()) {
      const reach = (lengths[d]! - 1) * stride;
      if (reach < 0) lowest += reach;
      else highest += reach;
    }
    if (lowest < 0 || highest >= operand.count) {
      const { kind, index } = operand.reference;
      throw new UnrealisableError(
        `it reads words ${lowest} … ${highest} of ${kind} ${index}, which has ${operand.count}`,
      );
    }
    return { type: ELEMENT[operand.dtype], strides };
  }

  /** Whether the operand reads every word of its tensor, each once, for a single output word. */
  #isWhole(operand: Operand, lengths: readonly number[]): boolean {
    if (wordCount(lengths.slice(0, -1)) !== 1 || operand.offset !== 0) return false;
    return wordCount(lengths) === operand.count && (operand.count === 1 || operand.strides.at(-1) === 1);
  }

  #isKept(index: number): boolean {
    return index === this.#program.loss || this.#program.state.some(({ source }) => source === index);
  }

  /**
   * The memory of the state tensor that the operator replaces, where nobody reads the old tensor afterwards and the operator itself
   * reads each word just before it is overwritten.
   */
  #inPlace(index: number, operator: Operator): BufferId | null {
    if (operator.family !== "map") return null;
    const p = this.#program.state.findIndex(({ source }) => source === index);
    if (p === -1) return null;
    const reads = ({ reference }: Operand) => reference.kind === "state" && reference.index === p;
    const later = this.#program.operators.slice(index + 1);
    if (later.some((other) => (other.operator.operands as readonly Operand[]).some(reads))) return null;
    const dense = denseStrides(operator.shape);
    const isSame = ({ offset, strides }: Operand) =>
      offset === 0 && operator.shape.every((length, d) => length === 1 || strides[d] === dense[d]);
    return operator.operands.filter(reads).every(isSame) ? this.#state[p]! : null;
  }

  #buffer(bytes: number, lasting: boolean): BufferId {
    return this.#buffers.push({ bytes, lasting }) - 1;
  }
}

function largestDivisor(n: number, bound: number): number {
  for (let divisor = Math.min(n, Math.floor(bound)); divisor > 1; divisor--) if (n % divisor === 0) return divisor;
  return 1;
}

function keyOf({ kind, index }: Reference): string {
  return `${kind}${index}`;
}

/** Dimensions along which the address changes, by descending stride. */
function movingDimensions({ strides }: Operand, lengths: readonly number[]): number[] {
  return lengths
    .map((_, d) => d)
    .filter((d) => lengths[d]! > 1 && strides[d] !== 0)
    .sort((a, b) => Math.abs(strides[b]!) - Math.abs(strides[a]!) || a - b);
}

function requireRows(table: Operand, shape: readonly number[], rowStride: number, rows: number): void {
  let [lowest, highest] = [table.offset, table.offset];
  const extents = [...shape.map((length, d) => [length, table.strides[d]!] as const), [rows, rowStride] as const];
  for (const [length, stride] of extents) {
    const reach = (length - 1) * stride;
    if (reach < 0) lowest += reach;
    else highest += reach;
  }
  if (lowest < 0 || highest >= table.count) throw new UnrealisableError(`row ${rows - 1} lies outside the table`);
}

function requireFinite(words: Uint32Array, constant: number): void {
  const numbers = new Float32Array(words.buffer, words.byteOffset, words.length);
  if (!numbers.every(Number.isFinite)) {
    throw new UnrealisableError(`constant ${constant} holds a word that is not finite`);
  }
}
