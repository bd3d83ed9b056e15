import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../../shared/job/job.ts";
import { MalformedProgramError, type Rule } from "../../shared/job/validate/finding.ts";
import { JobInputsError } from "../../shared/job/validate/inputs.ts";
import { requireWellFormed, requireWellFormedJob, validate } from "../../shared/job/validate.ts";
import type { Operand, Operator } from "../../shared/program/descriptor.ts";
import type { Program, SampleField, StateTensor, Tensor } from "../../shared/program/program.ts";
import { ProgramBuilder, type Value, view } from "../helpers/builder.ts";
import { floats, ints } from "../helpers/operators.ts";
import { embeddingProgram, exampleJob, exampleState, randomProgram, regressionProgram } from "../helpers/programs.ts";

test("hand-built and random programs, with their jobs, are well-formed", () => {
  const programs = [
    regressionProgram(),
    embeddingProgram(),
    ...Array.from({ length: 200 }, (_, n) => randomProgram(n)),
  ];
  for (const [seed, program] of programs.entries()) {
    assert.deepEqual(validate(program), [], `${seed}`);
    requireWellFormedJob(exampleJob(program, seed), exampleState(program, seed));
  }
});

const regression = regressionProgram();
const embedding = embeddingProgram();

/** The program with one operator changed. */
function changed(program: Program, name: string, change: object): Program {
  assert.ok(
    program.operators.some((each) => each.name === name),
    name,
  );
  const operators = program.operators.map((each) =>
    each.name === name ? { name, operator: { ...each.operator, ...change } as Operator } : each,
  );
  return { ...program, operators };
}

function operatorOf(program: Program, name: string): Operator {
  return program.operators.find((each) => each.name === name)!.operator;
}

/** The program with one operand of one operator changed. */
function bent(program: Program, name: string, position: number, change: Partial<Operand>): Program {
  const { operands } = operatorOf(program, name);
  const next = operands.map((operand, at) => (at === position ? { ...operand, ...change } : operand));
  return changed(program, name, { operands: next });
}

function refuses(rule: Rule, message: RegExp, program: Program): void {
  const findings = validate(program);
  assert.ok(
    findings.some((finding) => finding.rule === rule && message.test(finding.message)),
    `rule ${rule}, ${message}: ${JSON.stringify(findings)}`,
  );
  assert.throws(() => requireWellFormed(program), MalformedProgramError);
}

