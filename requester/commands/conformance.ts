import { type Command, Option } from "commander";
import { createOutput, ExitCode } from "../../shared/cli.ts";
import type { ConformanceReport } from "../../shared/engine/conformance/conformance.ts";
import { onnxRuntimeConformance } from "../../shared/engine/onnxruntime.ts";
import { parseCount } from "../../shared/programOptions.ts";

interface ConformanceOptions {
  readonly provider: "cpu" | "wasm";
  readonly threads: number;
  readonly json?: boolean;
}

export function addConformance(program: Command): void {
  program
    .command("conformance")
    .summary("test whether this machine's engine gives the specified bits")
    .description(
      "Runs the self-test that every session begins with and shows it by operator. Exit code 3 when the engine deviates:\n" +
        "it must not be used, since its results would be convicted.",
    )
    .addOption(
      new Option("--provider <name>", "cpu: onnxruntime-node; wasm: onnxruntime-web")
        .choices(["cpu", "wasm"])
        .default("cpu"),
    )
    .option("--threads <n>", "threads of a kernel (cpu)", parseCount, 1)
    .option("--json", "one JSON object")
    .action(async ({ provider, threads, json = false }: ConformanceOptions) => {
      const { usable, engine, checks } = await (provider === "wasm"
        ? testWebAssembly()
        : onnxRuntimeConformance({ threads }));
      const rows = checks.map(
        ({ operator, realisation, equal }) => `${equal ? "equal  " : "DIFFERS"}  ${operator.padEnd(14)} ${realisation}`,
      );
      const verdict = usable ? "may be used" : "must not be used: its results would be convicted";
      const table = [...rows, "", `${engine} ${verdict}`].join("\n");
      createOutput(json).event("conformance", { usable, engine, checks }, table);
      if (!usable) process.exitCode = ExitCode.faultFound;
    });
}

/** Loaded on demand: the WebAssembly runtime is a package that only this provider needs. */
async function testWebAssembly(): Promise<ConformanceReport> {
  const { onnxRuntimeWebConformance } = await import("../../shared/engine/web.ts");
  return await onnxRuntimeWebConformance();
}
