/** Part 1: an honest solver trains, verifiers are drawn, replay and attest; later the task settles. */
import path from "node:path";
import type { Hex } from "viem";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { pause } from "../../shared/chain/pause.ts";
import { createProgress } from "../../shared/progress.ts";
import { readTaskStatus } from "../taskStatus.ts";
import type { ProgramEvent, ProgramProcess } from "./programProcess.ts";
import type { Stage } from "./stage.ts";

/** A task that a solver is working on. */
export interface StartedTask {
  readonly taskId: Hex;
  readonly fromBlock: bigint;
}

/** Posts a task file through the requester's program. */
export async function postTask(stage: Stage, taskFile: string): Promise<StartedTask> {
  const fromBlock = await stage.chain.client.getBlockNumber();
  const poster = stage.start("requester", "requester", ["post", taskFile]);
  const { taskId } = await poster.waitFor("posting", ({ event }) => event === "posted");
  await poster.stop();
  return { taskId: taskId as Hex, fromBlock };
}

/** Shows a solver's steps as they come, until it has trained. @returns the loss of every step. */
export async function watchTraining(solver: ProgramProcess, steps: number, silent: boolean): Promise<number[]> {
  const progress = createProgress(solver.name.padEnd(10), steps, silent);
  const trained = await solver.waitFor("the end of training", (event) => {
    if (event.event === "step") progress.update(Number(event.step) + 1, `loss ${Number(event.loss).toFixed(3)}`);
    return event.event === "trained";
  });
  progress.finish();
  return trained.losses as number[];
}

/** Waits until each verifier has replayed and found equal every segment, then lets the seal windows end so that they reveal. */
export async function awaitAttestations(
  stage: Stage,
  verifiers: readonly ProgramProcess[],
  { taskId }: StartedTask,
  segments: number,
): Promise<{ readonly replays: number; readonly attestations: number }> {
  const of = (process: ProgramProcess, name: string): ProgramEvent[] =>
    process.events.filter((event) => event.event === name && event.taskId === taskId);
  for (const verifier of verifiers) {
    for (let segment = 0; segment < segments; segment++) {
      await verifier.waitFor(
        `replaying segment ${segment}`,
        (event) => event.event === "replayed" && event.taskId === taskId && event.segment === segment,
      );
    }
  }
  const spoken = (verifier: ProgramProcess, segment: unknown, name: string): Promise<ProgramEvent> =>
    verifier.waitFor(
      `${name} of segment ${segment}`,
      (event) => [name, "missed"].includes(event.event) && event.taskId === taskId && event.segment === segment,
    );
  // A drawn verifier seals right after its replay; on a slow machine it may come too late.
  for (const verifier of verifiers) {
    for (const { segment } of of(verifier, "drawn")) await spoken(verifier, segment, "sealed");
  }
  const [sealEnd] = await windowsOf(stage, taskId, segments - 1);
  await stage.advancePast(sealEnd);
  let attestations = 0;
  for (const verifier of verifiers) {
    for (const { segment } of of(verifier, "sealed")) {
      if ((await spoken(verifier, segment, "revealed")).event === "revealed") attestations++;
    }
  }
  return { replays: verifiers.length * segments, attestations };
}

/** Lets the challenge windows end and waits for the solver to settle. */
export async function settle(stage: Stage, solver: ProgramProcess, { taskId }: StartedTask): Promise<void> {
  const { finalAt } = await readTaskStatus(stage.chain, stage.deployment, taskId);
  await stage.advancePast(finalAt);
  await solver.waitFor("settling", ({ event }) => event === "settled");
  while ((await readTaskStatus(stage.chain, stage.deployment, taskId)).status !== "settled") {
    await pause(stage.chain.pollingMs);
  }
}

/** Where the settled model is written. */
export function modelFile(stage: Stage): string {
  return path.relative(process.cwd(), stage.file("model.safetensors"));
}

async function windowsOf(stage: Stage, taskId: Hex, segment: number): Promise<readonly [bigint, bigint, bigint]> {
  return await stage.chain.client.readContract({
    address: stage.deployment.market,
    abi: contractAbi("TrainingMarket"),
    functionName: "windowsOf",
    args: [taskId, segment],
  });
}
