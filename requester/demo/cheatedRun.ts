/** Part 3: a solver cheats in one place; a verifier that knows nothing of it convicts it. */
import { readFile } from "node:fs/promises";
import { type Hex, parseEventLogs } from "viem";
import { contractAbi } from "../../shared/chain/contracts.ts";
import { pause } from "../../shared/chain/pause.ts";
import type { LocatedFault } from "../../shared/dispute/located.ts";
import type { ReportedChoice } from "./drawWalk.ts";
import { postTask } from "./honestRun.ts";
import type { ProgramProcess } from "./programProcess.ts";
import type { Stage } from "./stage.ts";
import { readTranscript, type Transcript } from "./transcript.ts";

export interface CheatedRun {
  /** What the cheat did, by its own report: read only now, when the dispute is over. */
  readonly injected: Readonly<Record<string, unknown>>;
  /** Where the chain found it; null when a clock ran out. */
  readonly located: LocatedFault | null;
  readonly choices: readonly ReportedChoice[];
  readonly challenger: string;
  readonly transcript: Transcript;
}

export async function runCheat(
  stage: Stage,
  taskFile: string,
  verifiers: readonly ProgramProcess[],
  cheat: string,
  seed: number,
): Promise<CheatedRun> {
  const { taskId, fromBlock } = await postTask(stage, taskFile);
  const report = stage.file("cheat.json");
  const args = [
    "work",
    "--task",
    taskId,
    "--once",
    "--cheat",
    cheat,
    "--cheat-seed",
    String(seed),
    "--cheat-report",
    report,
  ];
  const solver = stage.start("cheat", "solver", args);
  const disputeId = await awaitConviction(stage, solver, taskId, fromBlock);
  const transcript = await readTranscript(stage.chain, stage.deployment, disputeId, fromBlock);
  const verifier = verifiers.find(({ events }) =>
    events.some((event) => event.event === "dispute" && event.disputeId === disputeId),
  );
  const timedOut = transcript.reason === "timeout";
  const located = timedOut
    ? null
    : await verifier?.waitFor("the place", (event) => event.event === "located" && event.disputeId === disputeId);
  const choices = (verifier?.events ?? []).filter((event) => event.event === "chosen" && event.disputeId === disputeId);
  return {
    injected: (JSON.parse(await readFile(report, "utf8")) as { injected: Readonly<Record<string, unknown>> }).injected,
    located: (located?.located ?? null) as LocatedFault | null,
    choices: choices as unknown as ReportedChoice[],
    challenger: verifier?.name ?? "challenger",
    transcript,
  };
}

/** The dispute that convicted the solver. Where the solver says that it has fallen silent, moves block time past its clock. */
async function awaitConviction(stage: Stage, solver: ProgramProcess, taskId: Hex, fromBlock: bigint): Promise<Hex> {
  const { client, pollingMs } = stage.chain;
  const { market, game } = stage.deployment;
  const waitedOut = new Set<Hex>();
  for (;;) {
    const logs = await client.getLogs({ address: [market, game], fromBlock, toBlock: "latest" });
    const convicted = parseEventLogs({ abi: contractAbi("TrainingMarket"), logs, eventName: "Convicted" }).find(
      ({ args }) => args.taskId === taskId,
    );
    if (convicted !== undefined) return convicted.args.disputeId;
    // A solver that ended without a conviction has failed: let its own words say why.
    if (solver.hasEnded) await solver.waitFor("its conviction", () => false);
    const silent = solver.events.flatMap(({ event, disputeId }) => (event === "silent" ? [disputeId as Hex] : []));
    const over = new Set(
      parseEventLogs({ abi: contractAbi("DisputeGame"), logs, eventName: "DisputeResolved" }).map(
        ({ args }) => args.disputeId,
      ),
    );
    const live = parseEventLogs({ abi: contractAbi("DisputeGame"), logs, eventName: "DisputeOpened" })
      .map(({ args }) => args.disputeId)
      .filter((disputeId) => !over.has(disputeId));
    // Time runs in all disputes alike: none is cut short while another is still being played.
    if (live.every((disputeId) => silent.includes(disputeId))) {
      for (const disputeId of live) {
        if (waitedOut.has(disputeId)) continue;
        waitedOut.add(disputeId);
        await advancePastDeadline(stage, disputeId);
      }
    }
    await pause(pollingMs);
  }
}

async function advancePastDeadline(stage: Stage, disputeId: Hex): Promise<void> {
  const game = { address: stage.deployment.game, abi: contractAbi("DisputeGame") } as const;
  const { walk, clock } = await stage.chain.client.readContract({
    ...game,
    functionName: "dispute",
    args: [disputeId],
  });
  const isDefendantsTurn = walk.level !== 0 && clock.turn === 0;
  if (!isDefendantsTurn) return;
  const deadline = await stage.chain.client.readContract({ ...game, functionName: "deadline", args: [disputeId] });
  await stage.advancePast(deadline);
}
