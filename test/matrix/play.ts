/** Plays one row of the cheat matrix through the real contracts and checks that it ends where the lie is. */
import assert from "node:assert/strict";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { digestSeal } from "../../shared/commitment/digest.ts";
import { MerkleTree } from "../../shared/commitment/tree.ts";
import { accuse } from "../../shared/dispute/challenger.ts";
import { defend, digestOf } from "../../shared/dispute/defendant.ts";
import { formatWord } from "../../shared/dispute/located.ts";
import type { DefendantMove } from "../../shared/dispute/moves.ts";
import { asReducing, partialValues } from "../../shared/dispute/partials.ts";
import { partOf } from "../../shared/dispute/parts.ts";
import { childOf, Level } from "../../shared/dispute/position.ts";
import type { TracedStep } from "../../shared/dispute/segmentEvidence.ts";
import { readerOf } from "../../shared/dispute/stepReader.ts";
import type { Walk } from "../../shared/dispute/walk.ts";
import { TouchstoneError } from "../../shared/errors.ts";
import { segmentSteps } from "../../shared/job/job.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import { by, networkHelpers, SEAT_STAKE, wallets } from "../contracts/support/arena.ts";
import { append, TERMS } from "../contracts/support/task.ts";
import { type PlayedGame, playGame } from "../endToEnd/gameOnChain.ts";
import { locate } from "../endToEnd/located.ts";
import type { Cheat } from "./cheats.ts";
import { Claim, type FirstFault, firstFault } from "./claim.ts";
import { describe } from "./place.ts";
import type { Stage } from "./stage.ts";

export interface Convicted {
  /** The place that the contract came to, in words. */
  readonly where: string;
  readonly reason: string;
  /** Transactions, the challenge with them. */
  readonly transactions: number;
  readonly gas: bigint;
  /** Errors with which the contract refused moves of the liar. */
  readonly refused: readonly string[];
}

/** Of a task's status. */
const FAILED = 4;
const SALT = `0x${"5a".repeat(32)}` as const;

/** @throws AssertionError unless the liar is convicted at the first wrong element. */
export async function convict(stage: Stage, cheat: Cheat): Promise<Convicted> {
  const claim = await claimOf(stage, cheat);
  const own = await stage.evidence(cheat.segment, claim.start);
  const honest = await honestFrom(stage, cheat.segment, claim.start);
  const fault = firstFault(honest, claim);
  const verifier = cheat.digest !== undefined;
  const digest = verifier ? await attest(stage, cheat, honest) : null;
  if (!verifier) await commit(stage, cheat, claim, honest);
  const game = await playGame(
    stage.arena,
    {
      defendant: {
        wallet: verifier ? wallets.verifier : wallets.solver,
        async move(walk) {
          const inDigest = walk.position.level === Level.digest && walk.turn === "defendant";
          const move = inDigest ? opening(digest!.tree, walk) : await numbersMove(stage, cheat, claim, walk);
          if (cheat.silentAt?.(walk.position)) return null;
          return cheat.play === undefined ? move : cheat.play(walk, move, claim);
        },
      },
      challenger: { wallet: wallets.challenger, move: (walk) => accuse(stage.run, own, walk) },
      ...(cheat.beforeAttack === undefined ? {} : { beforeAttack: cheat.beforeAttack }),
    },
    stage.taskId,
    cheat.segment,
    stage.training,
  );
  assert.equal(game.walk.outcome?.defendantConvicted, true, JSON.stringify([game.moves, game.refused]));
  if (game.walk.position.level === Level.digest) checkDigest(game, digest!);
  else checkPlace(stage, game, fault);
  if (game.walk.outcome.reason === "partial") await checkParts(stage, game, claim);
  if (cheat.silentAt !== undefined) {
    assert.equal(game.moves.at(-1), "claimTimeout");
    assert(cheat.silentAt(game.walk.position), "the walk did not come to the silence");
  }
  await checkMoney(stage, verifier);
  return {
    where: describe(stage, game),
    reason: game.walk.outcome.reason,
    transactions: game.moves.length,
    gas: game.gas,
    refused: game.refused,
  };
}

/** What the liar's own numbers give; what it cannot open it opens with what it has. */
async function numbersMove(stage: Stage, cheat: Cheat, claim: Claim, walk: Walk): Promise<DefendantMove | null> {
  try {
    return await defend(stage.run, claim.evidence, walk, { claimPartials: cheat.claimPartials ?? lyingPartials });
  } catch (error) {
    if (error instanceof TouchstoneError) return null;
    throw error;
  }
}