test("rule 1: references, counts, registers, dtypes, shapes and the program's own parts", () => {
  const later = { reference: { kind: "operator", index: regression.operators.length - 1 } } as const;
  refuses(1, /which is not there/, bent(regression, "error", 0, later));
  refuses(1, /which is not there/, bent(regression, "error", 1, { reference: { kind: "state", index: 9 } }));
  refuses(1, /which is not there/, bent(regression, "error", 1, { reference: { kind: "constant", index: 0 } }));
  refuses(1, /another dtype or size/, bent(regression, "error", 1, { count: 3 }));
  refuses(1, /another dtype or size/, bent(regression, "error", 1, { dtype: 1 }));
  refuses(1, /wrong dtype/, bent(embedding, "rows", 1, { dtype: 0 }));
  refuses(1, /wrong dtype/, changed(embedding, "rows", { dtype: 1 }));
  refuses(1, /rank 7/, changed(regression, "error", { shape: [1, 1, 1, 1, 1, 4, 2] }));
  refuses(1, /shape \[0,2\]/, changed(regression, "error", { shape: [0, 2] }));
  refuses(
    1,
    /with 9 operands/,
    changed(regression, "error", { operands: new Array(9).fill(operatorOf(regression, "error").operands[0]) }),
  );
  const { instructions } = operatorOf(regression, "error") as Operator & { family: "map" };
  refuses(1, /names register 200/, changed(regression, "error", { instructions: [[1, 200, 0, 0], ...instructions] }));
  refuses(1, /names register 4/, changed(regression, "error", { instructions: [[1, 0, 4, 0]] }));
  refuses(1, /names register 1/, changed(regression, "error", { instructions: [[6, 0, 1, 0]] }));
  refuses(1, /unknown opcode 13/, changed(regression, "error", { instructions: [[13, 0, 0, 0]] }));
  refuses(1, /no rows/, changed(embedding, "rows", { rows: 0 }));
  refuses(1, /instead of \[1\]/, changed(regression, "rate", { shape: [2] }));
  refuses(1, /several operators/, {
    ...regression,
    operators: regression.operators.map(({ operator }) => ({ name: "same", operator })),
  });
  refuses(1, /no state/, { ...embedding, operators: [], state: [] });
  refuses(1, /the loss/, { ...regression, loss: 99 });
  refuses(1, /the loss/, { ...regression, loss: regression.logits! });
  refuses(1, /the logits/, { ...embedding, logits: 0 });
  const state = (change: Partial<StateTensor>): Program => ({
    ...regression,
    state: regression.state.map((tensor, at) => (at === 1 ? { ...tensor, ...change } : tensor)),
  });
  refuses(1, /its source/, state({ source: 0 }));
  refuses(1, /its source/, state({ source: 99 }));
  refuses(1, /without words/, state({ shape: [0] }));
  const constant = (change: Partial<Tensor>): Program => ({
    ...embedding,
    constants: [{ ...embedding.constants[0]!, ...change }],
  });
  refuses(1, /for the shape/, constant({ words: floats(1, 2) }));
  refuses(4, /not a flushed/, constant({ words: floats(1, 2, Number.NaN) }));
  refuses(4, /not a flushed/, constant({ words: floats(1, -0, 2) }));
  refuses(4, /not a flushed/, constant({ words: floats(1, 1e-39, 2) }));
  refuses(4, /at most 2\^20/, constant({ words: floats(1, 2, 2 ** 21) }));
  const field = (change: Partial<SampleField>): Program => ({
    ...regression,
    sample: { ...regression.sample, fields: regression.sample.fields.map((each) => ({ ...each, ...change })) },
  });
  refuses(1, /ends after the sample/, field({ width: 6 }));
  refuses(4, /no bounds/, field({ minimum: 1, maximum: 0 }));
  refuses(4, /no bounds/, field({ maximum: 2 ** 21 }));
  refuses(4, /no bounds/, field({ minimum: Number.NaN }));
});

/** Two states beside each other behind a zero, and a loss of the result. */
function joinedProgram(): Program {
  const build = new ProgramBuilder();
  const [a, b] = [build.state("a", [2, 3]), build.state("b", [2, 4])];
  const parts = [
    { value: a, start: 1 },
    { value: b, start: 4 },
  ];
  return build.build(build.total("loss", build.join("join", parts, 1, 9)));
}

test("rules 1 and 2: joins whose parts do not fit", () => {
  const joined = joinedProgram();
  assert.deepEqual(validate(joined), []);
  const ranges = (...places: [start: number, extent: number][]): Program =>
    changed(joined, "join", { ranges: places.map(([start, extent]) => ({ start, extent })) });
  refuses(1, /operand 1 begins before the end/, ranges([1, 3], [3, 4]));
  refuses(1, /operand 1 begins before the end/, ranges([5, 3], [0, 4]));
  refuses(1, /operand 1 ends past the dimension/, ranges([1, 3], [6, 4]));
  refuses(1, /operand 0 has no extent/, ranges([1, 0], [4, 4]));
  refuses(1, /other ranges/, ranges([1, 3]));
  refuses(1, /along dimension 2/, changed(joined, "join", { axis: 2 }));
  refuses(1, /wrong dtype/, changed(joined, "join", { dtype: 1 }));
  // A range that is too long for its operand, and one whose row is.
  refuses(
    2,
    /operand 0 is read outside/,
    changed(joined, "join", {
      ranges: [
        { start: 0, extent: 4 },
        { start: 4, extent: 4 },
      ],
    }),
  );
  refuses(2, /operand 0 is read outside/, bent(joined, "join", 0, { strides: [4, 1] }));
  refuses(5, /negative stride/, bent(joined, "join", 0, { offset: 5, strides: [-3, 1] }));
});

