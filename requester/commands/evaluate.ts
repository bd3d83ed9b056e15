import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { createOutput } from "../../shared/cli.ts";
import { fileProblem } from "../../shared/fileProblem.ts";
import { addEngineOptions, type EngineCommandOptions, engineOptions, parseCount } from "../../shared/programOptions.ts";
import { EvaluationError, evaluateModel, type ModelEvaluation } from "../evaluateModel.ts";
import { prepareTask } from "../prepare.ts";

interface EvaluateOptions extends EngineCommandOptions {
  readonly model?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

export function addEvaluate(program: Command): void {
  addEngineOptions(program.command("evaluate"))
    .argument("<taskfile>", "JSON file that describes the task (docs/task.md)")
    .summary("what a model is worth on the samples that its task holds out")
    .description(
      "Tells the loss on held-out samples, the share of right answers where the model chooses among classes, and what counting\n" +
        "alone would reach; of a gan, how far what it makes is from the held-out samples; of an inference, its score on its samples.\n" +
        "Without --model, the weights that training starts from are evaluated. Nothing is sent anywhere.",
    )
    .option("--model <file>", "the model, as `touchstone fetch` wrote it")
    .option("--limit <n>", "samples at most", parseCount)
    .option("--json", "one JSON object")
    .action(async (file: string, options: EvaluateOptions) => {
      const { model, limit, json = false } = options;
      const weights = model === undefined ? null : await readModel(model);
      const evaluation = await evaluateModel(await prepareTask(file), weights, { limit, ...engineOptions(options) });
      createOutput(json).event("evaluation", { ...evaluation }, tell(evaluation));
    });
}

async function readModel(file: string): Promise<Uint8Array> {
  if (/\.onnx$/i.test(file)) {
    throw new EvaluationError(
      `${file} is an ONNX file, and --model takes the weights that \`touchstone fetch\` wrote.`,
      {
        remedy: "Without --model, the weights in the task's own ONNX file are evaluated.",
      },
    );
  }
  try {
    return await readFile(file);
  } catch (cause) {
    throw new EvaluationError(`${file} cannot be read: ${fileProblem(cause)}.`, {
      cause,
      remedy: "Give a model's file.",
    });
  }
}

function tell({ measure, loss, accuracy, samples, leftOut, baseline }: ModelEvaluation): string {
  const rest = leftOut === 0 ? "" : `; ${leftOut.toLocaleString("en-US")} more fill no whole batch and are left out`;
  return [
    `${measure} ${loss.toFixed(4)} on ${samples.toLocaleString("en-US")} samples${rest}`,
    ...(accuracy === null ? [] : [`right in ${(100 * accuracy).toFixed(2)} % of the answers`]),
    ...(baseline === null ? [] : [`${baseline.name} alone: ${baseline.loss.toFixed(4)}`]),
  ].join("\n");
}
