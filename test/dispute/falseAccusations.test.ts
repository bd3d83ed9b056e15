/** An honest defendant is never convicted, whatever its challenger picks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MerkleTree } from "../../shared/commitment/tree.ts";
import { accuse, NoDifferenceError } from "../../shared/dispute/challenger.ts";
import { defend, digestOf } from "../../shared/dispute/defendant.ts";
import { Level } from "../../shared/dispute/position.ts";
import { Run } from "../../shared/dispute/run.ts";
import { accuseFalsely } from "../../verifier/falseAccuser.ts";
import { Random } from "../helpers/random.ts";
import { evidenceOf, honestTracer, play, subjectOf } from "./play.ts";
import { SimulatedGame } from "./simulatedGame.ts";
import { smallInitialState, smallJob } from "./smallJob.ts";

const GAMES = process.env.TOUCHSTONE_DEEP === "1" ? 5000 : 300;
const BEACON = `0x${"5a".repeat(32)}` as const;
const job = smallJob({ steps: 7, interval: 4 });
const run = new Run(job);
const initial = smallInitialState();
const honest = honestTracer(job);

test("a lying challenger never convicts an honest defendant", async (t) => {
  const evidence = [await evidenceOf(job, honest, initial, 0), await evidenceOf(job, honest, initial, 1)];
  const covered = new Map<string, number>();
  for (let game = 0; game < GAMES; game++) {
    const random = new Random(1000 + game);
    const segment = random.below(2);
    const own = evidence[segment]!;
    const played = await play(run, subjectOf(job, segment, own), own, own, {
      challenge: (r, e, walk) => accuseFalsely(r, e, walk, (bound) => random.below(bound), { paddingEvery: 8 }),
    });
    const { outcome, position } = played.walk;
    assert.equal(outcome?.defendantConvicted, false, `game ${game}: ${played.moves.join(" ")}`);
    const tensor = position.ofState ? job.program.state[position.tensor]! : job.program.operators[position.tensor]!;
    const key = outcome.reason === "opening" ? "padding" : tensor.name;
    covered.set(key, (covered.get(key) ?? 0) + 1);
  }
  t.diagnostic(`${GAMES} games: ${JSON.stringify(Object.fromEntries(covered))}`);
  assert(covered.size > 15 && covered.has("padding"));
});

test("an honest verifier's digest is never convicted either", async () => {
  const own = await evidenceOf(job, honest, initial, 0);
  const placed = { ...subjectOf(job, 0, own), beacon: BEACON };
  const subject = { ...placed, digestRoot: (await digestOf(run, own, placed)).root };
  const reasons = new Set<string>();
  for (let game = 0; game < 60; game++) {
    const random = new Random(5000 + game);
    const played = await play(run, subject, own, own, {
      challenge: (r, e, at) => accuseFalsely(r, e, at, (bound) => random.below(bound)),
    });
    assert.equal(played.walk.outcome?.defendantConvicted, false);
    reasons.add(played.walk.outcome.reason);
  }
  assert(reasons.has("digest") && reasons.has("element"));
});

test("a wrong digest convicts the verifier, in the digest tree or in its segment", async () => {
  const own = await evidenceOf(job, honest, initial, 0);
  const subject = { ...subjectOf(job, 0, own), beacon: BEACON };
  const right = await digestOf(run, own, subject);
  const leaves = Array.from({ length: 4 }, (_, leaf) => (leaf === 2 ? right.root : right.node(0, leaf)));
  const wrong = MerkleTree.ofHashes(leaves);
  // The verifier opens its own wrong tree; everything else is honest.
  const game = new SimulatedGame(run, { ...subject, digestRoot: wrong.root });
  while (game.walk.outcome === null) {
    const { level, height, index } = game.walk.position;
    const digestTurn = level === Level.digest && game.walk.turn === "defendant";
    const move = digestTurn
      ? ({ kind: "open", children: wrong.opening(height, index) } as const)
      : ((await defend(run, own, game.walk)) ?? (await accuse(run, own, game.walk))!);
    game.play(move);
  }
  assert.deepEqual(game.walk.outcome, { defendantConvicted: true, reason: "digest" });
});

test("an honest challenger says so when there is no case", async () => {
  const own = await evidenceOf(job, honest, initial, 0);
  await assert.rejects(play(run, subjectOf(job, 0, own), own, own), NoDifferenceError);
});
