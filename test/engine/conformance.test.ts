import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertConforming,
  checkConformance,
  NonConformingEngineError,
  type TestedEngine,
} from "../../shared/engine/conformance/conformance.ts";
import { expectedTrace } from "../../shared/engine/conformance/expected.ts";
import { conformanceProgram, guardProgram } from "../../shared/engine/conformance/program.ts";
import { onnxRuntimeConformance, startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { MapOpcode } from "../../shared/program/descriptor.ts";
import type { NamedOperator, Program, Tensor } from "../../shared/program/program.ts";
import { traceByElements } from "../helpers/elements.ts";
import { regressionProgram } from "../helpers/programs.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";

const check = (open: (program: Program) => TestedEngine) =>
  checkConformance(
    async (program) => open(program),
    async () => undefined,
  );

const reference = (program: Program) => new ReferenceEngine(program);

test("onnxruntime-node passes on 1, 2 and 4 threads, and the engine carries the report", async () => {
  for (const threads of [1, 2, 4]) {
    const report = await onnxRuntimeConformance({ threads });
    assert.deepEqual(
      report.checks.filter((entry) => !entry.equal),
      [],
    );
    assert.ok(report.usable);
  }
  const engine = await startOnnxRuntime(regressionProgram());
  assert.equal(engine.conformance?.usable, true);
  assert.equal(engine.conformance.engine, engine.name);
  await engine.close();
});

test("every family and every Map instruction is tried", async () => {
  const { program, subjects } = conformanceProgram();
  const families = new Set<string>();
  const opcodes = new Set<number>();
  for (const [index, { operator }] of program.operators.entries()) {
    if (subjects[index] === null) continue;
    families.add(operator.family);
    if (operator.family === "map") for (const [opcode] of operator.instructions) opcodes.add(opcode);
  }
  assert.deepEqual([...families].sort(), ["dot", "gather", "join", "map", "peak", "sum", "sumByIndex"]);
  assert.deepEqual(
    [...opcodes].sort((a, b) => a - b),
    Object.values(MapOpcode),
  );
});

test("programs with as many operators, and other states of one program, have expectations of their own", async () => {
  const { program, inputs } = guardProgram();
  const [{ operator }] = program.operators as [NamedOperator];
  assert.ok(operator.family === "map");
  const changed = { ...operator, immediates: operator.immediates.map((word) => (word ^ 0x80000000) >>> 0) };
  const other = { ...program, operators: program.operators.with(0, { name: "other", operator: changed }) };
  const [tensor, ...rest] = inputs.state as [Tensor, ...Tensor[]];
  const moved = { ...inputs, state: [{ ...tensor, words: tensor.words.map(() => 0x3f000000) }, ...rest] };
  for (const [what, given] of [
    [program, inputs],
    [other, inputs],
    [program, moved],
  ] as const)
    assert.deepEqual(await expectedTrace(what, given), await reference(what).trace(given));
  assert.equal(expectedTrace(program, inputs), expectedTrace(guardProgram().program, guardProgram().inputs));
});

test("what the engine is compared with is the element rule", async () => {
  for (const { program, inputs } of [conformanceProgram(), guardProgram()]) {
    const trace = await reference(program).trace(inputs);
    const job = { program, samples: new Uint32Array(0), schedule: new Uint32Array(0), seed: 0n, steps: 1, interval: 1 };
    const expected = traceByElements(job, 0, inputs.state);
    assert.deepEqual(
      trace.outputs.map(({ words }) => words),
      expected.map(({ words }) => words),
    );
  }
});

test("an engine that lies in one word of one operator is refused, and the operator is named", async () => {
  const { subjects, program: words, inputs: wordInputs } = conformanceProgram();
  const honest = await reference(words).trace(wordInputs);
  for (const [index, subject] of subjects.entries()) {
    if (subject === null || (!DEEP && index % 3 !== 0)) continue;
    const lying = (program: Program): TestedEngine => ({
      name: "liar",
      steps: (request) => reference(program).steps(request),
      step: async (inputs) => (program.operators.length > 2 ? honest : reference(program).step(inputs)),
      trace: async () => {
        const trace = honest;
        const outputs = [...trace.outputs];
        const { words } = outputs[index]!;
        // The last normal word: a subnormal one may be flushed.
        const at = words.findLastIndex((word) => (word & 0x7f800000) !== 0);
        outputs[index] = { ...outputs[index]!, words: words.with(at, words[at]! ^ 1) };
        return { ...trace, outputs };
      },
    });
    const report = await check(lying);
    assert.equal(report.usable, false);
    assert.deepEqual(
      report.checks.filter((entry) => !entry.equal),
      [{ operator: subject.operator, realisation: subject.realisation, equal: false }],
    );
    assert.throws(
      () => assertConforming(report),
      (error) =>
        error instanceof NonConformingEngineError &&
        error.message.includes(`${subject.operator} (${subject.realisation})`),
    );
  }
});

test("an engine whose plain step differs from its trace is refused", async () => {
  const report = await check((program) => ({
    name: "two-faced",
    steps: (request) => reference(program).steps(request),
    trace: (inputs) => reference(program).trace(inputs),
    step: async (inputs) => {
      const result = await reference(program).step(inputs);
      const [first, ...rest] = [...result.state].reverse();
      return { ...result, state: [{ ...first!, words: first!.words.map((word) => word ^ 2) }, ...rest].reverse() };
    },
  }));
  assert.throws(() => assertConforming(report), NonConformingEngineError);
});

test("an engine that swallows NaN in its guard is refused", async () => {
  const report = await check((program) => ({
    name: "swallower",
    steps: (request) => reference(program).steps(request),
    trace: (inputs) => reference(program).trace(inputs),
    step: async (inputs) => {
      const result = await reference(program).step(inputs);
      return result.guard === Number.POSITIVE_INFINITY ? { ...result, guard: 1 } : result;
    },
  }));
  const failed = report.checks.filter((entry) => !entry.equal).map(({ operator }) => operator);
  assert.deepEqual(failed, ["Guard", "Guard", "Guard"]);
});

test("an engine that starts every step from the first state is refused", async () => {
  const report = await check((program) => ({
    name: "forgetful",
    trace: (inputs) => reference(program).trace(inputs),
    step: (inputs) => reference(program).step(inputs),
    steps: (request) => reference(program).steps({ ...request, count: 1 }),
  }));
  assert.deepEqual(
    report.checks.filter((entry) => !entry.equal),
    [{ operator: "Step", realisation: "consecutive steps", equal: false }],
  );
});

test("subnormal results taken for zero are accepted, other wrong results are not", async () => {
  const changing = (change: (word: number) => number) => (program: Program) => {
    const { subjects } = conformanceProgram();
    const isFaint = (index: number | null) => index !== null && program.operators.length > 1 && subjects[index]?.faint;
    return {
      name: "flushing",
      steps: (request) => reference(program).steps(request),
      trace: async (inputs) => {
        const trace = await reference(program).trace(inputs);
        const outputs = trace.outputs.map((tensor, n) =>
          isFaint(n) ? { ...tensor, words: tensor.words.map(change) } : tensor,
        );
        return { ...trace, outputs };
      },
      step: async (inputs) => {
        const result = await reference(program).step(inputs);
        const state = result.state.map((tensor, p) =>
          isFaint(program.state[p]!.source) ? { ...tensor, words: tensor.words.map(change) } : tensor,
        );
        return { ...result, state };
      },
    } satisfies TestedEngine;
  };
  assert.ok((await check(changing((word) => ((word & 0x7f800000) === 0 ? 0 : word)))).usable);
  assert.ok(!(await check(changing((word) => ((word & 0x7f800000) === 0 ? 1 : word)))).usable);
  assert.ok(!(await check(changing(() => 0))).usable);
});
