import { type Command, InvalidArgumentError } from "commander";
import { createOutput } from "../../shared/cli.ts";
import { addEngineOptions, type EngineCommandOptions, engineOptions } from "../../shared/programOptions.ts";
import { type Plan, planTask } from "../plan.ts";
import { prepareTask } from "../prepare.ts";

interface PlanOptions extends EngineCommandOptions {
  readonly honest: number;
  readonly json?: boolean;
}

export function addPlan(program: Command): void {
  addEngineOptions(program.command("plan"))
    .argument("<taskfile>", "JSON file that describes the task (docs/task.md)")
    .summary("what a task will take and what it secures, before posting it")
    .description(
      "Compiles the task, runs a few steps here, and tells how long training and replays take, what goes into escrow, and\n" +
        "how likely sampling alone catches a cheat. Nothing is sent anywhere.",
    )
    .option("--honest <share>", "fraction of the verifier seats held by honest verifiers", parseShare, 0.5)
    .option("--json", "one JSON object")
    .action(async (file: string, options: PlanOptions) => {
      const { honest, json = false } = options;
      const prepared = await prepareTask(file);
      const plan = await planTask(prepared, { honest, ...engineOptions(options) });
      createOutput(json).event("plan", { ...plan }, describe(plan, honest, prepared.task.market.replayTime));
    });
}

function describe(plan: Plan, honest: number, replayTime: number): string {
  const percent = (share: number): string => `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`;
  const { runSeconds } = plan;
  return [
    `${plan.parameters.toLocaleString("en-US")} parameters${plan.statistics === 0 ? "" : `, ${plan.statistics.toLocaleString("en-US")} running statistics`}, ${plan.operators} operators a step, ${plan.segments} segments`,
    `${plan.samples.toLocaleString("en-US")} training samples${plan.vocabulary === null ? "" : ` of ${plan.vocabulary} different tokens`}, ${plan.heldOut.toLocaleString("en-US")} held out`,
    `a step takes ${plan.stepMs.toFixed(2)} ms here, the run ${runSeconds.toFixed(1)} s, a replayed segment ${plan.segmentSeconds.toFixed(1)} s`,
    `a checkpoint has ${plan.checkpointBytes.toLocaleString("en-US")} bytes, its commitment takes ${plan.commitmentMs.toFixed(1)} ms (${percent(plan.commitmentShare)} of the time)`,
    `into escrow: ${plan.escrow} of the token's smallest unit`,
    `with ${percent(honest)} honest seats, sampling alone catches one bad segment with ${percent(plan.replayed)}, every second one with ${percent(plan.caughtHalf)};`,
    "one honest replayer of everything catches any, whatever was sampled",
    plan.deterrentBond === null
      ? "no segment is sampled: only open challenges deter"
      : `if nobody but drawn verifiers looked, a bond of ${plan.deterrentBond} would deter`,
    ...plan.warnings.map((warning) => `WARNING: ${warning}`),
    ...plan.violations.map(({ field, problem }) => `WARNING: every market refuses market.${field}: ${problem}`),
    ...(runSeconds > replayTime ? [`WARNING: replayTime is ${replayTime} s, less than a replay takes here`] : []),
  ].join("\n");
}

function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() === "" || !(share >= 0 && share <= 1)) throw new InvalidArgumentError("It must be from 0 to 1.");
  return share;
}
