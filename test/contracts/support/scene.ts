/** A dispute about one segment, from the task to the point where the walk begins. */
import assert from "node:assert/strict";
import type { Bytes32 } from "../../../shared/commitment/bytes32.ts";
import { digestSeal } from "../../../shared/commitment/digest.ts";
import type { Job } from "../../../shared/job/job.ts";
import type { Tensor } from "../../../shared/program/program.ts";
import type { Random } from "../../helpers/random.ts";
import { type Arena, by, mine, time, type Wallet, wallets } from "./arena.ts";
import { type Claimed, type ClaimedDigest, claimDigest, claimSegment, finalState, type Lie } from "./claimed.ts";
import { type Claimant, Dispute } from "./player.ts";
import { append, challenge, endRoot, specOf, startTask, TERMS, trainingOf } from "./task.ts";

export interface Scene {
  readonly arena: Arena;
  readonly job: Job;
  readonly initial: readonly Tensor[];
  readonly lie?: Lie;
  readonly partial?: Claimant["partial"];
  /** The disputed segment; the ones before are honest. */
  readonly segment?: number;
  readonly random?: Random;
  readonly onMove?: (move: string, gas: bigint) => void;
}

/** The solver commits to what `lie` says and the challenger, who knows better, disputes the segment. */
export async function disputeSolver({ arena, job, initial, lie, segment = 0, ...rest }: Scene) {
  const training = trainingOf(job, initial);
  const taskId = await startTask(arena, specOf(training));
  const { honest, claimed } = await claims(job, initial, segment, lie);
  for (const [at, root] of honest.roots.entries()) await append(arena, taskId, at, root);
  await append(arena, taskId, segment, endRoot(claimed));
  const { disputeId, subject } = await challenge(arena, taskId, segment, wallets.solver, training);
  const defendant: Claimant = { wallet: wallets.solver, claimed, ...only("partial", rest.partial) };
  const challenger: Claimant = { wallet: wallets.challenger, claimed: honest.claimed };
  const dispute = new Dispute({
    game: arena.game,
    disputeId,
    subject,
    defendant,
    challenger,
    ...only("random", rest.random),
    ...only("onMove", rest.onMove),
  });
  return { dispute, disputeId, subject, training, taskId, defendant, challenger };
}

export type SolverDispute = Awaited<ReturnType<typeof disputeSolver>>;

async function claims(job: Job, initial: readonly Tensor[], segment: number, lie: Lie | undefined) {
  let start: readonly Uint32Array[] = initial.map(({ words }) => words);
  const roots: Bytes32[] = [];
  for (let before = 0; before < segment; before++) {
    const past = await claimSegment(job, before, start);
    roots.push(endRoot(past));
    start = finalState(past);
  }
  const claimed = await claimSegment(job, segment, start);
  return { honest: { roots, claimed }, claimed: lie ? await claimSegment(job, segment, start, lie) : claimed };
}

export const SALT: Bytes32 = `0x${"5a".repeat(32)}`;

/** A verifier with the only seat attests an honest checkpoint; `lie` is about the digest's leaves. */
export async function attest(
  arena: Arena,
  taskId: Bytes32,
  segment: number,
  claimed: Claimed,
  verifier: Wallet,
  lie?: (leaves: Bytes32[]) => void,
): Promise<ClaimedDigest> {
  await mine(TERMS.beaconDelay + 1);
  await arena.market.write.draw([taskId, segment], by(wallets.stranger));
  const { beacon } = await arena.market.read.segmentOf([taskId, segment]);
  const address = verifier.account.address;
  const digest = claimDigest(claimed, beacon, address, lie);
  const [drawn, draw] = await arena.market.read.isDrawn([taskId, segment, address]);
  assert.equal(drawn, true);
  const sealed = digestSeal(taskId, segment, address, SALT, digest.tree.root);
  await arena.market.write.seal([taskId, segment, draw, sealed], by(verifier));
  await time.increase(TERMS.sealWindow + 1);
  await arena.market.write.reveal([taskId, segment, SALT, digest.tree.root], by(verifier));
  return digest;
}

export interface VerifierScene extends Omit<Scene, "segment" | "partial"> {
  /** What the verifier answers with, when not the honest segment. */
  readonly segmentLie?: Lie;
  readonly digestLie?: (leaves: Bytes32[]) => void;
}

/** The checkpoint is honest; a verifier attests it, and is disputed. */
export async function disputeVerifier({ arena, job, initial, segmentLie, digestLie, ...rest }: VerifierScene) {
  const training = trainingOf(job, initial);
  await arena.market.write.joinSeats([1n], by(wallets.verifier));
  const taskId = await startTask(arena, specOf(training));
  const start = initial.map(({ words }) => words);
  const honest = await claimSegment(job, 0, start);
  await append(arena, taskId, 0, endRoot(honest));
  const digest = await attest(arena, taskId, 0, honest, wallets.verifier, digestLie);
  const { disputeId, subject } = await challenge(arena, taskId, 0, wallets.verifier, training);
  const claimed = segmentLie ? await claimSegment(job, 0, start, segmentLie) : honest;
  const truth = claimDigest(honest, subject.beacon, wallets.verifier.account.address);
  const dispute = new Dispute({
    game: arena.game,
    disputeId,
    subject,
    defendant: { wallet: wallets.verifier, claimed, digest },
    challenger: { wallet: wallets.challenger, claimed: honest, digest: truth },
    ...only("random", rest.random),
    ...only("onMove", rest.onMove),
  });
  return { dispute, disputeId, subject, training, taskId };
}

/** An optional property that is absent when undefined. */
function only<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}
