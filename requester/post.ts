/** Posts a prepared task: the package into the store, the price into escrow, the commitments onto the chain. */
import { erc20Abi, type Hex, zeroAddress } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import type { Deployment } from "../shared/chain/deployments.ts";
import type { Sender } from "../shared/chain/sender.ts";
import { putTaskPackage } from "../shared/data/taskPackage.ts";
import { segmentCount } from "../shared/program/job.ts";
import type { TaskFile } from "../shared/program/task.ts";
import { commitTraining, type Training } from "../shared/program/training.ts";
import type { ContentId, Store } from "../shared/store/store.ts";
import type { PreparedTask } from "./prepare.ts";

/** `sampleRate` of the contract that samples every segment. */
const SAMPLE_ALWAYS = 65536;

export interface PostedTask {
  readonly taskId: Hex;
  readonly manifest: ContentId;
  readonly training: Training;
  readonly escrow: bigint;
}

/** @throws as `Sender.send`; the contract names the field of the task's market section that it refuses. */
export async function postTask(
  prepared: PreparedTask,
  sender: Sender,
  deployment: Deployment,
  store: Store,
): Promise<PostedTask> {
  const { task, taskPackage } = prepared;
  const training = commitTraining(taskPackage.job, taskPackage.initialState);
  const manifest = await putTaskPackage(store, taskPackage);
  const escrow = escrowOf(task);
  await sender.send({
    address: deployment.token,
    abi: erc20Abi,
    functionName: "approve",
    args: [deployment.market, escrow],
  });
  const { result: taskId } = await sender.send({
    address: deployment.market,
    abi: contractAbi("TrainingMarket"),
    functionName: "post",
    args: [
      {
        ...task.market,
        training,
        manifest: `0x${manifest}`,
        receiver: zeroAddress,
        sampleRate: Math.round(task.market.sampleRate * SAMPLE_ALWAYS),
      },
    ],
  });
  return { taskId, manifest, training, escrow };
}

/** What the market takes when the task is posted: the price, and a fee for each seat that may be drawn. */
export function escrowOf({ market, training }: TaskFile): bigint {
  return market.price + market.verifierFee * BigInt(market.draws) * BigInt(segmentCount(training));
}
