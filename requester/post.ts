/** Posts a prepared task: the package into the store, the price into escrow, the commitments onto the chain. */
import { type Address, erc20Abi, type Hex, zeroAddress } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import type { Deployment } from "../shared/chain/deployments.ts";
import { ContractRevertError } from "../shared/chain/errors.ts";
import type { Sender } from "../shared/chain/sender.ts";
import type { TaskSpec } from "../shared/chain/taskRecord.ts";
import { formatAmount, readTokenUnit } from "../shared/chain/token.ts";
import { putTaskPackage } from "../shared/data/taskPackage.ts";
import { escrow } from "../shared/economics/bonds.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { segmentCount } from "../shared/job/job.ts";
import { commitTraining, type Training } from "../shared/job/training.ts";
import type { ContentId, Store } from "../shared/store/store.ts";
import { type TaskFile, TaskFileError } from "../shared/task/task.ts";
import { requireMarketRules } from "./marketRules.ts";
import type { PreparedTask } from "./prepare.ts";

/** `sampleRate` of the contract that samples every segment. */
const SAMPLE_ALWAYS = 65536;

export interface PostedTask {
  readonly taskId: Hex;
  readonly manifest: ContentId;
  readonly training: Training;
  readonly escrow: bigint;
}

export class TokensMissingError extends TouchstoneError {
  readonly code = "TOKENS_MISSING";
  constructor(address: Address, balance: string, needed: string) {
    super(`${address} has ${balance}, the task needs ${needed} in escrow.`, {
      remedy: "Get tokens (on a local chain: `touchstone faucet`), or lower price, verifierFee or draws.",
    });
  }
}

/** @throws TokensMissingError, TaskFileError that names the value that the market refuses, and as `Sender.send`. */
export async function postTask(
  prepared: PreparedTask,
  sender: Sender,
  deployment: Deployment,
  store: Store,
): Promise<PostedTask> {
  const { task, taskPackage } = prepared;
  const training = commitTraining(taskPackage.job, taskPackage.initialState);
  const amount = escrowOf(task);
  const { client } = sender.chain;
  const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
  requireMarketRules(task, await client.readContract({ ...market, functionName: "seatStake" }));
  await requireTokens(sender, deployment.token, amount);
  const manifest = await putTaskPackage(store, taskPackage);
  await sender.send({
    address: deployment.token,
    abi: erc20Abi,
    functionName: "approve",
    args: [deployment.market, amount],
  });
  const spec: TaskSpec = {
    ...task.market,
    training,
    manifest: `0x${manifest}`,
    receiver: zeroAddress,
    sampleRate: Math.round(task.market.sampleRate * SAMPLE_ALWAYS),
  };
  try {
    const { result: taskId } = await sender.send({
      ...market,
      functionName: "post",
      args: [spec],
    });
    return { taskId, manifest, training, escrow: amount };
  } catch (error) {
    throw refusal(error, task);
  }
}

/** A market of other rules than `requireMarketRules` knows names the field that makes no sense: told as the place in the task file. */
function refusal(error: unknown, { market }: TaskFile): unknown {
  if (!(error instanceof ContractRevertError) || error.errorName !== "SpecInvalid") return error;
  const field = String(error.args[0]);
  const value = field in market ? ` (${market[field as keyof TaskFile["market"]]})` : "";
  return new TaskFileError(`$.market.${field}`, `the market refuses this value${value} beside the others`, error);
}

/** @throws TokensMissingError before anything is sent. */
async function requireTokens(sender: Sender, token: Address, needed: bigint): Promise<void> {
  const { client } = sender.chain;
  const balance = await client.readContract({
    address: token,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [sender.address],
  });
  if (balance >= needed) return;
  const unit = await readTokenUnit(sender.chain, token);
  throw new TokensMissingError(sender.address, formatAmount(balance, unit), formatAmount(needed, unit));
}

/** What the market takes when the task is posted: the price, and a fee for each seat that may be drawn. */
export function escrowOf({ market, training }: TaskFile): bigint {
  return escrow(market.price, market.verifierFee, market.draws, segmentCount(training));
}
