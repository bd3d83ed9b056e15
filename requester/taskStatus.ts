/** Where a task stands, read from the market's storage. */
import type { Address, Hex } from "viem";
import type { Chain } from "../shared/chain/connect.ts";
import { contractAbi } from "../shared/chain/contracts.ts";
import type { Deployment } from "../shared/chain/deployments.ts";
import { segmentCount } from "../shared/job/job.ts";

/** `TaskStatus` of contracts/interfaces/ITrainingMarket.sol, in its order. */
const STATUSES = ["none", "posted", "accepted", "settled", "failed", "cancelled"] as const;

export interface TaskStatus {
  readonly taskId: Hex;
  readonly status: (typeof STATUSES)[number];
  readonly solver: Address;
  readonly committed: number;
  readonly segments: number;
  readonly openDisputes: number;
  /** Block time at which the last challenge window ends, in seconds. */
  readonly finalAt: number;
}

export async function readTaskStatus(chain: Chain, { market }: Deployment, taskId: Hex): Promise<TaskStatus> {
  const { status, solver, committed, openDisputes, finalAt, ...task } = await chain.client.readContract({
    address: market,
    abi: contractAbi("TrainingMarket"),
    functionName: "task",
    args: [taskId],
  });
  const segments = status === 0 ? 0 : segmentCount(task);
  return { taskId, status: STATUSES[status]!, solver, committed, segments, openDisputes, finalAt };
}
