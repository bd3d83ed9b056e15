import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { StepReport } from "../../shared/engine/engine.ts";
import { EngineClosedError, InvalidStateError, InvalidStepError } from "../../shared/engine/errors.ts";
import type { Form } from "../../shared/engine/hostedEngine.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { ReferenceEngine, StepInputsError } from "../../shared/engine/reference.ts";
import { sourceOutputs, stepInputs } from "../../shared/job/job.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { floats } from "../helpers/operators.ts";
import { embeddingProgram, exampleJob, exampleState, randomProgram, regressionProgram } from "../helpers/programs.ts";
import { assertSameBits, assertSameTensors, CPU_FORMS, examples, nameOf, openLocal, PROGRAMS } from "./compare.ts";

/** The engine in a worker, or one in this thread, until the end of the test. */
async function start(t: TestContext, program: Program, threads?: number) {
  const engine = await startOnnxRuntime(program, threads === undefined ? {} : { threads });
  t.after(() => engine.close());
  return engine;
}

async function local(t: TestContext, program: Program, form: Form) {
  const engine = await openLocal(program, 1, form);
  t.after(() => engine.close());
  return engine;
}

test("random programs give the reference's words", async () => {
  for (const example of examples(PROGRAMS)) {
    const engines = await Promise.all(CPU_FORMS.map((form) => openLocal(example.program, 1, form)));
    await assertSameBits(example, engines);
    await Promise.all(engines.map((engine) => engine.close()));
  }
});

test("also on 2 and 4 threads", async () => {
  for (const example of examples(PROGRAMS / 6)) {
    const engines = await Promise.all(
      CPU_FORMS.flatMap((form) => [2, 4].map((threads) => openLocal(example.program, threads, form))),
    );
    await assertSameBits(example, engines);
    await Promise.all(engines.map((engine) => engine.close()));
  }
});

test("consecutive steps in the worker equal single steps and report what was asked for", async (t) => {
  const program = randomProgram(7);
  const job = exampleJob(program, 7, { steps: 20 });
  const initial = exampleState(program, 7);
  const engine = await start(t, program, 2);
  const request = {
    state: initial,
    count: 20,
    inputs: (step: number) => sourceOutputs(job, step),
    ranges: (step: number) => [{ tensor: step % initial.length, offset: 1, count: 64 }],
  };
  const reports: StepReport[] = [];
  const result = await engine.steps({
    ...request,
    onStep: (step, report) => assert.equal(reports.push(report), step + 1),
  });

  let state: readonly Tensor[] = initial;
  let guard = 0;
  for (let step = 0; step < 20; step++) {
    const single = await engine.step(stepInputs(job, step, state));
    state = single.state;
    guard = Math.max(guard, single.guard);
    const words = [state[step % state.length]!.words.slice(1, 65)];
    assert.deepEqual(reports[step], { loss: single.loss, guard: single.guard, words });
  }
  assert.equal(reports.length, 20);
  assert.deepEqual(result, { state, guard });
  assert.deepEqual(initial, exampleState(program, 7), "the caller's state is left alone");

  const reference = await new ReferenceEngine(program).steps(request);
  assertSameTensors(result.state, reference.state, (p) => program.state[p]!.name);
});

test("two calls of steps at once do not mix their states", async (t) => {
  const program = randomProgram(11);
  const job = exampleJob(program, 11, { steps: 6 });
  const engine = await start(t, program);
  const call = (state: readonly Tensor[]) =>
    engine.steps({ state, count: 6, inputs: (step) => sourceOutputs(job, step) });
  const states = [exampleState(program, 1), exampleState(program, 2)];
  const together = await Promise.all(states.map(call));
  assert.deepEqual(together, [await call(states[0]!), await call(states[1]!)]);
  assert.notDeepEqual(together[0]!.state, together[1]!.state);
});

/** Regression with one word of a state tensor replaced. */
function planted(tensor: number, word: number, value: number): Tensor[] {
  return exampleState(regressionProgram(), 3).map((state, p) =>
    p === tensor ? { ...state, words: state.words.with(word, floats(value)[0]!) } : state,
  );
}

for (const form of CPU_FORMS) {
  test(`a step that meets NaN, infinity or a huge value is refused, wherever it stands (${nameOf(form)})`, async (t) => {
    const program = regressionProgram();
    const job = exampleJob(program, 3);
    const engine = await local(t, program, form);
    const reference = new ReferenceEngine(program);
    for (const [tensor, { words }] of exampleState(program, 3).entries())
      for (let word = 0; word < words.length; word++)
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1e30]) {
          const state = planted(tensor, word, value);
          const where = `${value} at word ${word} of tensor ${tensor}`;
          const { guard } = await engine.step(stepInputs(job, 0, state));
          assert.ok(guard > 2 ** 20, where);
          // Beyond 1e30 the reference's own sums overflow in another way; only what is refused counts.
          assert.ok((await reference.step(stepInputs(job, 0, state))).guard > 2 ** 20, where);
          const steps = engine.steps({ state, count: 1, inputs: (step) => sourceOutputs(job, step) });
          await assert.rejects(steps, InvalidStateError, where);
        }
  });
}

