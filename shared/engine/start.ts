/** Starting an engine on a host: the self-test first, for exactly the realisations that it uses, then the program. */
import type { Program } from "../program/program.ts";
import { fastestDots, measuredDots } from "./choice.ts";
import {
  assertConforming,
  type ConformanceCheck,
  type ConformanceReport,
  checkConformance,
} from "./conformance/conformance.ts";
import type { Host } from "./host.ts";
import { type Form, HostedEngine } from "./hostedEngine.ts";
import type { Arithmetic, DotRealisation } from "./realise/arithmetic.ts";

/** How an engine makes its steps. */
export interface StartOptions {
  readonly form: Form;
  /** Realisations of Dot that are measured against the form's own on the program's largest Dots. */
  readonly candidates?: readonly DotRealisation[];
}

/**
 * Takes over the host: it is closed with the engine, or when the engine does not start.
 * @throws NonConformingEngineError when the engine deviates from the specification, UnrealisableError when the program is
 * malformed, EngineFailedError when the runtime does not load or run.
 */
export async function startEngine(host: Host, program: Program, options: StartOptions): Promise<HostedEngine> {
  try {
    const report = await test(host, options.form);
    assertConforming(report);
    const { form, checks } = await withFastestDots(host, program, options);
    return await HostedEngine.open(host, program, form, { ...report, checks: [...report.checks, ...checks] });
  } catch (error) {
    await host.close();
    throw error;
  }
}

/**
 * The self-test alone, of the form and of every candidate, on a host that is closed afterwards. Usable is an engine whose form passes; a
 * candidate that fails is not used.
 * @throws EngineFailedError when the runtime does not load or run.
 */
export async function testHost(host: Host, { form, candidates = [] }: StartOptions): Promise<ConformanceReport> {
  try {
    const report = await test(host, form);
    const checks = [...report.checks];
    if (form !== "kernels") {
      for (const dot of candidates) checks.push(...(await testDot(host, form, dot)).checks);
    }
    return { ...report, checks };
  } finally {
    await host.close();
  }
}

function test(host: Host, form: Form, only?: "dot"): Promise<ConformanceReport> {
  return checkConformance(
    (program) => HostedEngine.open(host, program, form),
    (engine) => engine.release(),
    form,
    only,
  );
}

function testDot(host: Host, arithmetic: Arithmetic, dot: DotRealisation): Promise<ConformanceReport> {
  return test(host, { ...arithmetic, dot }, "dot");
}

/** The form with the fastest realisation of each Dot that is worth a measurement, and the checks of those that were chosen. */
async function withFastestDots(
  host: Host,
  program: Program,
  { form, candidates = [] }: StartOptions,
): Promise<{ form: Form; checks: readonly ConformanceCheck[] }> {
  const dots = measuredDots(program);
  if (form === "kernels" || candidates.length === 0 || dots.length === 0) return { form, checks: [] };
  const reports = new Map<DotRealisation, ConformanceReport>();
  for (const dot of candidates) {
    const report = await testDot(host, form, dot);
    if (report.usable) reports.set(dot, report);
  }
  const dotAt = await fastestDots(host, dots, form, [...reports.keys()]);
  const chosen = new Set(dotAt.values());
  return {
    form: { ...form, dotAt },
    checks: [...reports].flatMap(([dot, { checks }]) => (chosen.has(dot) ? checks : [])),
  };
}
