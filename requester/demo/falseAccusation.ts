/** Part 2: somebody challenges the honest run and lies as long as it can. */
import type { Hex } from "viem";
import type { StartedTask } from "./honestRun.ts";
import type { Stage } from "./stage.ts";
import { readTranscript, type Transcript } from "./transcript.ts";

export interface FalseAccusation {
  readonly segment: number;
  readonly transcript: Transcript;
}

export async function accuseFalsely(
  stage: Stage,
  { taskId, fromBlock }: StartedTask,
  segment: number,
): Promise<FalseAccusation> {
  const args = ["challenge", "--false-accusation", "--task", taskId, "--segment", String(segment)];
  const accuser = stage.start("accuser", "verifier", args);
  const { disputeId } = await accuser.waitFor("its dispute's end", ({ event }) => event === "resolved");
  await accuser.ended;
  return { segment, transcript: await readTranscript(stage.chain, stage.deployment, disputeId as Hex, fromBlock) };
}
