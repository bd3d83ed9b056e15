/** Tasks on the market: the spec of a job, and a task brought to the point where a segment can be challenged. */
import { parseEther, zeroAddress } from "viem";
import type { Bytes32 } from "../../../shared/commitment/bytes32.ts";
import { ZERO_BYTES32 } from "../../../shared/commitment/bytes32.ts";
import { constantsRoot } from "../../../shared/commitment/constantsRoot.ts";
import { datasetTree } from "../../../shared/commitment/datasetTree.ts";
import { stateRoot } from "../../../shared/commitment/stateRoot.ts";
import { tensorRoot } from "../../../shared/commitment/tensorRoot.ts";
import { type Job, sampleCount } from "../../../shared/job/job.ts";
import type { Tensor } from "../../../shared/program/program.ts";
import { type Arena, by, type Wallet, wallets } from "./arena.ts";
import { type Claimed, programTrees } from "./claimed.ts";

export function trainingOf(job: Job, initial: readonly Tensor[]) {
  const { program } = job;
  const { operatorsTree, statesTree } = programTrees(job);
  const samples = sampleCount(job);
  return {
    program: {
      operatorsRoot: operatorsTree.root,
      statesRoot: statesTree.root,
      constantsRoot: constantsRoot(program.constants),
      operatorCount: program.operators.length,
      stateCount: program.state.length,
      constantCount: program.constants.length,
    },
    data: {
      datasetRoot: samples === 0 ? ZERO_BYTES32 : datasetTree(job.samples, program.sample.words).root,
      sampleCount: samples,
      sampleWords: program.sample.words,
    },
    schedule: {
      scheduleRoot: job.schedule.length === 0 ? ZERO_BYTES32 : tensorRoot(job.schedule),
      width: program.scheduleColumns.length,
    },
    initialStateRoot: stateRoot(initial),
    seed: job.seed,
    steps: job.steps,
    interval: job.interval,
  };
}

export type Training = ReturnType<typeof trainingOf>;

export const TERMS = {
  manifest: `0x${"11".repeat(32)}` as Bytes32,
  receiver: zeroAddress as `0x${string}`,
  price: parseEther("100"),
  solverBond: parseEther("200"),
  challengerBond: parseEther("8"),
  verifierFee: parseEther("1"),
  draws: 2,
  sampleRate: 65536,
  checkpointTime: 10_000,
  replayTime: 3_000,
  beaconDelay: 3,
  sealWindow: 1_000,
  revealWindow: 1_000,
  challengeWindow: 5_000,
  clock: 3_600,
  answerGrace: 600,
  choiceGrace: 300,
};

export function specOf(training: Training, terms: Partial<typeof TERMS> = {}) {
  return { training, ...TERMS, ...terms };
}

export type Spec = ReturnType<typeof specOf>;

/** Posts a task and returns its id. */
export async function post(arena: Arena, spec: Spec, requester: Wallet = wallets.requester): Promise<Bytes32> {
  const { result } = await arena.market.simulate.post([spec], by(requester));
  await arena.market.write.post([spec], by(requester));
  return result;
}

/** Posts and accepts a task. */
export async function startTask(arena: Arena, spec: Spec): Promise<Bytes32> {
  const taskId = await post(arena, spec);
  await arena.market.write.accept([taskId], by(wallets.solver));
  return taskId;
}

export async function append(arena: Arena, taskId: Bytes32, segment: number, root: Bytes32): Promise<void> {
  await arena.market.write.appendCheckpoint([taskId, segment, root, ZERO_BYTES32], by(wallets.solver));
}

export function endRoot({ steps }: Claimed): Bytes32 {
  return steps.at(-1)!.state.root;
}

/** Opens a dispute; returns its id and subject. */
export async function challenge(
  arena: Arena,
  taskId: Bytes32,
  segment: number,
  defendant: Wallet,
  training: Training,
  challenger: Wallet = wallets.challenger,
) {
  const args = [taskId, segment, defendant.account.address, training] as const;
  const subject = await arena.market.read.subjectOf([...args]);
  const { result: disputeId } = await arena.market.simulate.challenge([...args], by(challenger));
  const hash = await arena.market.write.challenge([...args], by(challenger));
  return { disputeId, subject, hash };
}

export type Subject = Awaited<ReturnType<typeof challenge>>["subject"];
