/** Plays of the model on the contracts: whatever is done, in whatever second, both take it or refuse it alike and stand where the other does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import type { Job } from "../../shared/job/job.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { claimSegment, finalState, type Lie } from "../contracts/support/claimed.ts";
import { lieAbout, randomPlace } from "../contracts/support/lies.ts";
import { wideProgram } from "../contracts/support/wide.ts";
import { embeddingProgram, exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";
import { Chain, CONTRACT, type PlayedDispute, type Shown, shapeOf, type Told } from "./chain.ts";
import {
  type Actor,
  childrenOf,
  type Level,
  type Move,
  type MoveKind,
  play,
  Refusal,
  type Shape,
  type State,
  startBehind,
  startOf,
  timeLeft,
} from "./game.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const TRACES = DEEP ? 400 : 50;
/** Share of moves that are made only to be refused. */
const REFUSED = 0.45;

const STEPS = { steps: 5, interval: 3 };
const programs = [wideProgram(), regressionProgram(), embeddingProgram()];
const tasks = programs.map((program, seed) => ({
  job: exampleJob(program, seed, STEPS),
  initial: exampleState(program, seed),
}));

/** What the defendant claims: nothing false, or a few things. */
function anyTold(random: Random, job: Job, isVerifier: boolean): Told {
  const kind = random.below(isVerifier ? 4 : 6);
  const digest = isVerifier ? { digest: anyDigest(random) } : {};
  if (kind === 0) return digest;
  const { step, operator, element } = randomPlace(job, random, STEPS.interval);
  if (isVerifier) {
    if (kind === 1) return digest;
    // What it attests ends in the honest checkpoint, so that a lie on the way does not reach it.
    const { lie, partial } = lieAbout(job, random, random.below(STEPS.interval - 1), operator, element);
    return { ...digest, lie: { ...lie, ...endingIn(job) }, partial };
  }
  if (kind <= 2) return lieAbout(job, random, step, operator, element);
  if (kind === 3) return { lie: { leaves: (leaves) => void leaves.push(`0x${"ab".repeat(32)}`) } };
  if (kind === 4) {
    const lie: Lie = {
      outputs: (at, outputs) => {
        // Longer than it should be: something in the padding, beside a wrong word.
        if (at !== step) return;
        const words = new Uint32Array(outputs[operator]!.length + 1);
        words.set(outputs[operator]!);
        words[words.length - 1] = 7;
        outputs[operator] = words;
      },
    };
    return { lie };
  }
  const tensor = random.below(job.program.state.length);
  return {
    lie: {
      state: (at, state) => {
        if (at >= step) state[tensor]![0]! ^= 1;
      },
    },
  };
}

function anyDigest(random: Random): NonNullable<Told["digest"]> {
  const which = random.below(5);
  if (which === 0) return {};
  return { lie: (leaves: Bytes32[]) => void leaves.splice(which - 1, 1, `0x${"cd".repeat(32)}`) };
}

const honestEnds = new Map<Job, readonly Uint32Array[]>();

function endingIn(job: Job): Pick<Lie, "state"> {
  return {
    state: (at, state) => {
      if (at !== STEPS.interval - 1) return;
      for (const [p, words] of honestEnds.get(job)!.entries()) state[p] = words.slice();
    },
  };
}

interface Tally {
  readonly kinds: Map<MoveKind, number>;
  readonly refusals: Map<string, number>;
  readonly outcomes: Map<string, number>;
  moves: number;
}

const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);

