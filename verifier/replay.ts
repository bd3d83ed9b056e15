/** Replays one segment: its end, and the digests that verifiers must have seen on the way. */
import type { Address, Hex } from "viem";
import type { Bytes32 } from "../shared/commitment/bytes32.ts";
import { type DigestPosition, digestPosition, digestTree } from "../shared/commitment/digest.ts";
import { stateRootInTurns } from "../shared/commitment/stateRoot.ts";
import { TILE_WORDS, tileBytes, tileHash } from "../shared/commitment/tile.ts";
import type { Engine } from "../shared/engine/engine.ts";
import { type Job, segmentSteps, sourceOutputsInTurns } from "../shared/job/job.ts";
import { wordCount } from "../shared/program/descriptor.ts";
import type { Tensor } from "../shared/program/program.ts";

export interface Replay {
  readonly end: readonly Tensor[];
  readonly endRoot: Bytes32;
  /** The `digestRoot` of each verifier that was asked for. */
  readonly digests: ReadonlyMap<Address, Bytes32>;
}

export interface ReplayOptions {
  /** Whose digests to take, and the beacon that places their tiles. */
  readonly digests?: { readonly beacon: Hex; readonly verifiers: readonly Address[] };
  readonly onStep?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** @throws the signal's reason. */
export async function replaySegment(
  job: Job,
  engine: Engine,
  start: readonly Tensor[],
  segment: number,
  { digests, onStep, signal }: ReplayOptions = {},
): Promise<Replay> {
  const { firstStep, stepCount } = segmentSteps(job, segment);
  const counts = job.program.state.map(({ shape }) => wordCount(shape));
  const verifiers = digests?.verifiers ?? [];
  const placesAt = (step: number): DigestPosition[] =>
    verifiers.map((verifier) => digestPosition(digests!.beacon, verifier, step, counts));
  const leaves: Bytes32[][] = verifiers.map(() => []);
  const { state: end } = await engine.steps({
    state: start,
    count: stepCount,
    inputs: (step) => sourceOutputsInTurns(job, firstStep + step),
    ranges: (step) =>
      placesAt(step).map(({ tensor, tile }) => ({ tensor, offset: tile * TILE_WORDS, count: TILE_WORDS })),
    onStep: (step, { words }) => {
      for (const [at, tile] of words.entries()) leaves[at]!.push(tileHash(tileBytes(tile, 0)));
      onStep?.(step + 1);
    },
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    end,
    endRoot: await stateRootInTurns(end),
    digests: new Map(verifiers.map((verifier, at) => [verifier, digestTree(leaves[at]!).root])),
  };
}