test("a join may be zero where it has a gap, a random number is below 1", () => {
  const divided = (write: (build: ProgramBuilder) => Value): Program => {
    const build = new ProgramBuilder();
    build.state("held", [1]);
    const divisor = write(build);
    const operands = [view(divisor, [1])];
    const quotient = build.map("quotient", divisor.shape, operands, (body, x) => {
      body.flush(body.do("div", body.immediate(1), x));
    });
    return build.build(build.total("loss", quotient));
  };
  const positive = (build: ProgramBuilder): Value =>
    build.map("positive", [3], [view(build.random("draw", [3], 1), [1])], (body, r) => {
      body.do("sub", body.immediate(1), r);
    });
  assert.deepEqual(validate(divided(positive)), []);
  refuses(
    4,
    /divide|zero/,
    divided((build) => build.random("draw", [3], 1)),
  );
  const beside = (extent: number) => (build: ProgramBuilder) =>
    build.join("join", [{ value: positive(build), start: 0 }], 0, extent);
  assert.deepEqual(validate(divided(beside(3))), []);
  refuses(4, /divide|zero/, divided(beside(4)));
});

test("rule 2: addresses outside", () => {
  refuses(2, /outside its 8 words/, bent(regression, "square", 0, { offset: 1 }));
  refuses(2, /outside its 8 words/, bent(regression, "square", 0, { strides: [2, 2] }));
  refuses(2, /outside its 8 words/, bent(regression, "square", 0, { strides: [-2, 1] }));
  refuses(2, /outside its 12 words/, changed(regression, "product", { length: 4 }));
  refuses(2, /row 5/, changed(embedding, "rows", { rows: 6 }));
  refuses(2, /outside the table/, changed(embedding, "rows", { rowStride: 4 }));
  // Beyond 2^31 rows engines would differ on whether a negative index is inside.
  refuses(2, /more than an index can name/, changed(embedding, "rows", { rowStride: 0, rows: 2 ** 31 }));
  assert.deepEqual(validate(changed(embedding, "rows", { rowStride: 0, rows: 2 ** 31 - 1 })), []);
  refuses(2, /in no field/, changed(regression, "target", { offset: 4 }));
  refuses(2, /in no field/, changed(embedding, "token", { dtype: 0 }));
  refuses(2, /past the schedule/, changed(regression, "rate", { column: 1 }));
});

test("rule 3: a copy is bounded by a peak of the whole of its original, by no other", () => {
  /** A Sum over words that are gathered, then copied by a Map; `change` is what the Map does to them. */
  const copies = (peakWords: number, change: "copy" | "double", of: "original" | "other"): Program => {
    const build = new ProgramBuilder();
    const x = build.batch("x", 2, 6, 0, -8, 8);
    const other = build.batch("other", 2, 6, 0, -8, 8);
    const table = build.constant([3], ints(5, -1, 11), 1);
    const row = [view(x, [0]), view(table, [1])] as const;
    const gathered = build.add("rows", {
      family: "gather",
      dtype: 0,
      shape: [3],
      rowStride: 1,
      rows: 12,
      operands: row,
    });
    const copied = build.map("copied", [3], [view(gathered, [1])], (body, word) => {
      if (change === "double") body.do("add", word, word);
    });
    const peak = build.add("peak", {
      family: "peak",
      dtype: 0,
      shape: [1],
      length: peakWords,
      mode: 1,
      operands: [view(of === "original" ? x : other, [0, 1])],
    });
    const operands = [view(copied, [0, 1]), view(peak, [0, 0])] as const;
    const total = build.add("total", { family: "sum", dtype: 0, shape: [1], length: 3, bits: 20, operands });
    build.state("held", [1]);
    return build.build(total);
  };
  assert.deepEqual(validate(copies(12, "copy", "original")), []);
  assert.deepEqual(validate(copiedOften(20_000)), []);
  refuses(3, /whole of what its data is a copy of/, copies(11, "copy", "original"));
  refuses(3, /instead of what it bounds/, copies(12, "copy", "other"));
  refuses(3, /instead of what it bounds/, copies(12, "double", "original"));
});