for (const form of CPU_FORMS) {
  test(`NaN in a large tensor is not swallowed by the maximum (${nameOf(form)})`, async (t) => {
    const program = randomProgram(0);
    const frozen = program.state.findIndex(({ name }) => name === "frozen");
    const wide = {
      ...program,
      state: program.state.with(frozen, { ...program.state[frozen]!, dtype: 0 as const, shape: [4099] }),
    };
    const job = exampleJob(wide, 0);
    const state = exampleState(wide, 0);
    const engine = await local(t, wide, form);
    assert.ok((await engine.step(stepInputs(job, 0, state))).guard <= 2 ** 20);
    for (const word of [0, 1, 7, 8, 31, 2048, 4095, 4096, 4098]) {
      const words = state[frozen]!.words.with(word, 0x7fc00000);
      const inputs = stepInputs(job, 0, state.with(frozen, { ...state[frozen]!, words }));
      assert.equal((await engine.step(inputs)).guard, Number.POSITIVE_INFINITY, `word ${word}`);
      assert.equal((await engine.trace(inputs)).guard, Number.POSITIVE_INFINITY, `word ${word}`);
    }
  });
}

test("constants that are not finite are refused before the first step", async () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const program = {
      ...embeddingProgram(),
      constants: [{ dtype: 0 as const, shape: [3], words: floats(1, value, 2) }],
    };
    for (const form of CPU_FORMS) await assert.rejects(openLocal(program, 1, form), { code: "UNREALISABLE" });
  }
});

test("steps stops at the first invalid step and can be called again", async (t) => {
  const program = regressionProgram();
  const job = { ...exampleJob(program, 4, { samples: 1, steps: 6 }), schedule: floats(0.1, 1e6, 1e6, 1e6, 1e6, 1e6) };
  const engine = await start(t, program);
  const state = exampleState(program, 4);
  const inputs = (step: number) => sourceOutputs(job, step);
  const seen: number[] = [];
  await assert.rejects(
    engine.steps({ state, count: 6, inputs, onStep: (step) => seen.push(step) }),
    (error) => error instanceof InvalidStepError && error.step === seen.length && error.guard > 2 ** 20,
  );
  assert.ok(seen.length > 0 && seen.length < 6);
  // Also where nobody listens to the steps.
  await assert.rejects(engine.steps({ state, count: 6, inputs }), { step: seen.length });
  assert.deepEqual((await engine.steps({ state, count: 0, inputs })).state, state);
});

test("steps can be interrupted between steps, and a failing source of inputs ends it", async (t) => {
  const program = regressionProgram();
  const job = { ...exampleJob(program, 4, { steps: 1 }), schedule: floats(0.005) };
  const engine = await start(t, program);
  const state = exampleState(program, 4);
  const controller = new AbortController();
  const reason = new Error("enough");
  let last = 0;
  const interrupted = engine.steps({
    state,
    count: Number.POSITIVE_INFINITY,
    inputs: () => sourceOutputs(job, 0),
    onStep: (step) => {
      last = step;
      if (step === 10) controller.abort(reason);
    },
    signal: controller.signal,
  });
  await assert.rejects(interrupted, reason);
  assert.equal(last, 10);

  const broken = (step: number) => {
    if (step === 2) throw reason;
    return sourceOutputs(job, 0);
  };
  await assert.rejects(engine.steps({ state, count: 5, inputs: broken }), reason);
  await engine.step(stepInputs(job, 0, state));
});

test("a closed engine says so, also to calls under way", async (t) => {
  const program = regressionProgram();
  const inputs = stepInputs(exampleJob(program, 5), 0, exampleState(program, 5));
  const engine = await start(t, program);
  const underWay = assert.rejects(engine.step(inputs), EngineClosedError);
  await engine.close();
  await underWay;
  await assert.rejects(engine.step(inputs), EngineClosedError);
  await assert.rejects(engine.trace(inputs), EngineClosedError);
});

test("inputs that are not the program's are refused", async (t) => {
  const program = regressionProgram();
  const inputs = stepInputs(exampleJob(program, 5), 0, exampleState(program, 5));
  const engine = await local(t, program, "kernels");
  const short = { ...inputs.state[0]!, words: inputs.state[0]!.words.subarray(1) };
  for (const wrong of [
    { ...inputs, state: inputs.state.slice(1) },
    { ...inputs, state: [short, ...inputs.state.slice(1)] },
    { ...inputs, batches: new Map() },
    { ...inputs, schedule: new Map() },
  ]) {
    await assert.rejects(engine.step(wrong), StepInputsError);
    await assert.rejects(engine.trace(wrong), StepInputsError);
    await assert.rejects(engine.steps({ state: wrong.state, count: 1, inputs: () => wrong }), StepInputsError);
  }
});

test("the state may be part of a larger buffer", async (t) => {
  const program = regressionProgram();
  const job = exampleJob(program, 6);
  const state = exampleState(program, 6);
  const inside = state.map((tensor) => {
    const larger = new Uint32Array(tensor.words.length + 5);
    larger.set(tensor.words, 3);
    return { ...tensor, words: larger.subarray(3, 3 + tensor.words.length) };
  });
  const engine = await start(t, program);
  assert.deepEqual(await engine.step(stepInputs(job, 0, inside)), await engine.step(stepInputs(job, 0, state)));
});
