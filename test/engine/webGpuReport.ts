/** The self-test and some random programs on WebGPU, as JSON. A program of its own, as a software driver is named in its environment. Used by `providers.test.ts`. */

import { HostedEngine } from "../../shared/engine/hostedEngine.ts";
import { onnxRuntimeConformance, openHost } from "../../shared/engine/onnxruntime.ts";
import { ProviderUnavailableError } from "../../shared/engine/provider.ts";
import { FLOAT32_ONLY } from "../../shared/engine/realise/arithmetic.ts";
import { assertSameBits, examples } from "./compare.ts";

/** What was found, or why nothing was tried. */
export type WebGpuReport =
  | { readonly unavailable: string }
  | {
      readonly engine: string;
      readonly differs: readonly string[];
      readonly programs: number;
    };

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
/** Besides two that are not random. */
const PROGRAMS = DEEP ? 60 : 1;

async function report(): Promise<WebGpuReport> {
  try {
    // The self-test takes a software driver many seconds.
    const checks = DEEP ? (await onnxRuntimeConformance({ provider: "webgpu" })).checks : [];
    const differs = checks.filter(({ equal }) => !equal).map((check) => `${check.operator} (${check.realisation})`);
    const host = await openHost({ provider: "webgpu" });
    let programs = 0;
    for (const example of examples(PROGRAMS)) {
      const tested = await HostedEngine.open(host, example.program, FLOAT32_ONLY);
      await assertSameBits(example, [tested], 1);
      await tested.release();
      programs++;
    }
    await host.close();
    return { engine: host.name, differs, programs };
  } catch (error) {
    if (error instanceof ProviderUnavailableError) return { unavailable: error.message };
    throw error;
  }
}

process.stdout.write(JSON.stringify(await report()), () => process.exit());