test("rule 3: exactness and peaks", () => {
  refuses(3, /3 products of 22 bits|exceed 2\^53/, changed(long(2 ** 14), "dot", {}));
  assert.deepEqual(validate(long(2 ** 13)), []);
  const peakOf = (name: string) => regression.operators.findIndex((each) => each.name === name);
  const other = { reference: { kind: "operator", index: peakOf("product.peakB") } } as const;
  refuses(3, /measures state 0 instead/, bent(regression, "product", 2, other));
  refuses(
    3,
    /not the output of a Peak/,
    bent(regression, "product", 2, { reference: { kind: "operator", index: peakOf("rate") } }),
  );
  refuses(3, /not the output of a Peak/, changed(regression, "product.peakA", { mode: 0 }));
  refuses(3, /does not measure every word/, changed(regression, "product.peakA", { length: 11 }));
  refuses(3, /depends on k/, bent(regression, "product", 2, { strides: [0, 0, 1] }));
  assert.deepEqual(validate(constantPeak(8)), []);
  refuses(3, /does not bound/, constantPeak(2));
  refuses(3, /no power of two/, constantPeak(6));
  refuses(3, /no power of two/, constantPeak(2 ** -41));
  refuses(4, /at most 2\^20/, constantPeak(2 ** 21));
});

/** A Dot of two states over a long axis. */
function long(length: number): Program {
  const build = new ProgramBuilder();
  const [a, b] = [build.state("a", [length]), build.state("b", [length])];
  const peaks = [build.peak("peakA", a, 1), build.peak("peakB", b, 1)] as const;
  const operands = [view(a, [0, 1]), view(b, [0, 1]), view(peaks[0], [0, 0]), view(peaks[1], [0, 0])] as const;
  return build.build(build.add("dot", { family: "dot", dtype: 0, shape: [1], length, bits: 20, operands }));
}

/** A Sum over the last of many copies, one of the other, under the peak of the original. */
function copiedOften(times: number): Program {
  const build = new ProgramBuilder();
  const x = build.batch("x", 2, 6, 0, -8, 8);
  const peak = build.peak("peak", x, 1);
  let copy = x;
  for (let n = 0; n < times; n++) copy = build.map(`copy${n}`, [2, 6], [view(copy, [6, 1])], () => {});
  const operands = [view(copy, [0, 1]), view(peak, [0, 0])] as const;
  build.state("held", [1]);
  return build.build(build.add("total", { family: "sum", dtype: 0, shape: [1], length: 12, bits: 20, operands }));
}

/** A Sum of numbers within ±4 under a constant peak. */
function constantPeak(peak: number): Program {
  const build = new ProgramBuilder();
  build.state("unused", [1]);
  const x = build.batch("x", 4, 3, 0, -4, 4);
  const bound = build.constant([1], floats(peak));
  const operands = [view(x, [0, 1]), view(bound, [0, 0])] as const;
  return build.build(build.add("sum", { family: "sum", dtype: 0, shape: [1], length: 12, bits: 20, operands }));
}

/** A Map of two states and a rate; the output replaces nothing. */
function mapProgram(write: Parameters<ProgramBuilder["map"]>[3]): Program {
  const build = new ProgramBuilder();
  const [a, b] = [build.state("a", [4]), build.state("b", [4])];
  const rate = build.schedule("rate");
  const map = build.map("map", [4], [view(a, [1]), view(b, [1]), view(rate, [0])], write);
  return build.build(
    build.total(
      "loss",
      build.map("bounded", [4], [view(map, [1])], (body, x) => void body.clamp(x, 8)),
    ),
  );
}