/** One trace: the model proposes, the chain disposes, and they agree after every move. */
async function trace(chain: Chain, seed: number, tally: Tally): Promise<void> {
  const random = new Random(seed);
  const { job, initial } = random.pick(tasks);
  const isVerifier = random.chance(0.3);
  const clocks = { defendant: random.between(1, 200), challenger: random.between(1, 200) };
  const told = anyTold(random, job, isVerifier);
  const shape = shapeOf(job, STEPS.interval, isVerifier);
  const isAnswered = random.chance(0.15);
  const dispute = await chain.dispute(job, initial, told, clocks, isAnswered);
  const { answer, digestWrong, endWrong } = dispute.claims;
  const start = { ...clocks, digestWrong, endWrong };
  let state = isAnswered ? startBehind(CONTRACT, shape, start, answer) : startOf(start);
  agree(chain, state, await dispute.shown());
  for (let attempts = 0; state.outcome === null; attempts++) {
    assert.ok(attempts < 300, "the trace does not end");
    const refuse = timeLeft(state) >= 0 && random.chance(REFUSED);
    const taken = await anyTaken(random, shape, state, dispute, answer);
    // A second too late, and otherwise right.
    const late = { ...taken, delay: Math.max(0, timeLeft(state) + 1) };
    // An answer in another dispute has that one's clock.
    const tryLate = random.chance(0.04) && taken.move.kind !== "answerElsewhere";
    const { by, move, delay } = !refuse ? taken : tryLate ? late : anyRefused(random, shape, state);
    const before = chain.now;
    chain.pass(delay);
    const error = await dispute.make(state, by, move);
    const after = await judge(shape, state, by, move, delay, dispute);
    const what = `seed ${seed}: ${by} ${JSON.stringify(move)} after ${delay} s at ${JSON.stringify(state)}`;
    if (after instanceof Refusal) {
      assert.equal(error, after.error, what);
      count(tally.refusals, after.error);
      state = passed(state, chain.now - before);
    } else {
      assert.equal(error, null, what);
      tally.kinds.set(move.kind, (tally.kinds.get(move.kind) ?? 0) + 1);
      state = after;
    }
    tally.moves++;
    agree(chain, state, await dispute.shown(), what);
  }
  assert.deepEqual(await dispute.outcomes(), [state.outcome]);
  count(tally.outcomes, `${state.outcome!.convicted} ${state.outcome!.reason}`);
  for (const move of [{ kind: "claimTimeout" }, { kind: "open", shown: [] }, { kind: "adopt" }] as const) {
    assert.equal(await dispute.make({ ...state, level: "none" }, "defendant", move), "DisputeUnknown");
  }
  // Nobody that told the truth is convicted.
  const lied = answer || digestWrong;
  if (!lied && state.outcome!.reason !== "timeout") assert.equal(state.outcome!.convicted, "challenger");
}

/** The verdict is computed by the contract: the model is asked whether it can be. */
async function judge(shape: Shape, state: State, by: Actor, move: Move, delay: number, dispute: PlayedDispute) {
  if (!("differs" in move)) return play(CONTRACT, shape, state, by, move, delay);
  const [outcome] = await dispute.outcomes();
  const verdict = (differs: boolean) => play(CONTRACT, shape, state, by, { ...move, differs }, delay);
  if (outcome !== undefined) return verdict(outcome.convicted === "defendant");
  // Nothing was decided: the one that could have been says why.
  const refused = verdict(true);
  return refused instanceof Refusal && refused.error === "impossible" ? verdict(false) : refused;
}

/** Time that a refused move let pass. */
function passed(state: State, seconds: number): State {
  return { ...state, [state.turn]: Math.max(-1, timeLeft(state) - seconds) };
}

/** A second in which the side to move still may, the last one often. */
function anyDelay(random: Random, state: State): number {
  const left = timeLeft(state);
  return random.chance(0.05) ? left : Math.min(left, random.below(3));
}

interface Attempt {
  readonly by: Actor;
  readonly move: Move;
  readonly delay: number;
}

