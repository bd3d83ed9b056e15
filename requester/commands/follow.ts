import type { Command } from "commander";
import { pause } from "../../shared/chain/pause.ts";
import { readTaskRecord } from "../../shared/chain/taskRecord.ts";
import { createOutput, ExitCode } from "../../shared/cli.ts";
import { addChainOptions, type ChainOptions, openChain, parseBytes32 } from "../../shared/programOptions.ts";
import { createProgress } from "../../shared/progress.ts";
import { readTaskStatus, type TaskStatus } from "../taskStatus.ts";

export function addFollow(program: Command): void {
  const command = program
    .command("follow")
    .argument("<task>", "the task's id", parseBytes32)
    .option("--once", "tell where the task stands and end")
    .summary("watch a task until it is settled or failed")
    .description(
      "Shows committed checkpoints and open disputes, until the task is settled (exit 0) or failed (exit 3).",
    );
  addChainOptions(command).action(
    async (taskId: `0x${string}`, options: ChainOptions & { json?: boolean; once?: boolean }) => {
      const output = createOutput(options.json ?? false);
      const { chain, deployment } = await openChain(options);
      await readTaskRecord(chain, deployment, taskId);
      let shown = "";
      let progress: ReturnType<typeof createProgress> | undefined;
      for (;;) {
        const status = await readTaskStatus(chain, deployment, taskId);
        const { committed, segments, openDisputes } = status;
        progress ??= createProgress("checkpoints", segments, output.json);
        const line = JSON.stringify(status);
        if (line !== shown) {
          progress.update(committed, `${status.status}${openDisputes > 0 ? `, ${openDisputes} open disputes` : ""}`);
          output.event("task", { ...status });
        }
        shown = line;
        const ended = ["settled", "failed", "cancelled"].includes(status.status);
        if (ended || options.once) {
          progress.finish();
          output.event("ended", { ...status }, describe(status));
          if (status.status === "failed") process.exitCode = ExitCode.faultFound;
          return;
        }
        await pause(chain.pollingMs);
      }
    },
  );
}

function describe({ taskId, status, committed, segments, openDisputes, finalAt }: TaskStatus): string {
  const state = `task ${taskId} is ${status}`;
  if (status !== "accepted") return state;
  const counts = `${committed} of ${segments} checkpoints, ${openDisputes} open disputes`;
  const end = new Date(finalAt * 1000).toISOString();
  return `${state}: ${counts}${committed < segments ? "" : `, the last challenge window ends at ${end} of block time`}`;
}