function opening(tree: MerkleTree, walk: Walk): DefendantMove {
  return { kind: "open", children: tree.opening(walk.position.height, walk.position.index) };
}

/** Computes the segment as the liar does. */
async function claimOf({ job, tracer, honest }: Stage, cheat: Cheat): Promise<Claim> {
  const range = segmentSteps(job, cheat.segment);
  const right = honest[cheat.segment]!;
  const start = cheat.start?.(right.start) ?? right.start;
  const steps: TracedStep[] = [];
  let state = start;
  for (let at = 0; at < range.stepCount; at++) {
    const step = range.firstStep + at;
    const traced = await tracer.trace(step, state);
    const lie = cheat.steps?.get(step);
    const told = lie === undefined ? traced : await lie(state, traced);
    steps.push(told);
    state = told.state === traced.state ? traced.state : trimmed(told.state);
  }
  cheat.rewrite?.(steps);
  const claim = new Claim(range, start, steps, cheat.edits);
  const isNothing = cheat.play === undefined && cheat.digest === undefined && firstFault(right, claim) === null;
  assert(!isNothing, "the lie changes nothing");
  const isVisible = cheat.digest !== undefined || start !== right.start || claim.endRoot !== right.endRoot;
  if (isVisible) return claim;
  // A lie that does not reach the checkpoint is not worth a challenge: the very last word is wrong as well, behind it.
  const last = steps.at(-1)!;
  const tensor = last.state.length - 1;
  const words = last.state[tensor]!.words.slice();
  words[words.length - 1]! ^= 1;
  steps[steps.length - 1] = { ...last, state: last.state.with(tensor, { ...last.state[tensor]!, words }) };
  return new Claim(range, start, steps, cheat.edits);
}

/** Words that a lie has put behind a tensor's end do not reach its own computation. */
function trimmed(state: readonly Tensor[]): readonly Tensor[] {
  return state.map((tensor) => ({ ...tensor, words: tensor.words.slice(0, wordCount(tensor.shape)) }));
}

async function honestFrom({ job, tracer, honest }: Stage, segment: number, start: readonly Tensor[]): Promise<Claim> {
  if (honest[segment]!.start === start) return honest[segment]!;
  const range = segmentSteps(job, segment);
  const steps: TracedStep[] = [];
  let state = start;
  for (let at = 0; at < range.stepCount; at++) {
    const traced = await tracer.trace(range.firstStep + at, state);
    steps.push(traced);
    state = traced.state;
  }
  return new Claim(range, start, steps);
}

/** The solver commits: honest checkpoints before the disputed segment, unless the start is poisoned. */
async function commit(stage: Stage, { segment, later }: Cheat, claim: Claim, honest: Claim): Promise<void> {
  const { arena, taskId } = stage;
  await stage.accepted();
  for (let before = 0; before < segment; before++) {
    const isLast = before === segment - 1;
    await append(arena, taskId, before, isLast ? claim.startRoot : stage.honest[before]!.endRoot);
  }
  assert.notEqual(claim.endRoot, honest.endRoot, "the lie does not reach the checkpoint");
  await append(arena, taskId, segment, claim.endRoot);
  if (later === true) await append(arena, taskId, segment + 1, claim.endRoot);
}

interface FalseDigest {
  readonly tree: MerkleTree;
  readonly firstFalse: number;
}

/** A verifier attests the honest checkpoint with false leaves. */
async function attest(stage: Stage, { segment, digest }: Cheat, honest: Claim): Promise<FalseDigest> {
  await stage.drawn();
  const { arena, taskId } = stage;
  const verifier = wallets.verifier.account.address;
  const { beacon } = await arena.market.read.segmentOf([taskId, segment]);
  const right = await digestOf(stage.run, honest.evidence, { beacon, defendant: verifier });
  const leaves = Array.from({ length: honest.stepCount }, (_, leaf) => right.node(0, leaf));
  const truth = [...leaves];
  digest!(leaves);
  const tree = MerkleTree.ofHashes(leaves);
  const [, draw] = await arena.market.read.isDrawn([taskId, segment, verifier]);
  const sealed = digestSeal(taskId, segment, verifier, SALT, tree.root);
  await arena.market.write.seal([taskId, segment, draw, sealed], by(wallets.verifier));
  await networkHelpers.time.increase(TERMS.sealWindow + 1);
  await arena.market.write.reveal([taskId, segment, SALT, tree.root], by(wallets.verifier));
  return { tree, firstFalse: leaves.findIndex((leaf, at) => leaf !== truth[at]) };
}

