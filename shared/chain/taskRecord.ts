/** What the chain's log says about one task: how it was posted, and the checkpoints committed so far. */
import { type ContractFunctionArgs, type Hex, parseEventLogs } from "viem";
import type { Bytes32 } from "../commitment/bytes32.ts";
import { TouchstoneError } from "../errors.ts";
import type { Training } from "../job/training.ts";
import { contentIdOfBytes32 } from "../store/contentId.ts";
import type { ContentId } from "../store/store.ts";
import type { Chain } from "./connect.ts";
import { type Artifact, contractAbi } from "./contracts.ts";
import type { Deployment } from "./deployments.ts";
import { LogReader } from "./logReader.ts";

/** The posted specification, as the contract has it. */
export type TaskSpec = ContractFunctionArgs<Artifact<"TrainingMarket">["abi"], "nonpayable", "post">[0];

export interface CommittedCheckpoint {
  readonly segment: number;
  readonly stateRoot: Bytes32;
  /** Content id of the checkpoint's file. */
  readonly locator: ContentId;
}

export interface TaskRecord {
  readonly taskId: Hex;
  readonly requester: Hex;
  readonly spec: TaskSpec;
  readonly training: Training;
  readonly manifest: ContentId;
  /** By segment. */
  readonly checkpoints: readonly CommittedCheckpoint[];
}

export class TaskUnknownError extends TouchstoneError {
  readonly code = "TASK_UNKNOWN";
  constructor(taskId: Hex, market: Hex) {
    super(`The market at ${market} has no task ${taskId}.`, {
      remedy: "Check the task's id, the market and the chain.",
    });
  }
}

const LOG_RANGE = 2000;

/**
 * @param fromBlock a block no later than the task's.
 * @throws TaskUnknownError, and the reader's errors.
 */
export async function readTaskRecord(
  chain: Chain,
  { market }: Deployment,
  taskId: Hex,
  fromBlock = 0n,
): Promise<TaskRecord> {
  const reader = new LogReader(chain.client, [market], LOG_RANGE);
  const logs = await reader.read(fromBlock, await chain.client.getBlockNumber());
  const abi = contractAbi("TrainingMarket");
  const events = parseEventLogs({ abi, logs, eventName: ["TaskPosted", "CheckpointAppended"], strict: true }).filter(
    ({ args }) => args.taskId === taskId,
  );
  const posted = events.find((event) => event.eventName === "TaskPosted");
  if (posted === undefined) throw new TaskUnknownError(taskId, market);
  const { requester, spec } = posted.args;
  const checkpoints = events.flatMap((event) =>
    event.eventName === "CheckpointAppended" ? [checkpointOf(event.args)] : [],
  );
  return { taskId, requester, spec, training: spec.training, manifest: contentIdOfBytes32(spec.manifest), checkpoints };
}

function checkpointOf(args: { segment: number; stateRoot: Hex; locator: Hex }): CommittedCheckpoint {
  const { segment, stateRoot, locator } = args;
  return { segment, stateRoot, locator: contentIdOfBytes32(locator) };
}
