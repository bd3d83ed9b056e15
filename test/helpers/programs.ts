/** Small valid programs, hand-built and random, with data, schedules and states that go with them. */

import type { Job } from "../../shared/job/job.ts";
import { Dtype, wordCount } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { along, type MapBody, ProgramBuilder, type Register, rowMajor, type Value, view } from "./builder.ts";
import { ORDERS } from "./descriptors.ts";
import { floats, ints } from "./operators.ts";
import { Random } from "./random.ts";

/** Linear regression of two targets on three inputs, batch of 4, plain gradient descent. No index, no constant. */
export function regressionProgram(): Program {
  const build = new ProgramBuilder();
  const x = build.batch("x", 4, 3, Dtype.float32, -4, 4);
  const target = build.batch("target", 4, 2, Dtype.float32, -4, 4);
  const rate = build.schedule("rate");
  const weight = build.state("weight", [3, 2]);
  const bias = build.state("bias", [2]);
  const product = build.matmul("product", x, weight);
  const rows = [along(product, 2, [0, 1]), along(bias, 2, [1]), along(target, 2, [0, 1])];
  const error = build.map("error", [4, 2], rows, (body, y, b, t) => {
    body.flush(body.do("sub", body.flush(body.do("add", y, b)), t));
  });
  const square = build.map("square", [4, 2], [along(error, 2, [0, 1])], (body, e) => {
    body.flush(body.do("mul", e, e));
  });
  const loss = build.total("loss", square);
  const weightGradient = build.matmul("weight.gradient", x, error, { aTransposed: true });
  const peak = build.peak("bias.peak", error, 1);
  const biasGradient = build.add("bias.gradient", {
    family: "sum",
    dtype: 0,
    shape: [2],
    length: 4,
    bits: 20,
    operands: [view(error, [1, 2]), view(peak, [0, 0])],
  });
  const descend = (body: MapBody, w: Register, g: Register, r: Register): void => {
    body.flush(body.do("sub", w, body.flush(body.do("mul", g, r))));
  };
  const updates = [
    [weight, weightGradient],
    [bias, biasGradient],
  ] as const;
  for (const [parameter, gradient] of updates) {
    const strides = rowMajor(parameter.shape);
    const operands = [
      view(parameter, strides),
      view(gradient, strides),
      view(
        rate,
        strides.map(() => 0),
      ),
    ];
    const next = build.map(`${build.nameOf(parameter)}.next`, parameter.shape, operands, descend);
    build.update(parameter, next);
  }
  return build.build(loss, product);
}

/** An embedding of 5 tokens pulled towards a constant by its exact gradient: Gather, SumByIndex, a constant, a fixed int32 state. */
export function embeddingProgram(): Program {
  const build = new ProgramBuilder();
  const token = build.batch("token", 6, 1, Dtype.int32, 0, 4);
  const rate = build.schedule("rate");
  const table = build.state("table", [5, 3]);
  const order = build.state("order", [6], { dtype: Dtype.int32 });
  const centre = build.constant([3], floats(0.5, -1, 2));
  const rows = build.gather("rows", table, token);
  const error = build.map(
    "error",
    [6, 3],
    [along(rows, 2, [0, 1]), along(centre, 2, [1]), along(order, 2, [0])],
    (body, row, c, weight) => {
      body.clamp(body.flush(body.do("mul", body.do("sub", row, c), weight)), 64);
    },
  );
  const square = build.map("square", [6, 3], [along(error, 2, [0, 1])], (body, e) => {
    body.flush(body.do("mul", e, e));
  });
  const loss = build.total("loss", square);
  const gradient = build.sumByIndex("gradient", error, token, 5);
  const operands = [along(table, 2, [0, 1]), along(gradient, 2, [0, 1]), view(rate, [0, 0])];
  const next = build.map("table.next", [5, 3], operands, (body, w, g, r) => {
    body.flush(body.do("sub", w, body.flush(body.do("mul", g, r))));
  });
  build.update(table, next);
  return build.build(loss);
}

