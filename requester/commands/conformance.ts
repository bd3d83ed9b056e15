import type { Command } from "commander";
import { createOutput, ExitCode } from "../../shared/cli.ts";
import type { ConformanceReport } from "../../shared/engine/conformance/conformance.ts";
import { onnxRuntimeConformance } from "../../shared/engine/onnxruntime.ts";
import { addEngineOptions, type EngineCommandOptions, engineOptions } from "../../shared/programOptions.ts";

interface ConformanceOptions extends EngineCommandOptions {
  readonly json?: boolean;
}

export function addConformance(program: Command): void {
  addEngineOptions(program.command("conformance"))
    .summary("test whether this machine's engine gives the specified bits")
    .description(
      "Runs the self-test that every session begins with, and that of every other way to multiply matrices that --dot auto may\n" +
        "choose, and shows it by operator. Exit code 3 when the engine deviates: it must not be used, since its results would be\n" +
        "convicted.",
    )
    .option("--json", "one JSON object")
    .action(async (options: ConformanceOptions) => {
      const report = await onnxRuntimeConformance(engineOptions(options));
      const { usable, engine, checks } = report;
      createOutput(options.json ?? false).event("conformance", { usable, engine, checks }, describe(report));
      if (!usable) process.exitCode = ExitCode.faultFound;
    });
}

function describe({ usable, engine, checks }: ConformanceReport): string {
  const rows = checks.map(
    ({ operator, realisation, equal }) => `${equal ? "equal  " : "DIFFERS"}  ${operator.padEnd(14)} ${realisation}`,
  );
  const verdict = usable ? "may be used" : "must not be used: its results would be convicted";
  const deviates = checks.some(({ equal }) => !equal);
  const left = usable && deviates ? ["what differs is an alternative, which is left out"] : [];
  return [...rows, "", `${engine} ${verdict}`, ...left].join("\n");
}
