/** Kernels that are cut among threads: the same bits as on one, and no silence about a thread that does not finish. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as onnxruntime from "onnxruntime-node";
import { EngineFailedError } from "../../../shared/engine/errors.ts";
import { HostedEngine } from "../../../shared/engine/hostedEngine.ts";
import { assemble, Code } from "../../../shared/engine/kernels/assembler.ts";
import { abandon, Crew, type CrewData, type CrewThread, type Cut } from "../../../shared/engine/kernels/crew.ts";
import { KernelSession } from "../../../shared/engine/kernels/kernelSession.ts";
import { planProgram } from "../../../shared/engine/kernels/plan.ts";
import { startKernelThread } from "../../../shared/engine/kernelThreads.ts";
import { LocalHost } from "../../../shared/engine/localHost.ts";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import type { Runtime } from "../../../shared/engine/session.ts";
import { stepInputs } from "../../../shared/job/job.ts";
import { along, ProgramBuilder, type Value, view } from "../../helpers/builder.ts";
import { exampleJob, exampleState } from "../../helpers/programs.ts";
import { assertSameBits, assertSameTensors, type Example, examples } from "../compare.ts";

const SMALLEST: Cut = { leastWork: 0, leastPiece: 1, piecesOfThread: Number.POSITIVE_INFINITY };
const NODE: Runtime = {
  name: "kernels",
  library: onnxruntime,
  provider: "cpu",
  threads: 1,
  fillsOutputs: true,
  startThread: startKernelThread,
};

/** A kernel that says in the first word of the memory that it was begun, and then does as `end` says. */
function kernel(end: (code: Code) => void): Code {
  const code = new Code(2);
  code.i32(0).splat(1).memory("v128store");
  end(code);
  return code;
}

/** One more thread with a kernel, beside a caller whose own kernel waits until that thread is inside a piece. */
async function besides(code: Code) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const module = await WebAssembly.compile(assemble([code], { pages: 1, shared: true }));
  const words = new Int32Array(memory.buffer);
  const waiting = (): number => {
    while (Atomics.load(words, 0) === 0) Atomics.wait(words, 0, 0, 1);
    return 0;
  };
  const threads: CrewThread[] = [];
  const start = (data: CrewData): CrewThread => {
    const thread = startKernelThread(data);
    threads.push(thread);
    return thread;
  };
  const crew = new Crew("kernels", { 0: waiting }, { module, memory }, start, 1, SMALLEST);
  const run = async (length = 64) => crew.run(0, { length, unit: 1, inner: 1 }, []);
  return { crew, run, threads };
}

test("a kernel that traps in another thread fails the step, and every one after it", async () => {
  const trap = kernel((code) => code.i32(-4).memory("i32load"));
  const { crew, run } = await besides(trap);
  await assert.rejects(run(), EngineFailedError);
  await assert.rejects(run(), EngineFailedError);
  await assert.rejects(run(1), EngineFailedError);
  await crew.close();
});

test("a thread that ends inside a piece fails the step", async () => {
  const endless = kernel((code) => code.repeat(() => code.i32(1)).i32(0));
  const { crew, run, threads } = await besides(endless);
  const result = run();
  await threads[0]!.close();
  await assert.rejects(result, EngineFailedError);
  await crew.close();
});

test("a thread that ends between pieces is not missed", async () => {
  const { crew, run, threads } = await besides(kernel((code) => code.i32(7)));
  assert.equal(await run(), 7);
  await threads[0]!.close();
  assert.equal(await run(), 0);
  await crew.close();
});

test("a kernel that traps in the caller's thread fails every later step", async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const module = await WebAssembly.compile(assemble([kernel((code) => code.i32(0))], { pages: 1, shared: true }));
  const trap = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  const crew = new Crew("kernels", { 0: trap }, { module, memory }, startKernelThread, 1, SMALLEST);
  assert.throws(() => crew.run(0, { length: 8, unit: 1, inner: 1 }, []), WebAssembly.RuntimeError);
  assert.throws(() => crew.run(0, { length: 8, unit: 1, inner: 1 }, []), EngineFailedError);
  await crew.close();
});

test("a session that cannot be opened leaves neither threads nor sessions", async () => {
  const counts = { started: 0, closed: 0, opened: 0, released: 0 };
  const startThread = (): CrewThread => {
    counts.started++;
    return {
      close: async () => {
        counts.closed++;
      },
    };
  };
  const create = async () => {
    if (counts.opened === 1) throw new Error("no more");
    counts.opened++;
    return {
      release: async () => {
        counts.released++;
      },
    };
  };
  const library = { ...onnxruntime, InferenceSession: { create } } as unknown as Runtime["library"];
  const [example] = [...examples(0)] as [Example];
  const opening = KernelSession.open({ ...NODE, library, threads: 3, startThread }, example);
  await assert.rejects(opening, EngineFailedError);
  assert.deepEqual(counts, { started: 2, closed: 2, opened: 1, released: 1 });
});

