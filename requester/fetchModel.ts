/** What a settled task gives, verified against the committed state roots, as a safetensors file: a model's parameters, an inference's outputs. */
import type { Hex } from "viem";
import type { Chain } from "../shared/chain/connect.ts";
import { contractAbi } from "../shared/chain/contracts.ts";
import type { Deployment } from "../shared/chain/deployments.ts";
import { readTaskRecord } from "../shared/chain/taskRecord.ts";
import { parameterIndices } from "../shared/compile/optimizer/parameters.ts";
import { getCheckpoint } from "../shared/data/checkpoint.ts";
import { writeSafetensors } from "../shared/data/safetensors.ts";
import { getTaskPackage, type TaskPackage } from "../shared/data/taskPackage.ts";
import { TouchstoneError } from "../shared/errors.ts";
import type { Tensor } from "../shared/program/program.ts";
import type { Store } from "../shared/store/store.ts";
import { fetchOutputs, isInference } from "./fetchOutputs.ts";
import { readTaskStatus, type TaskStatus } from "./taskStatus.ts";

export class TaskNotSettledError extends TouchstoneError {
  readonly code = "TASK_NOT_SETTLED";
  constructor(taskId: Hex, status: TaskStatus["status"]) {
    const { problem, remedy } = REASONS[status] ?? REASONS.accepted!;
    super(`Task ${taskId} ${problem}.`, { remedy });
  }
}

const REASONS: Readonly<Record<string, { readonly problem: string; readonly remedy: string }>> = {
  posted: {
    problem: "was accepted by no solver yet, so there is no model",
    remedy: "Wait for one, or offer a higher price in a new task.",
  },
  accepted: {
    problem: "is not settled: there is no model yet that its windows have cleared",
    remedy: "`touchstone follow` tells when it is.",
  },
  failed: {
    problem: "has failed: its solver was convicted or gave up, so there is no model and will be none",
    remedy: "The price is credited to the requester; post the task again.",
  },
  cancelled: { problem: "was cancelled before a solver accepted it: there is no model", remedy: "Post it again." },
};

export interface SettledModel {
  readonly taskPackage: TaskPackage;
  /** The whole state, optimizer included, in program order. */
  readonly state: readonly Tensor[];
  /** The parameters alone; of an inference the outputs. */
  readonly safetensors: Uint8Array;
}

/** @throws TaskNotSettledError, TaskUnknownError, and the store's and the file formats' errors. */
export async function fetchModel(
  chain: Chain,
  deployment: Deployment,
  store: Store,
  taskId: Hex,
): Promise<SettledModel> {
  const { training, manifest, checkpoints } = await readTaskRecord(chain, deployment, taskId);
  const root = await chain.client.readContract({
    address: deployment.market,
    abi: contractAbi("TrainingMarket"),
    functionName: "finalStateRoot",
    args: [taskId],
  });
  if (BigInt(root) === 0n)
    throw new TaskNotSettledError(taskId, (await readTaskStatus(chain, deployment, taskId)).status);
  const taskPackage = await getTaskPackage(store, manifest, training);
  const layout = taskPackage.job.program.state;
  const state = await getCheckpoint(store, checkpoints.at(-1)!.locator, layout, root);
  const tensors = isInference(layout)
    ? await fetchOutputs(store, taskPackage.job, checkpoints)
    : parameterIndices(layout).map((index) => ({ name: layout[index]!.name, ...state[index]! }));
  const metadata = { format: "pt", task: taskId, stateRoot: root };
  return { taskPackage, state, safetensors: writeSafetensors(tensors, metadata) };
}