test("rule 4: overflow, division, roots, subnormals, state that is not flushed", () => {
  refuses(
    4,
    /divides/,
    mapProgram((body, a, b) => void body.flush(body.do("div", a, b))),
  );
  refuses(
    4,
    /root/,
    mapProgram((body, a) => void body.do("sqrt", a)),
  );
  refuses(
    4,
    /subnormal/,
    mapProgram((body, a, b) => void body.do("mul", a, b)),
  );
  refuses(
    4,
    /subnormal/,
    mapProgram((body, a, b) => void body.do("less", body.do("mul", a, b), a)),
  );
  refuses(
    4,
    /overflow/,
    mapProgram((body, a) => {
      let x = body.do("max", a, body.immediate(1));
      for (let n = 0; n < 3; n++) x = body.do("mul", x, x);
      body.flush(x);
    }),
  );
  assert.deepEqual(validate(mapProgram((body, a, b) => void body.flush(body.do("mul", a, b)))), []);
  const { operands, immediates } = operatorOf(regression, "square") as Operator & { family: "map" };
  for (const word of [0x80000000, 0x00000001, 0x7fc00000, 0x7f800000])
    refuses(4, /immediate 1/, changed(regression, "square", { operands, immediates: [...immediates, word] }));
  const build = new ProgramBuilder();
  const w = build.state("w", [2]);
  const half = build.map("half", [2], [view(w, [1])], (body, x) => void body.do("mul", x, body.immediate(0.3)));
  build.update(w, half);
  refuses(4, /not flushed/, build.build(build.total("loss", half)));
});

test("rule 4: the schedule's bounds count where they are given", () => {
  const program = mapProgram((body, a, _, rate) => void body.flush(body.do("div", a, rate)));
  refuses(4, /divides/, program);
  assert.deepEqual(validate(program, { schedule: [{ minimum: 0.5, maximum: 1 }] }), []);
});

test("rule 5: views that no engine needs", () => {
  refuses(5, /negative stride/, bent(regression, "square", 0, { offset: 6, strides: [-2, 1] }));
  refuses(5, /the dimension that the index selects/, bent(embedding, "gradient", 0, { strides: [1, 1, 2] }));
});

test("what the guard bounds may be used as bounded, what it does not measure may not", () => {
  const program = (measured: boolean): Program => {
    const build = new ProgramBuilder();
    const [a, b] = [build.state("a", [4]), build.state("b", [4])];
    const power = (name: string, x: Parameters<typeof view>[0]) =>
      build.map(name, [4], [view(x, [1]), view(b, [1])], (body, v, w) => {
        let y = body.flush(body.do("mul", v, w));
        for (let n = 0; n < 2; n++) y = body.flush(body.do("mul", y, w));
        body.flush(y);
      });
    const large = power("large", a); // up to 2^80
    if (measured) build.peak("measure", large, 0);
    const larger = power("larger", large); // up to 2^80 again, or 2^140
    return build.build(
      build.total(
        "loss",
        build.map("bounded", [4], [view(larger, [1])], (body, x) => void body.clamp(x, 8)),
      ),
    );
  };
  assert.deepEqual(validate(program(true)), []);
  refuses(4, /larger: .*overflow/, program(false));
});

test("one fault is reported once, and all faults are reported", () => {
  const two = bent(bent(regression, "square", 0, { offset: 1 }), "error", 1, { count: 3 });
  assert.deepEqual(
    validate(two).map(({ rule }) => rule),
    [1, 2],
  );
});

test("jobs whose data is not what the program declares are refused", () => {
  const job = exampleJob(regression, 1);
  const state = exampleState(regression, 1);
  const refused = (change: Partial<Job>, initial: readonly Tensor[] = state): void =>
    assert.throws(() => requireWellFormedJob({ ...job, ...change }, initial), JobInputsError);
  const word = (words: Uint32Array, value: number): Uint32Array => words.with(2, floats(value)[0]!);
  for (const value of [5, -4.5, Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-40])
    refused({ samples: word(job.samples, value) });
  for (const value of [2 ** 21, Number.NaN, -0, 1e-40]) refused({ schedule: word(job.schedule, value) });
  const [weight, bias] = state as [Tensor, Tensor];
  for (const value of [-(2 ** 21), Number.NaN, -0, 1e-40])
    refused({}, [{ ...weight, words: word(weight.words, value) }, bias]);
  refused({}, [weight]);
  refused({}, [bias, weight]);
  const tokens = exampleJob(embedding, 1);
  assert.throws(
    () => requireWellFormedJob({ ...tokens, samples: tokens.samples.with(0, 5) }, exampleState(embedding, 1)),
    JobInputsError,
  );
});
