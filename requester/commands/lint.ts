import { type Command, InvalidArgumentError } from "commander";
import { createOutput, ExitCode } from "../../shared/cli.ts";
import { type LintFinding, type LintReport, type LintTensor, lintModel } from "../../shared/compile/lint.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { parseCount } from "../../shared/programOptions.ts";
import { openModelFile } from "../readModel.ts";

interface LintOptions {
  readonly batch: number;
  readonly length: number;
  readonly json?: boolean;
}

export function addLint(program: Command): void {
  program
    .command("lint")
    .summary("tell everything that keeps an ONNX model from being trained")
    .description(
      "Reads the whole model and lists, node by node, what is not supported and what to do about it; then whether every parameter\n" +
        "has a gradient and the program is well-formed, and warns of what is probably not meant. Exit code 1 when something is to be mended.",
    )
    .argument("<model>", "ONNX file of a forward model")
    .option("--batch <n>", "length of an open first axis", parsePositive, 4)
    .option("--length <n>", "length of every other open axis", parsePositive, 8)
    .option("--json", "one JSON object")
    .action(async (file: string, { batch, length, json = false }: LintOptions) => {
      const report = lintModel(decodeModel(await openModelFile(file)), { batch, length });
      createOutput(json).event("lint", { file, ...report }, sentences(file, report));
      if (report.findings.length > 0) process.exitCode = ExitCode.failure;
    });
}

function parsePositive(text: string): number {
  const value = parseCount(text);
  if (value < 1) throw new InvalidArgumentError("It must be at least 1.");
  return value;
}

function sentences(file: string, report: LintReport): string {
  const { findings, warnings, nodes, inputs, outputs, parameters, statistics } = report;
  const list = (tensors: readonly LintTensor[]) =>
    tensors.map(({ name, shape }) => `${name} [${shape}]`).join(", ") || "–";
  const count = (tensors: readonly LintTensor[]) =>
    tensors
      .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
      .toLocaleString("en-US");
  return [
    `${file}: ${nodes} nodes, ${count(parameters)} parameters in ${parameters.length} tensors` +
      (statistics.length === 0 ? "" : `, ${count(statistics)} running statistics`),
    `inputs  ${list(inputs)}`,
    `outputs ${list(outputs)}`,
    // By their names one sees tables and masks, which an exporter writes as it writes weights.
    `trained ${list(parameters)}`,
    "",
    ...findings.map(sentence),
    ...warnings.map((warning) => `WARNING: ${warning}`),
    findings.length === 0 ? "It can be trained." : `${findings.length} to mend.`,
  ].join("\n");
}

function sentence({ node, operator, problem, remedy }: LintFinding): string {
  const where = node === null ? "model" : `${node} (${operator})`;
  return `${where}: ${problem}.${remedy === null ? "" : `\n    ${remedy}`}`;
}