test("a session whose crew has failed goes on alone", async () => {
  const [example] = [...examples(0)] as [Example];
  const { program, job, state } = example;
  let closed = 0;
  const startThread = (data: CrewData): CrewThread => {
    // As a thread leaves it that ends inside a piece: the last word says that this one is busy.
    data.control[data.control.length - 1] = 1;
    abandon(data);
    return {
      close: async () => {
        closed++;
      },
    };
  };
  const session = await KernelSession.open({ ...NODE, threads: 2, startThread, cut: SMALLEST }, { program });
  const inputs = stepInputs(job, 0, state);
  await assert.rejects(session.run(inputs, true), EngineFailedError);
  const result = await session.run(inputs, true);
  assert.equal(closed, 1);
  const expected = await new ReferenceEngine(program).trace(inputs);
  assert.deepEqual([result.loss, result.guard], [expected.loss, expected.guard]);
  assertSameTensors(result.outputs, expected.outputs, (n) => program.operators[n]!.name);
  await session.release();
});

/** Large enough that every kind of kernel has many pieces: maps over old memory, sums of every layout, rows, joins and products. */
function everyKind(): Example {
  const build = new ProgramBuilder();
  const [rows, columns] = [37, 45];
  const token = build.batch("token", rows, 1, 1, 0, 10);
  const table = build.state("table", [11, columns]);
  const weight = build.state("weight", [columns, columns]);
  const picked = build.gather("picked", table, token);
  const product = build.matmul("product", picked, weight);
  const bent = build.map(
    "bent",
    [rows, columns],
    [along(product, 2, [0, 1]), along(picked, 2, [0, 1])],
    (body, p, x) => {
      body.clamp(body.flush(body.do("add", p, x)), 8);
    },
  );
  const sums = [
    ["across", [columns], rows, view(bent, [1, columns])],
    ["along", [rows], columns, view(bent, [columns, 1])],
  ] as const;
  const [across, lengthwise] = sums.map(([name, shape, length, operand]) => {
    const peak = build.peak(`${name}.peak`, bent, 1);
    const operands = [operand, view(peak, [0, 0])] as const;
    return build.add(name, { family: "sum", dtype: 0, shape, length, bits: 20, operands });
  }) as [Value, Value];
  const parts = [
    { value: bent, start: 1 },
    { value: picked, start: columns + 3 },
  ];
  const joined = build.join("joined", parts, 1, 2 * columns + 4);
  const gradient = build.sumByIndex("gradient", bent, token, 11);
  const table2 = build.map(
    "table.next",
    [11, columns],
    [along(table, 2, [0, 1]), along(gradient, 2, [0, 1]), along(across, 2, [1])],
    (body, w, g, s) => {
      body.clamp(body.flush(body.do("sub", w, body.flush(body.do("mul", g, s)))), 2);
    },
  );
  build.update(table, table2);
  const weight2 = build.map("weight.next", [columns, columns], [along(weight, 2, [0, 1])], (body, w) => {
    body.flush(body.do("mul", w, w));
  });
  build.update(weight, weight2);
  const loss = build.total(
    "loss",
    build.map("squares", [rows, 1], [along(lengthwise, 2, [0]), view(joined, [2 * columns + 4, 0])], (body, s, j) => {
      body.flush(body.do("add", body.flush(body.do("mul", s, s)), j));
    }),
  );
  const program = build.build(loss);
  return { name: "every kind", program, job: exampleJob(program, 3), state: exampleState(program, 3) };
}

test("every kind of kernel in the smallest pieces on three threads gives the bits of one", async () => {
  const purposes = new Set<string>();
  for (const example of [everyKind(), ...examples(8)]) {
    for (const command of planProgram(example.program).commands) {
      if (command.kind !== "kernel") continue;
      const { length, unit } = command.extent;
      if (length >= 2 * unit) purposes.add(command.purpose);
    }
    const open = (runtime: Runtime) => HostedEngine.open(new LocalHost(runtime), example.program, "kernels");
    const engines = [await open(NODE), await open({ ...NODE, name: "cut kernels", threads: 3, cut: SMALLEST })];
    await assertSameBits(example, engines, 2);
    await Promise.all(engines.map((engine) => engine.close()));
  }
  assert.deepEqual([...purposes].sort(), ["dot", "map", "move", "quantise", "reduce", "round"]);
});