/** A valid program of every family, different for each seed; its states stay bounded by 8. */
export function randomProgram(seed: number): Program {
  const random = new Random(seed);
  const build = new ProgramBuilder();
  const batch = random.between(1, 5);
  const vocabulary = random.between(2, 6);
  const order = random.pick(ORDERS);
  const x = build.batch("x", batch, random.between(1, 5), Dtype.float32, -4, 4, order);
  const token = build.batch("token", batch, 1, Dtype.int32, 0, vocabulary - 1, order);
  const rate = build.schedule("rate");
  const table = build.state("table", [vocabulary, random.between(1, 4)]);
  const frozen = build.state("frozen", [random.between(1, 70)], { dtype: random.pick([Dtype.float32, Dtype.int32]) });
  const scale = build.constant([1], floats(random.pick([0.5, 1, -0.75, 3])));
  const updates: [state: Value, source: Value][] = [];
  const rows = build.gather("rows", table, token);
  const pool: Value[] = [x, rows];
  const depth = random.between(2, 6);
  for (let n = 0; n < depth; n++) {
    const value = random.pick(pool);
    const width = value.shape[1]!;
    const name = `layer${n}`;
    switch (random.below(7)) {
      case 0: {
        const out = random.between(1, 6);
        const transposed = random.chance(0.5);
        const weight = build.state(`${name}.weight`, transposed ? [out, width] : [width, out]);
        const bits = random.pick([20, 20, 22, 13, 7, 1]);
        pool.push(build.matmul(name, value, weight, { bTransposed: transposed, bits }));
        break;
      }
      case 1: {
        const row = build.state(`${name}.row`, [width]);
        const operands = [along(value, 2, [0, 1]), along(row, 2, [1]), view(scale, [0, 0]), view(token, [1, 0])];
        pool.push(
          build.map(name, [batch, width], operands, (body, ...registers) => randomBody(random, body, registers)),
        );
        break;
      }
      case 2: {
        const peak = build.peak(`${name}.rows`, value, 0, "row");
        const operands = [along(value, 2, [0, 1]), along(peak, 2, [0])];
        pool.push(
          build.map(name, [batch, width], operands, (body, ...registers) => randomBody(random, body, registers)),
        );
        break;
      }
      case 3: {
        // Row scales: one Peak for each row of a and for each row of b, out = a · bᵀ.
        const other = random.pick(pool.filter((candidate) => candidate.shape[1] === width));
        const peakA = build.peak(`${name}.peakA`, value, 1, "row");
        const peakB = build.peak(`${name}.peakB`, other, 1, "row");
        const dot = build.add(name, {
          family: "dot",
          dtype: 0,
          shape: [batch, batch],
          length: width,
          bits: 20,
          operands: [along(value, 3, [0, 2]), along(other, 3, [1, 2]), along(peakA, 3, [0]), along(peakB, 3, [1])],
        });
        pool.push(dot);
        break;
      }
      case 4: {
        // Side by side with another one, and zeros before, between and behind.
        const other = random.pick(pool);
        const first = random.below(3);
        const second = first + width + random.below(3);
        const parts = [
          { value, start: first },
          { value: other, start: second },
        ];
        pool.push(build.join(name, parts, 1, second + other.shape[1]! + random.below(3)));
        break;
      }
      case 5: {
        const draw = build.random(`${name}.draw`, [batch, width], random.word());
        const operands = [along(value, 2, [0, 1]), along(draw, 2, [0, 1])];
        pool.push(
          build.map(name, [batch, width], operands, (body, ...registers) => randomBody(random, body, registers)),
        );
        break;
      }
      default: {
        // Batched matrices of rank 3, both states of their own.
        const [outer, inner, length] = [random.between(1, 3), random.between(1, 3), random.between(1, 9)];
        const left = build.state(`${name}.left`, [batch, outer, length]);
        const right = build.state(`${name}.right`, [batch, length, inner]);
        const peaks = [build.peak(`${name}.peakL`, left, 1), build.peak(`${name}.peakR`, right, 1)] as const;
        const dot = build.add(name, {
          family: "dot",
          dtype: 0,
          shape: [batch, outer, inner],
          length,
          bits: 20,
          operands: [
            along(left, 4, [0, 1, 3]),
            along(right, 4, [0, 3, 2]),
            view(peaks[0], [0, 0, 0, 0]),
            view(peaks[1], [0, 0, 0, 0]),
          ],
        });
        const flat = build.map(
          `${name}.flat`,
          [batch, outer * inner],
          [view(dot, [outer * inner, 1])],
          (body, value) => {
            body.clamp(value, 8);
          },
        );
        pool.push(flat);
      }
    }
  }
  const last = pool.at(-1)!;
  const bounded = build.map("bounded", last.shape, [along(last, 2, [0, 1])], (body, value) => {
    body.clamp(body.flush(value), 8);
  });
  const total = build.total("total", bounded, random.pick([20, 22, 9]));
  const loss = build.map("loss", [1], [view(total, [1])], (body, value) => {
    body.flush(body.do("abs", value));
  });
  const gradient = build.sumByIndex("gradient", bounded, token, vocabulary);
  for (let index = 0; index < build.states.length; index++) {
    const state = build.states[index]!;
    if (state.reference.index === frozen.reference.index || state.dtype === Dtype.int32 || random.chance(0.1)) continue;
    const strides = rowMajor(state.shape);
    const none = strides.map(() => 0);
    // The table follows its exact gradient where the widths agree, every other state the loss.
    const exact = index === table.reference.index && gradient.shape[1] === state.shape[1];
    const pull = exact ? view(gradient, strides) : view(loss, none);
    const operands = [view(state, strides), pull, view(rate, none)];
    const next = build.map(`next${index}`, state.shape, operands, (body, w, g, r) => {
      const kept = body.flush(body.do("mul", w, body.immediate(0.875)));
      body.clamp(body.flush(body.do("add", kept, body.flush(body.do("mul", g, r)))), 8);
    });
    updates.push([state, next]);
  }
  for (const [state, source] of updates) build.update(state, source);
  return build.build(loss, random.chance(0.5) ? last : null);
}

