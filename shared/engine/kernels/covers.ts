/**
 * A Dot with a Gather of covers, the gradient of a convolution, by moving products instead of numbers (`realise/spread.ts` says when that
 * pays and why it is exact): the Gather's table is multiplied as it lies, and what belongs to a place is added where the index says.
 */
import { type DotOperator, Dtype, type GatherOperator, type Operand, wordCount } from "../../program/descriptor.ts";
import type { Program } from "../../program/program.ts";
import { isCovers, SPREAD_GAIN } from "../realise/spread.ts";
import { Code, type Local, Op } from "./assembler.ts";
import type { Kernel } from "./elementwise.ts";
import { advance, greatestLane, LANES, magnitudeBits, nest, storeVector, type Walk } from "./loops.ts";

/** out[c, place, n] = Σ_{o, tap} a[c, (o, tap)] · table[o, index[tap, place], n], the channels c and o in as many groups. */
export interface Covers {
  readonly gather: GatherOperator;
  readonly table: Operand;
  readonly index: Operand;
  readonly groups: number;
  /** Of the output, in a group. */
  readonly channels: number;
  /** Channels of the table, in a group. */
  readonly inputs: number;
  readonly taps: number;
  readonly places: number;
  /** Rows of the table. */
  readonly rows: number;
  readonly batch: number;
}

/** null where the Dot is no such product, or copying its covers costs less. */
export function coversOf(program: Program, { shape, length, operands }: DotOperator): Covers | null {
  const [, b, , peakB] = operands;
  if (b.reference.kind !== "operator" || peakB.strides.some((stride) => stride !== 0)) return null;
  const gather = program.operators[b.reference.index]?.operator;
  if (gather?.family !== "gather" || gather.dtype !== Dtype.float32 || !isCovers(gather, b, shape, length)) return null;
  const [table, index] = gather.operands;
  const groups = shape.length === 3 ? shape[0]! : 1;
  const channels = shape.at(-2)!;
  const [all, down, right, height, width, batch] = gather.shape as [number, number, number, number, number, number];
  const [taps, places] = [down * right, height * width];
  if (all * places < SPREAD_GAIN * groups * channels * gather.rows) return null;
  return { gather, table, index, groups, channels, inputs: all / groups, taps, places, rows: gather.rows, batch };
}

/** Gathers that nobody reads but Dots of their covers: only traces need them. */
export function unreadCovers(program: Program): ReadonlySet<number> {
  const found = new Set<number>();
  const read = new Set<number>([
    program.loss,
    ...program.state.flatMap(({ source }) => (source === null ? [] : [source])),
  ]);
  for (const { operator } of program.operators) {
    const isSpread = operator.family === "dot" && coversOf(program, operator) !== null;
    for (const [at, { reference }] of (operator.operands as readonly Operand[]).entries()) {
      if (reference.kind === "operator") (isSpread && at === 1 ? found : read).add(reference.index);
    }
  }
  return new Set([...found].filter((index) => !read.has(index)));
}

/** Vectors of sums that are under way at a time. */
const VECTORS = 4;

/**
 * Parameters: start, end, output [groups · channels, places, batch], products as float64 [groups · channels, taps, rows, batch], index
 * [taps, places]. Returns the greatest magnitude of what it gave, as bits.
 */
export function spreadKernel({
  groups,
  channels,
  taps,
  places,
  rows,
  batch,
}: Omit<Covers, "gather" | "table" | "index">): Kernel {
  const code = new Code(5);
  const range = { start: code.parameter(0), end: code.parameter(1) };
  const lengths = [groups * channels, places];
  const walks: Walk[] = [
    { type: "float32", strides: [places * batch, batch] },
    { type: "float64", strides: [taps * rows * batch, 0] },
    { type: "int32", strides: [0, 1] },
  ];
  const pointers = walks.map((_, w) => code.parameter(2 + w));
  const greatest = code.local("v128");
  nest(code, lengths, walks, pointers, range, ([out, products, index]) => {
    const [to, from] = [code.local("i32"), code.local("i32")];
    code.get(out!).set(to).get(products!).set(from);
    const block = (vectors: number, lanes: number): void => {
      const sums = Array.from({ length: 2 * vectors }, () => code.local("v128"));
      for (const sum of sums) code.splat(0).set(sum);
      const [entry, tap, row, left] = [code.local("i32"), code.local("i32"), code.local("i32"), code.local("i32")];
      code.get(index!).set(entry).get(from).set(tap).i32(taps).set(left);
      code.repeat(() => {
        code.get(entry).memory("i32load").tee(row).i32(rows).op(Op.i32ltU);
        code.when(() => {
          code
            .get(row)
            .i32(batch * 8)
            .op(Op.i32mul)
            .get(tap)
            .op(Op.i32add)
            .set(row);
          for (const [at, sum] of sums.entries()) {
            code
              .get(row)
              .memory("v128load", at * 16)
              .get(sum)
              .op(Op.f64x2add)
              .set(sum);
          }
        });
        advance(code, entry, places * 4);
        advance(code, tap, rows * batch * 8);
        code.get(left).i32(1).op(Op.i32sub).tee(left);
      });
      for (let v = 0; v < vectors; v++) {
        const result = code.local("v128");
        for (const sum of sums.slice(2 * v, 2 * v + 2) as [Local, Local]) code.get(sum).op(Op.demoteLow);
        code.joinLow().set(result);
        magnitudeBits(code, result, lanes);
        code.get(greatest).op(Op.i32x4maxU).set(greatest);
        storeVector(code, "float32", to, result, lanes);
        if (lanes === LANES) advance(code, to, LANES * 4);
      }
      advance(code, from, vectors * LANES * 8);
    };
    const rest = batch % LANES;
    for (const [vectors, count] of [
      [VECTORS, Math.floor(batch / (VECTORS * LANES))],
      [1, Math.floor(batch / LANES) % VECTORS],
    ] as const) {
      if (count === 0) continue;
      const left = code.local("i32");
      code.i32(count).set(left);
      code.repeat(() => {
        block(vectors, LANES);
        code.get(left).i32(1).op(Op.i32sub).tee(left);
      });
    }
    if (rest > 0) block(1, rest);
  });
  greatestLane(code, greatest);
  return { code, extent: { length: lengths[0]!, unit: 1, inner: places * batch * taps } };
}

/** Words of all products. */
export function productWords({ groups, channels, taps, rows, batch }: Covers): number {
  return wordCount([groups, channels, taps, rows, batch]);
}
