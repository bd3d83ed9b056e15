/**
 * Challengers without a case against an honest solver, each a whole game through TrainingMarket, DisputeGame and Referee: they pick
 * any child, any element and any part, and always lose.
 */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Hex } from "viem";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { defend } from "../../shared/dispute/defendant.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { tensorName } from "../../shared/dispute/located.ts";
import { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence } from "../../shared/dispute/segmentEvidence.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { segmentCount, segmentSteps } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { accuseFalsely } from "../../verifier/falseAccuser.ts";
import { type Arena, deployArena, wallets } from "../contracts/support/arena.ts";
import { append, specOf, startTask, TERMS } from "../contracts/support/task.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { Random } from "../helpers/random.ts";
import { playGame } from "./gameOnChain.ts";

const GAMES = process.env.TOUCHSTONE_DEEP === "1" ? 1000 : 50;
const job = smallJob({ steps: 7, interval: 4 });
const run = new Run(job);
const initial = smallInitialState();
const training = commitTraining(job, initial);

let arena: Arena;
let taskId: Hex;
const evidence: SegmentEvidence[] = [];

before(async () => {
  arena = await deployArena();
  // Long windows: a thousand games take a while of block time.
  const spec = specOf(training, { challengeWindow: 5_000_000, clock: 1_000_000 });
  taskId = await startTask(arena, spec);
  const tracer = engineTracer(job, new ReferenceEngine(job.program));
  let state = initial;
  for (let segment = 0; segment < segmentCount(job); segment++) {
    const played = await SegmentEvidence.replay(tracer, state, segmentSteps(job, segment));
    evidence.push(played);
    state = [...(await played.step(played.stepCount - 1)).state];
    await append(arena, taskId, segment, stateRoot(state));
  }
});

test(`${GAMES} lying challengers lose their bonds to an honest solver`, async (t) => {
  const covered = new Map<string, number>();
  const moves = new Map<string, number>();
  const solver = wallets.solver.account.address;
  for (let seed = 0; seed < GAMES; seed++) {
    const random = new Random(seed);
    const segment = random.below(evidence.length);
    const own = evidence[segment]!;
    const earned = await arena.market.read.credit([solver]);
    const game = await playGame(
      arena,
      {
        defendant: { wallet: wallets.solver, move: (walk) => defend(run, own, walk) },
        challenger: {
          wallet: wallets.challenger,
          move: (walk) => accuseFalsely(run, own, walk, (bound) => random.below(bound), { paddingEvery: 10 }),
        },
      },
      taskId,
      segment,
      training,
    );
    const { outcome, position } = game.walk;
    assert.equal(outcome?.defendantConvicted, false, `seed ${seed}: ${game.moves.join(" ")}`);
    assert.equal(await arena.market.read.credit([solver]), earned + TERMS.challengerBond / 2n, `seed ${seed}`);
    const place = outcome.reason === "opening" ? "padding" : tensorName(job.program, position.tensor, position.ofState);
    covered.set(place, (covered.get(place) ?? 0) + 1);
    for (const move of game.moves) moves.set(move, (moves.get(move) ?? 0) + 1);
  }
  t.diagnostic(`decided at ${JSON.stringify(Object.fromEntries(covered))}`);
  t.diagnostic(`moves ${JSON.stringify(Object.fromEntries(moves))}`);
  assert.equal((await arena.market.read.task([taskId])).openDisputes, 0);
  assert(covered.size > 10 && covered.has("padding"), "the games did not reach enough places");
  for (const move of ["enterStep", "enterTensor", "openTile", "adjudicate", "demandPartials", "adjudicatePartial"]) {
    assert(moves.has(move), `no game came to ${move}`);
  }
});