/** A few random instructions in which nothing can overflow, ending in a value of magnitude at most 8. */
function randomBody(random: Random, body: MapBody, operands: readonly Register[]): void {
  const values = [...operands];
  const any = (): Register => random.pick(values);
  const length = random.between(1, 5);
  for (let n = 0; n < length; n++) {
    const [a, b] = [any(), any()];
    const small = body.immediate(random.pick([0.5, -0.25, 1.5, 1, -2]));
    switch (random.below(9)) {
      case 0:
        values.push(body.flush(body.do("add", a, b)));
        break;
      case 1:
        values.push(body.flush(body.do("sub", a, b)));
        break;
      case 2:
        values.push(body.flush(body.do("mul", a, random.chance(0.5) ? small : b)));
        break;
      case 3: {
        const divisor = body.do("max", body.do("abs", b), body.immediate(0.5));
        values.push(body.flush(body.do("div", a, divisor)));
        break;
      }
      case 4:
        values.push(body.do("sqrt", body.do("add", body.do("mul", a, a), body.immediate(1))));
        break;
      case 5:
        values.push(body.do(random.pick(["max", "min"]), a, random.chance(0.5) ? b : small));
        break;
      case 6:
        values.push(body.do("select", body.do(random.pick(["less", "equal"]), a, b), a, small));
        break;
      case 7:
        values.push(body.do(random.pick(["abs", "neg"]), a));
        break;
      default:
        values.push(body.do("select", a, b, small));
    }
    values.push(body.clamp(values.pop()!, 64));
  }
  body.clamp(values.at(-1)!, 8);
}

/** A flushed float32 number of magnitude at most `bound`, now and then zero or a bound itself. */
function ordinary(random: Random, minimum: number, maximum: number): number {
  if (random.chance(0.1)) return Math.min(Math.max(0, minimum), maximum);
  if (random.chance(0.05)) return random.pick([minimum, maximum]);
  return Math.fround(minimum + random.unit() * (maximum - minimum));
}

/** A state of the program's shapes: float32 within ±2, int32 within 0 … 9. */
export function exampleState(program: Program, seed: number): Tensor[] {
  const random = new Random(seed ^ 0x5eed);
  return program.state.map(({ dtype, shape }) => {
    const word = (): number => (dtype === Dtype.int32 ? ints(random.below(10)) : floats(ordinary(random, -2, 2)))[0]!;
    const words = Uint32Array.from({ length: wordCount(shape) }, word);
    return { dtype, shape, words };
  });
}

/** A job for a program: samples within the fields' bounds, a schedule of rates below 0.1. */
export function exampleJob(
  program: Program,
  seed: number,
  options: { readonly samples?: number; readonly steps?: number; readonly interval?: number } = {},
): Job {
  const random = new Random(seed ^ 0xda7a);
  const { samples: count = 7, steps = 5, interval = 2 } = options;
  const { words: width, fields } = program.sample;
  const samples = new Uint32Array(count * width);
  for (let row = 0; row < count; row++)
    for (const field of fields)
      for (let at = 0; at < field.width; at++) {
        const { dtype, offset, minimum, maximum } = field;
        const value =
          dtype === Dtype.int32 ? ints(random.between(minimum, maximum)) : floats(ordinary(random, minimum, maximum));
        samples[row * width + offset + at] = value[0]!;
      }
  const table = Array.from({ length: steps * program.scheduleColumns.length }, () =>
    ordinary(random, 0.0078125, 0.09375),
  );
  return {
    program,
    samples,
    schedule: floats(...table),
    seed: (BigInt(seed) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn,
    steps,
    interval,
  };
}
