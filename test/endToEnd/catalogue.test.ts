/**
 * Every cheat of the catalogue through the real contracts: committed, found by a replay on another engine, challenged, convicted,
 * and located by the chain where it was injected. Each starts from the same honest market.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Hex } from "viem";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { accuse } from "../../shared/dispute/challenger.ts";
import { defend } from "../../shared/dispute/defendant.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence, type Tracer } from "../../shared/dispute/segmentEvidence.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { segmentCount, segmentSteps } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { CHEATS } from "../../solver/cheats/catalogue.ts";
import { CheatingTracer } from "../../solver/cheats/cheatingTracer.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import { CheatRandom } from "../../solver/cheats/random.ts";
import { replaySegment } from "../../verifier/replay.ts";
import { type Arena, by, deployArena, networkHelpers, wallets } from "../contracts/support/arena.ts";
import { append, specOf, startTask, TERMS } from "../contracts/support/task.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { playGame } from "./gameOnChain.ts";
import { locate } from "./located.ts";

const SEEDS = process.env.TOUCHSTONE_DEEP === "1" ? 40 : 2;
const job = smallJob({ steps: 7, interval: 4 });
const run = new Run(job);
const initial = smallInitialState();
const training = commitTraining(job, initial);
const segments = segmentCount(job);

let arena: Arena;
let taskId: Hex;
let verifierEngine: Engine;
/** The honest state before each segment, and at the end; computed by the verifier's engine. */
const honestStates: (readonly Tensor[])[] = [initial];
let accepted: Awaited<ReturnType<typeof networkHelpers.takeSnapshot>>;

before(async () => {
  arena = await deployArena();
  verifierEngine = await startOnnxRuntime(job.program);
  taskId = await startTask(arena, specOf(training, { clock: 36_000 }));
  accepted = await networkHelpers.takeSnapshot();
  for (let segment = 0; segment < segments; segment++) {
    const { end, endRoot } = await replaySegment(job, verifierEngine, honestStates[segment]!, segment);
    honestStates.push(end);
    await append(arena, taskId, segment, endRoot);
  }
});

after(() => verifierEngine.close());

test("the honest run settles and is paid", async () => {
  const { finalAt } = await arena.market.read.task([taskId]);
  await networkHelpers.time.increaseTo(finalAt + 1);
  await arena.market.write.settle([taskId], by(wallets.solver));
  const solver = wallets.solver.account.address;
  assert.equal(await arena.market.read.credit([solver]), TERMS.price + TERMS.solverBond);
  assert.equal(await arena.market.read.finalStateRoot([taskId]), stateRoot(honestStates.at(-1)!));
});

/** What a step of this job has no place for; test/examples plays these. */
const ELSEWHERE = ["wrong-gate", "stale-statistics", "stale-adapter", "wrong-output"];

for (const { name, silentAt, plan } of CHEATS.filter(({ name }) => !ELSEWHERE.includes(name))) {
  test(`${name} is convicted, and located where it was injected`, async (t) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await accepted.restore();
      const context = { job, initialState: initial, random: new CheatRandom(BigInt(seed)) };
      const tracer = new CheatingTracer(job, engineTracer(job, new ReferenceEngine(job.program)), plan(context));
      const states = await commitRun(tracer);
      const faulty = await firstFault();
      const evidence = await evidenceOf(tracer, states[faulty]!, faulty);
      const ownEvidence = await evidenceOf(engineTracer(job, verifierEngine), honestStates[faulty]!, faulty);
      const game = await playGame(
        arena,
        {
          defendant: {
            wallet: wallets.solver,
            async move(walk) {
              const move = await defend(run, evidence, walk, { claimPartials: lyingPartials });
              return move?.kind === silentAt ? null : move;
            },
          },
          challenger: { wallet: wallets.challenger, move: (walk) => accuse(run, ownEvidence, walk) },
        },
        taskId,
        faulty,
        training,
      );
      assert.equal(game.walk.outcome?.defendantConvicted, true);
      const located = locate(job, game);
      const { reason } = game.walk.outcome;
      t.diagnostic(`${reason} after ${game.moves.length} transactions, ${game.gas} gas: ${JSON.stringify(located)}`);
      if (silentAt === undefined) assert.deepEqual(located, tracer.injected);
      else {
        assert.equal(reason, "timeout");
        assert.equal(located, null);
        assert(!game.moves.includes(silentAt));
      }
      await checkMoney();
    }
  });
}

/** Trains under the cheat and commits every checkpoint; returns the states before each segment. */
async function commitRun(tracer: CheatingTracer): Promise<(readonly Tensor[])[]> {
  const states: (readonly Tensor[])[] = [initial];
  for (let segment = 0; segment < segments; segment++) {
    const { firstStep, stepCount } = segmentSteps(job, segment);
    let state = states[segment]!;
    for (let step = firstStep; step < firstStep + stepCount; step++) state = (await tracer.trace(step, state)).state;
    states.push(state);
    await append(arena, taskId, segment, stateRoot(state));
  }
  return states;
}

/** The first segment whose committed end is not the honest one. */
async function firstFault(): Promise<number> {
  for (let segment = 0; segment < segments; segment++) {
    const { stateRoot: committed } = await arena.market.read.segmentOf([taskId, segment]);
    if (committed !== stateRoot(honestStates[segment + 1]!)) return segment;
  }
  assert.fail("the cheat changed no checkpoint");
}

function evidenceOf(tracer: Tracer, start: readonly Tensor[], segment: number): Promise<SegmentEvidence> {
  return SegmentEvidence.replay(tracer, start, segmentSteps(job, segment));
}

async function checkMoney(): Promise<void> {
  const credit = (wallet: (typeof wallets)["solver"]) => arena.market.read.credit([wallet.account.address]);
  const { status } = await arena.market.read.task([taskId]);
  assert.equal(status, 4, "the task has failed");
  assert.equal(await credit(wallets.solver), 0n);
  assert.equal(await credit(wallets.challenger), TERMS.challengerBond + TERMS.solverBond / 4n);
  const fees = TERMS.verifierFee * BigInt(TERMS.draws * segments);
  assert.equal(await credit(wallets.requester), TERMS.price + fees + TERMS.solverBond / 4n);
  assert.equal(await arena.market.read.finalStateRoot([taskId]), ZERO_BYTES32);
}