async function anyTaken(
  random: Random,
  shape: Shape,
  state: State,
  dispute: PlayedDispute,
  answer: boolean,
): Promise<Attempt> {
  const left = timeLeft(state);
  if (left < 0 || random.chance(0.01)) {
    return { by: "stranger", move: { kind: "claimTimeout" }, delay: Math.max(0, left + 1) };
  }
  const delay = anyDelay(random, state);
  if (state.turn === "defendant") {
    if (state.level === "answer") {
      if (state.answer !== null) return { by: random.pick(["stranger", "challenger"]), move: { kind: "adopt" }, delay };
      const kind = random.chance(0.2) ? "answerElsewhere" : "answer";
      return { by: "defendant", move: { kind, wrong: answer }, delay };
    }
    const shown = dispute.shownNext(await dispute.walk());
    if (state.level === "partials" && !state.wrong && shown.includes(true)) {
      // This liar's one false part does not add up to a right value: it has nothing to show and runs out of time.
      return { by: "stranger", move: { kind: "claimTimeout" }, delay: left + 1 };
    }
    if (state.level === "partials") return { by: "defendant", move: { kind: "claimPartials", shown }, delay };
    const by = random.pick<Actor>(["defendant", "stranger"]);
    return { by, move: { kind: state.level === "tile" ? "openTile" : "open", shown }, delay };
  }
  for (;;) {
    const move = anyChoice(random, state);
    if (takes(shape, state, move)) return { by: "challenger", move, delay };
  }
}

function takes(shape: Shape, state: State, move: Move): boolean {
  const verdicts = "differs" in move ? [move, { ...move, differs: !move.differs }] : [move];
  return verdicts.some((verdict) => !(play(CONTRACT, shape, state, "challenger", verdict, 0) instanceof Refusal));
}

/** A challenger's move: often about the first thing that is wrong, else about anything. */
function anyChoice(random: Random, state: State): Move {
  const shown = state.shown ?? [state.wrong];
  const wrong = shown.indexOf(true);
  const at = wrong >= 0 && random.chance(0.8) ? wrong : random.below(shown.length);
  switch (state.level) {
    case "fork":
      return { kind: "enterTree", digest: random.chance(0.5) };
    case "tile":
      return random.pick<Move>([
        { kind: "adjudicate", element: at, differs: true },
        { kind: "demandPartials", element: at },
      ]);
    case "partials":
      return random.pick<Move>([
        { kind: "choosePartial", part: at },
        { kind: "adjudicatePartial", part: at, differs: true },
      ]);
    default:
      return random.pick<Move>([
        { kind: "choose", child: at },
        { kind: "enterStep", child: at },
        { kind: "enterTensor", child: at },
        { kind: "adjudicateDigest", child: at, differs: true },
      ]);
  }
}

/** A move that the game refuses, by a name that does not hang on what a liar could have hashed. */
function anyRefused(random: Random, shape: Shape, state: State): Attempt {
  for (let tries = 0; tries < 10_000; tries++) {
    const attempt = anyAttempt(random, state);
    const { by, move, delay } = attempt;
    const after = play(CONTRACT, shape, state, by, move, delay);
    if (!(after instanceof Refusal) || ["impossible", "RefereeRange", "OpeningLength"].includes(after.error)) continue;
    // One defect at a time: after the last second everything else is refused for that alone.
    if (delay > timeLeft(state) && after.error !== "ChessClockExpired" && after.error !== "TimeoutEarly") continue;
    return attempt;
  }
  return assert.fail(`nothing is refused at ${JSON.stringify(state)}`);
}

function anyAttempt(random: Random, state: State): Attempt {
  const by = random.pick<Actor>(["defendant", "challenger", "stranger"]);
  const left = timeLeft(state);
  const child = random.below(TREE_EDGE + childrenOf(CONTRACT, state.height));
  const element = random.below(64);
  const part = random.below(17);
  const delay = Math.min(Math.max(left, 0), random.below(2));
  if (random.chance(0.6)) {
    // By the right side at the right level, and wrong in a finer way.
    const here = HERE[state.level].filter((kind) => OWNERS[kind] === state.turn);
    if (here.length > 0) return { by: state.turn, move: moveOf(random.pick(here), child, element, part), delay };
  }
  const kind = random.pick(Object.keys(OWNERS) as (keyof typeof OWNERS)[]);
  return { by, move: moveOf(kind, child, element, part), delay };
}

