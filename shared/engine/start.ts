/** Starting an engine on a host: the self-test first, then the program. */
import type { Program } from "../program/program.ts";
import { assertConforming, type ConformanceReport, checkConformance } from "./conformance/conformance.ts";
import type { Host } from "./host.ts";
import { type Form, HostedEngine } from "./hostedEngine.ts";
import { FLOAT64 } from "./realise/arithmetic.ts";

/**
 * Takes over the host: it is closed with the engine, or when the engine does not start.
 * @throws NonConformingEngineError when the engine deviates from the specification, UnrealisableError when the program is
 * malformed, EngineFailedError when the runtime does not load or run.
 */
export async function startEngine(host: Host, program: Program, form: Form = FLOAT64): Promise<HostedEngine> {
  try {
    const report = await checkConformance(
      (tested) => HostedEngine.open(host, tested, form),
      (engine) => engine.release(),
    );
    assertConforming(report);
    return await HostedEngine.open(host, program, form, report);
  } catch (error) {
    await host.close();
    throw error;
  }
}

/** The self-test alone, on a host that is closed afterwards. @throws EngineFailedError when the runtime does not load or run. */
export async function testHost(host: Host, form: Form = FLOAT64): Promise<ConformanceReport> {
  try {
    return await checkConformance(
      (tested) => HostedEngine.open(host, tested, form),
      (engine) => engine.release(),
    );
  } finally {
    await host.close();
  }
}