/** The contract came to the first false leaf of the digest. */
function checkDigest({ walk, deciding }: PlayedGame, { firstFalse }: FalseDigest): void {
  if (walk.outcome!.reason === "timeout") return;
  const { child } = deciding.args[1] as { readonly child: number };
  assert.equal(childOf(walk.position, Number(child)).index, firstFalse, "another leaf of the digest");
}

/** At every level the challenger had the first part taken that is not the exact one. */
async function checkParts(stage: Stage, { walk, claims }: PlayedGame, claim: Claim): Promise<void> {
  const { step, tensor, element } = walk.position;
  const operator = asReducing(stage.job.program.operators[tensor]!.operator);
  const read = readerOf(stage.run, operator, claim.numbers[step]!.outputs, (await claim.before(step)).state);
  let range = { lo: 0, hi: operator.length };
  for (const { exponent, values, chosen } of claims) {
    const exact = partialValues(operator, walk.wordAt(element), range, read);
    const shift = exponent - BigInt(exact.exponent);
    // On the scale of the finer of both.
    const scaled = (value: bigint, by: bigint): bigint => (by > 0n ? value << by : value);
    const wrong = values.findIndex((value, part) => scaled(value, shift) !== scaled(exact.values[part]!, -shift));
    assert.equal(chosen, Math.max(0, wrong), "another part");
    range = partOf(range, chosen);
  }
}

/** The place that the contract came to is that of the first fault, as deep as the walk went. */
function checkPlace({ job }: Stage, game: PlayedGame, fault: FirstFault | null): void {
  const { position, outcome } = game.walk;
  const { level, step, ofState, tensor, index } = position;
  const { reason } = outcome!;
  if (level === Level.answer) return;
  assert(fault !== null, "nothing is wrong below the segment");
  if (reason === "opening" && game.deciding.functionName === "choose") {
    // Decided by the choice of a child in the padding.
    const { child } = game.deciding.args[1] as { readonly child: number };
    const chosen = childOf(position, Number(child));
    const leaf = level === Level.segment ? fault.leaf : level === Level.tensor ? fault.tile! : fault.tensor!;
    assert.equal(chosen.index, Math.floor(leaf / 2 ** chosen.height), "another child in the padding");
    return;
  }
  if (level === Level.segment) {
    assert.equal(index, Math.floor(fault.leaf / 2 ** position.height));
    return;
  }
  assert.equal(2 * step + (ofState ? 1 : 0), fault.leaf, "another tree of the segment");
  if (level === Level.trace || level === Level.state) {
    if (fault.tensor !== undefined) assert.equal(index, Math.floor(fault.tensor / 2 ** position.height));
    return;
  }
  assert.equal(tensor, fault.tensor, "another tensor");
  if (level === Level.tensor) {
    if (fault.tile !== undefined) assert.equal(index, Math.floor(fault.tile / 2 ** position.height));
    return;
  }
  if (fault.tile !== undefined) assert.equal(index, fault.tile, "another tile");
  if (reason === "timeout") {
    if (level === Level.partials) assert.equal(position.element, fault.word, "another element");
    return;
  }
  const located = locate(job, game)!;
  assert.equal(located.element, fault.word, "another element");
  assert.equal(located.claimedBits, formatWord(fault.claimed!), "another claim");
  if (reason !== "partial") assert.equal(located.expectedBits, formatWord(fault.expected!), "another truth");
}

/** The challenger has its bond and its share; the liar has lost its stake. */
async function checkMoney({ arena, taskId }: Stage, isVerifier: boolean): Promise<void> {
  const credit = (wallet: typeof wallets.solver) => arena.market.read.credit([wallet.account.address]);
  const stake = isVerifier ? SEAT_STAKE : TERMS.solverBond;
  assert.equal(await credit(wallets.challenger), TERMS.challengerBond + stake / 4n);
  assert.equal(await credit(isVerifier ? wallets.verifier : wallets.solver), 0n);
  if (isVerifier) {
    const { empty } = await arena.market.read.seatOf([0n]);
    assert.equal(empty, true, "the seat is empty");
    return;
  }
  const { status } = await arena.market.read.task([taskId]);
  assert.equal(status, FAILED);
  assert.equal(await arena.market.read.finalStateRoot([taskId]), ZERO_BYTES32);
}