const OWNERS = {
  answer: "defendant",
  adopt: "defendant",
  open: "defendant",
  openTile: "defendant",
  claimPartials: "defendant",
  enterTree: "challenger",
  choose: "challenger",
  enterStep: "challenger",
  enterTensor: "challenger",
  adjudicateDigest: "challenger",
  adjudicate: "challenger",
  demandPartials: "challenger",
  choosePartial: "challenger",
  adjudicatePartial: "challenger",
  claimTimeout: null,
} as const;

const IN_TREES: readonly (keyof typeof OWNERS)[] = ["choose", "enterStep", "enterTensor", "adjudicateDigest"];
const HERE: Readonly<Record<Level, readonly (keyof typeof OWNERS)[]>> = {
  none: [],
  answer: ["adopt"],
  fork: [],
  segment: IN_TREES,
  trace: IN_TREES,
  state: IN_TREES,
  tensor: IN_TREES,
  digest: IN_TREES,
  tile: ["demandPartials"],
  partials: ["choosePartial", "adjudicatePartial"],
};

function moveOf(kind: keyof typeof OWNERS, child: number, element: number, part: number): Move {
  switch (kind) {
    case "answer":
      return { kind, wrong: true };
    case "open":
    case "openTile":
    case "claimPartials":
      return { kind, shown: [] };
    case "enterTree":
      return { kind, digest: false };
    case "adjudicateDigest":
      return { kind, child, differs: false };
    case "adjudicate":
      return { kind, element, differs: false };
    case "demandPartials":
      return { kind, element };
    case "choosePartial":
      return { kind, part };
    case "adjudicatePartial":
      return { kind, part, differs: false };
    case "choose":
    case "enterStep":
    case "enterTensor":
      return { kind, child };
    default:
      return { kind };
  }
}

const TREE_EDGE = 2;

function agree(chain: Chain, state: State, shown: Shown, what = "at the start"): void {
  if (state.outcome !== null) {
    assert.equal(shown.level, "none", what);
    return;
  }
  const { level, turn, height, index, leaves, step, tensor, ofState } = state;
  const range = level === "partials" ? ([state.element, state.lo, state.hi] as const) : null;
  const waiting = turn === "defendant" ? state.challenger : state.defendant;
  const left = timeLeft(state);
  const expected: Omit<Shown, "deadline"> = {
    level,
    turn,
    height,
    index,
    leaves,
    step,
    tensor,
    ofState,
    range,
    waiting,
  };
  const { deadline, ...rest } = shown;
  assert.deepEqual(rest, expected, what);
  // Once it has run out, by how much does not matter.
  if (left >= 0) assert.equal(deadline, chain.now + left, what);
  else assert.ok(deadline < chain.now, what);
}

describe("the model of the game and the contracts", () => {
  it("agree on what is taken, what is refused, whose turn it is, the time left and the outcome", async (context) => {
    const chain = await Chain.create();
    for (const { job, initial } of tasks) honestEnds.set(job, await honestEnd(job, initial));
    const tally: Tally = { kinds: new Map(), refusals: new Map(), outcomes: new Map(), moves: 0 };
    for (let seed = 0; seed < TRACES; seed++) await trace(chain, seed, tally);
    const list = (map: ReadonlyMap<string, number>): string =>
      [...map]
        .sort()
        .map(([name, times]) => `${name} ${times}`)
        .join(", ");
    context.diagnostic(`${TRACES} traces, ${tally.moves} moves`);
    context.diagnostic(`taken: ${list(tally.kinds)}`);
    context.diagnostic(`refused: ${list(tally.refusals)}`);
    context.diagnostic(`outcomes: ${list(tally.outcomes)}`);
    assert.ok(tally.kinds.size >= (DEEP ? 15 : 12), list(tally.kinds));
    assert.ok(tally.refusals.size >= (DEEP ? 12 : 8), list(tally.refusals));
    assert.ok(tally.outcomes.size >= (DEEP ? 10 : 5), list(tally.outcomes));
  });
});

async function honestEnd(job: Job, initial: readonly Tensor[]): Promise<readonly Uint32Array[]> {
  const start = initial.map(({ words }) => words);
  return finalState(await claimSegment(job, 0, start));
}
