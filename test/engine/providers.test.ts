import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import * as library from "onnxruntime-node";
import { ENGINE_INTERFACE } from "../../shared/engine/engine.ts";
import { LocalHost } from "../../shared/engine/localHost.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { type EngineOptions, ProviderUnavailableError } from "../../shared/engine/provider.ts";
import { FLOAT64 } from "../../shared/engine/realise/arithmetic.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { startEngine } from "../../shared/engine/start.ts";
import { sourceOutputs } from "../../shared/job/job.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { operand } from "../helpers/operators.ts";
import { exampleJob, exampleState, randomProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import type { WebGpuReport } from "./webGpuReport.ts";

/** Chromium's software Vulkan, for machines without a GPU. */
const CHROMIUM = "/usr/lib/chromium";
const SOFTWARE = path.join(CHROMIUM, "vk_swiftshader_icd.json");

test("every provider and way to multiply of this machine gives the same steps and describes itself", async () => {
  const program = randomProgram(31);
  const job = exampleJob(program, 31);
  const request = { state: exampleState(program, 31), count: 3, inputs: (step: number) => sourceOutputs(job, step) };
  const expected = await new ReferenceEngine(program).steps(request);
  const cases: readonly [EngineOptions, dot: string][] = [
    [{}, "float64"],
    [{ threads: 2, dot: "float64" }, "float64"],
    [{ dot: "digits32" }, "digits32"],
    [{ dot: "int8" }, "int8"],
    [{ provider: "wasm" }, "float64"],
    [{ provider: "wasm", dot: "digits32" }, "digits32"],
  ];
  for (const [options, dot] of cases) {
    const engine = await startOnnxRuntime(program, options);
    try {
      assert.deepEqual(await engine.steps(request), expected, JSON.stringify(options));
      const { description } = engine;
      assert.equal(description.interface, ENGINE_INTERFACE);
      assert.deepEqual(description.realisations.dot, [dot]);
      assert.match(
        description.name,
        options.provider === "wasm" ? /^onnxruntime-web .*wasm/ : /^onnxruntime-node .*cpu/,
      );
      assert.ok(engine.conformance?.usable);
    } finally {
      await engine.close();
    }
  }
});

test("a provider that the machine lacks is a typed error that names the way out", async () => {
  const folder = path.dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const cuda = path.join(folder, "bin/napi-v6", process.platform, process.arch, "libonnxruntime_providers_cuda.so");
  const start = startOnnxRuntime(randomProgram(1), { provider: "cuda" });
  if (existsSync(cuda)) {
    await start.then(
      (engine) => engine.close(),
      (error) => assert.ok(error instanceof ProviderUnavailableError),
    );
    return;
  }
  await assert.rejects(start, (error) => {
    assert.ok(error instanceof ProviderUnavailableError);
    assert.equal(error.code, "PROVIDER_UNAVAILABLE");
    assert.equal(error.provider, "cuda");
    assert.match(error.message, /--provider cpu/);
    return true;
  });
});

test("the command tells by operator and realisation, and exits with 2 for a provider that there is not", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["requester/cli.ts", "conformance", ...args], {
      cwd: path.resolve(import.meta.dirname, "../.."),
      encoding: "utf8",
    });
  const { status, stdout } = run("--provider", "wasm", "--dot", "digits32", "--json");
  const { event, usable, engine, checks } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual([status, event, usable], [0, "conformance", true]);
  assert.match(engine as string, /onnxruntime-web/);
  const has = (operator: string, realisation: RegExp) =>
    (checks as Record<string, unknown>[]).some(
      (check) => check.operator === operator && realisation.test(check.realisation as string) && check.equal === true,
    );
  for (const [operator, realisation] of [
    ["Map div", /next to a middle/],
    ["Map sqrt", /next to a middle/],
    ["Map mul", /subnormals/],
    ["Map select", /negative zero/],
    ["Quantise", /ties/],
    ["Dot", /float32 digits, largest sum/],
    ["Dot", /float32 digits, next to a middle/],
    ["Dot", /float32 digits, long/],
    ["Join", /gaps/],
    ["Guard", /NaN/],
  ] as const) {
    assert.ok(has(operator, realisation), `${operator}: ${realisation}`);
  }
  assert.equal(run("--provider", "abacus").status, 2);
});

/** One Dot that is large enough to be measured, and one that is not. */
function measurableProgram(): { program: Program; state: Tensor[] } {
  const random = new Random(99);
  const n = 256;
  const matrix = (): Tensor => ({
    ...{ dtype: 0, shape: [n, n] },
    words: new Uint32Array(Float32Array.from({ length: n * n }, () => random.unit() * 2 - 1).buffer),
  });
  const state: Tensor[] = [matrix(), matrix(), { dtype: 0, shape: [1], words: new Uint32Array([0x3f800000]) }];
  const strides = [n, 0, 1];
  const scale = operand("state", 2, 1, [0, 0, 0]);
  const operands = [operand("state", 0, n * n, strides), operand("state", 1, n * n, [0, 1, n]), scale, scale] as const;
  const dot = (shape: number[]) => ({ family: "dot", dtype: 0, shape, length: n, bits: 13, operands }) as const;
  const program: Program = {
    operators: [
      { name: "large", operator: dot([n, n]) },
      { name: "small", operator: dot([3, 5]) },
    ],
    state: state.map(({ shape }, p) => ({ name: `x${p}`, dtype: 0, shape, source: null })),
    ...{ constants: [], sample: { words: 0, fields: [] }, scheduleColumns: [], loss: 1, logits: null },
  };
  return { program, state };
}

test("whatever is measured fastest, the bits are the same, and what was chosen was tested", async () => {
  const { program, state } = measurableProgram();
  const inputs = { state, batches: new Map(), schedule: new Map() };
  const expected = await new ReferenceEngine(program).trace(inputs);
  const runtime = { name: "measured", library, provider: "cpu", threads: 1, fillsOutputs: true };
  for (const form of [FLOAT64, { ...FLOAT64, dot: "digits32" }] as const)
    for (const candidates of [["int8", "float64"], ["digits32"]] as const) {
      const engine = await startEngine(new LocalHost(runtime), program, { form, candidates });
      const { outputs } = await engine.trace(inputs);
      for (const [n, { words }] of expected.outputs.entries()) assert.deepEqual(outputs[n]!.words, words);
      const names = { float64: "float64 product", digits32: "float32 digits", int8: "int8 digits" };
      for (const dot of engine.description.realisations.dot as (keyof typeof names)[]) {
        const tested = engine.conformance!.checks.filter(({ realisation }) => realisation.includes(names[dot]));
        assert.ok(tested.length > 5 && tested.every(({ equal }) => equal), dot);
      }
      await engine.close();
    }
});

test("WebGPU gives the reference's words", async (t) => {
  const tryOn = async (driver: Record<string, string>): Promise<WebGpuReport> => {
    const script = path.join(import.meta.dirname, "webGpuReport.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env: { ...process.env, ...driver } });
    return JSON.parse(stdout) as WebGpuReport;
  };
  let report = await tryOn({});
  if ("unavailable" in report && existsSync(SOFTWARE)) {
    report = await tryOn({ VK_ICD_FILENAMES: SOFTWARE, LD_LIBRARY_PATH: CHROMIUM });
  }
  if ("unavailable" in report) {
    t.skip(`NO WEBGPU on this machine: ${report.unavailable}`);
    return;
  }
  assert.deepEqual(report.differs, []);
  assert.ok(report.programs > 2);
  t.diagnostic(report.engine);
});
