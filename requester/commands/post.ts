import type { Command } from "commander";
import { formatAmount, readTokenUnit } from "../../shared/chain/token.ts";
import { createOutput } from "../../shared/cli.ts";
import { datasetWarnings } from "../../shared/data/warnings.ts";
import { addProgramOptions, openProgram, type ProgramOptions } from "../../shared/programOptions.ts";
import { postTask } from "../post.ts";
import { prepareTask } from "../prepare.ts";

export function addPost(program: Command): void {
  const command = program
    .command("post")
    .argument("<taskfile>", "JSON file that describes the task (docs/task.md)")
    .summary("compile a task file, publish its package and post it")
    .description(
      "Compiles the forward model and the data that the task file names into a training program, writes the task's package\n" +
        "into the store, and posts the task: price and verifier fees go into escrow. Prints the task's id.",
    );
  addProgramOptions(command).action(async (file: string, options: ProgramOptions & { json?: boolean }) => {
    const output = createOutput(options.json ?? false);
    const prepared = await prepareTask(file);
    for (const warning of [...datasetWarnings(prepared.data), ...prepared.warnings]) output.note(`WARNING: ${warning}`);
    const { sender, deployment, store } = await openProgram(options);
    const { taskId, manifest, escrow } = await postTask(prepared, sender, deployment, store);
    const { operators, state } = prepared.taskPackage.job.program;
    output.note(`${prepared.task.name}: ${operators.length} operators a step, ${state.length} state tensors.`);
    output.event("posted", { taskId, manifest, escrow }, `posted task ${taskId}`);
    output.note(`${formatAmount(escrow, await readTokenUnit(sender.chain, deployment.token))} are in escrow.`);
    output.note("`touchstone follow` with this id tells how it goes on.");
  });
}
