import type { Command } from "commander";
import { createOutput } from "../../shared/cli.ts";
import {
  addChainOptions,
  addStoreOption,
  type ChainOptions,
  openChain,
  openProgramStore,
  parseBytes32,
} from "../../shared/programOptions.ts";
import { fetchModel } from "../fetchModel.ts";
import { requireFolderOf, writeOutput } from "../outputFile.ts";

interface FetchOptions extends ChainOptions {
  readonly store: string;
  readonly out: string;
  readonly json?: boolean;
}

export function addFetch(program: Command): void {
  const command = program
    .command("fetch")
    .argument("<task>", "the task's id", parseBytes32)
    .option("--out <file>", "file to write", "model.safetensors")
    .summary("download the model of a settled task")
    .description(
      "Writes the trained parameters (of an inference: its outputs) as a safetensors file, after checking them against the settled state root.",
    );
  addStoreOption(addChainOptions(command)).action(async (taskId: `0x${string}`, options: FetchOptions) => {
    const output = createOutput(options.json ?? false);
    await requireFolderOf(options.out);
    const { chain, deployment } = await openChain(options);
    const { safetensors } = await fetchModel(chain, deployment, openProgramStore(options.store), taskId);
    await writeOutput(options.out, safetensors);
    output.event("fetched", { taskId, file: options.out, bytes: safetensors.length }, `wrote ${options.out}`);
  });
}
