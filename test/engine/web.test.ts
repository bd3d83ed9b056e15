import assert from "node:assert/strict";
import { test } from "node:test";
import * as library from "onnxruntime-web";
import { HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { startOnnxRuntimeWeb, webHost } from "../../shared/engine/web.ts";
import { sourceOutputs } from "../../shared/job/job.ts";
import { assertSameBits, CPU_FORMS, examples, openLocal, PROGRAMS } from "./compare.ts";

test("WebAssembly gives the reference's words", async () => {
  for (const example of examples(PROGRAMS / 3)) {
    const engines = await Promise.all(
      CPU_FORMS.map((form) => HostedEngine.open(webHost({ library }), example.program, form)),
    );
    await assertSameBits(example, engines);
    await Promise.all(engines.map((engine) => engine.close()));
  }
});

test("the WebAssembly engine passes the self-test and runs consecutive steps", async () => {
  for (const { program, job, state } of examples(2)) {
    const engine = await startOnnxRuntimeWeb(program, { library });
    assert.equal(engine.conformance?.usable, true);
    const request = { state, count: 5, inputs: (step: number) => sourceOutputs(job, step) };
    const native = await openLocal(program);
    assert.deepEqual(await engine.steps(request), await native.steps(request));
    await engine.close();
    await native.close();
  }
});
