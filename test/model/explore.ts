/** Walks every state that the model of the game can reach, and solves it for an honest side against every strategy of the other. */
import assert from "node:assert/strict";
import {
  type Move,
  type MoveKind,
  optionsOf,
  play,
  Refusal,
  type Rules,
  type Shape,
  type Side,
  type State,
  timeLeft,
} from "./game.ts";

export interface Game {
  readonly rules: Rules;
  readonly shape: Shape;
}

/** What tells two states apart for all that can still happen. */
export function keyOf({ shape }: Game, state: State): string {
  const { level, turn, defendant, challenger, outcome } = state;
  if (outcome !== null) return `${outcome.convicted} ${outcome.reason}`;
  const shown = state.shown?.map(Number).join("") ?? "";
  const clocks = `${turn} ${defendant} ${challenger}`;
  const claims = `${state.answer} ${state.digestWrong} ${state.endWrong}`;
  const node = `${+state.wrong} ${+state.clean} ${shown}`;
  const tree = `${state.height} ${state.index} ${state.leaves}`;
  if (level === "answer" || level === "fork") return `${level} ${clocks} ${claims}`;
  if (level === "digest") return `${level} ${clocks} ${claims} ${node} ${tree}`;
  if (level === "segment") return `${level} ${clocks} ${node} ${tree} ${state.endWrong}`;
  if (level === "trace" || level === "state") return `${level} ${clocks} ${node} ${tree}`;
  // Tensors of one shape play alike.
  const tensor = state.ofState ? `state ${shape.states[state.tensor]}` : operatorKey(shape, state.tensor);
  const range = level === "partials" ? `${state.element} ${state.lo} ${state.hi}` : "";
  return `${level} ${clocks} ${node} ${tree} ${tensor} ${range}`;
}

const operatorKeys = new WeakMap<Shape, string[]>();

function operatorKey(shape: Shape, tensor: number): string {
  let keys = operatorKeys.get(shape);
  if (keys === undefined) {
    // Operators whose referee decides alike are the same object.
    const rules = [...new Set(shape.operators.map(({ adjudicable }) => adjudicable))];
    keys = shape.operators.map(
      ({ words, length, decodable, adjudicable }) => `${words} ${length} ${decodable} ${rules.indexOf(adjudicable)}`,
    );
    operatorKeys.set(shape, keys);
  }
  return keys[tensor]!;
}

function next(game: Game, state: State, move: Move, delay: number): State {
  const after = play(game.rules, game.shape, state, state.turn, move, delay);
  assert.ok(!(after instanceof Refusal), `${move.kind}: ${(after as Refusal).error}`);
  return after;
}

export interface Census {
  readonly states: number;
  readonly transitions: number;
  /** Moves of the longest line of play, of both sides together. */
  readonly longest: number;
  readonly reasons: ReadonlySet<string>;
  readonly kinds: ReadonlySet<MoveKind>;
}

/**
 * Visits every state, both sides playing anything at all in any second that they have, and asserts in each that
 * – it is over with one outcome and takes no move at all, or it is not over and somebody can end the wait for it;
 * – up to the last second of the side to move its moves are taken and a claim of time is not; one second later it is the reverse;
 * – no move turns a clock up, and none touches the clock of the side that waits;
 * – play comes to an end: no state can come back.
 */
export function census(game: Game, starts: readonly State[]): Census {
  const depths = new Map<string, number>();
  const open = new Set<string>();
  const reasons = new Set<string>();
  const kinds = new Set<MoveKind>();
  let transitions = 0;

  const visit = (state: State): number => {
    const key = keyOf(game, state);
    const known = depths.get(key);
    if (known !== undefined) return known;
    assert.ok(!open.has(key), `play can come back to ${key}`);
    open.add(key);
    let longest = 0;
    if (state.outcome !== null) {
      reasons.add(`${state.outcome.convicted} ${state.outcome.reason}`);
      assertOver(game, state);
    } else {
      const left = timeLeft(state);
      const late = assertBoundary(game, state);
      visit(late);
      longest = 1;
      for (const move of optionsOf(game.rules, game.shape, state)) {
        kinds.add(move.kind);
        for (let delay = 0; delay <= left; delay++) {
          const after = next(game, state, move, delay);
          assertClocks(state, after, delay);
          transitions++;
          longest = Math.max(longest, 1 + visit(after));
        }
      }
    }
    open.delete(key);
    depths.set(key, longest);
    return longest;
  };
  const longest = Math.max(...starts.map(visit));
  return { states: depths.size, transitions, longest, reasons, kinds };
}

const ANY_MOVE: readonly Move[] = [
  { kind: "answer", wrong: false },
  { kind: "adopt" },
  { kind: "open", shown: [] },
  { kind: "openTile", shown: [] },
  { kind: "claimPartials", shown: [] },
  { kind: "enterTree", digest: false },
  { kind: "choose", child: 0 },
  { kind: "enterStep", child: 0 },
  { kind: "enterTensor", child: 0 },
  { kind: "adjudicateDigest", child: 0, differs: false },
  { kind: "adjudicate", element: 0, differs: true },
  { kind: "demandPartials", element: 0 },
  { kind: "choosePartial", part: 0 },
  { kind: "adjudicatePartial", part: 0, differs: true },
  { kind: "claimTimeout" },
];

function assertOver(game: Game, state: State): void {
  for (const by of ["defendant", "challenger", "stranger"] as const) {
    for (const move of ANY_MOVE) {
      const after = play(game.rules, game.shape, state, by, move, 0);
      assert.ok(after instanceof Refusal && after.error === "DisputeUnknown", `${move.kind} after the end`);
    }
  }
}

/** Returns the state after a stranger has claimed the time-out. */
function assertBoundary(game: Game, state: State): State {
  const { rules, shape } = game;
  const left = timeLeft(state);
  const claim = { kind: "claimTimeout" } as const;
  const early = play(rules, shape, state, "stranger", claim, left);
  assert.ok(early instanceof Refusal && early.error === "TimeoutEarly", "a claim of time in the last second");
  for (const move of optionsOf(rules, shape, state)) {
    const late = play(rules, shape, state, state.turn, move, left + 1);
    assert.ok(late instanceof Refusal, `${move.kind} after the last second`);
  }
  const over = play(rules, shape, state, "stranger", claim, left + 1);
  assert.ok(!(over instanceof Refusal) && over.outcome !== null, "nobody can end the wait");
  assert.equal(over.outcome.convicted, state.turn);
  return over;
}

function assertClocks(before: State, after: State, delay: number): void {
  if (after.outcome !== null) return;
  const waiting: Side = before.turn === "defendant" ? "challenger" : "defendant";
  assert.equal(after[before.turn], before[before.turn] - delay);
  assert.equal(after[waiting], before[waiting]);
}

/** What the honest side does: the strategy that docs/protocol.md states, or whatever move wins. */
export type Play = "stated" | "any";

export interface Solution {
  readonly wins: boolean;
  readonly states: number;
  /** Moves of the honest side in the longest line of play. */
  readonly moves: number;
}

/**
 * Whether `honest`, which takes `unit` seconds for each move, wins from every start, whatever the other side does and whenever: it may
 * show anything that hashes and sums allow, wait as long as it likes, fall silent, and push the honest defendant's openings itself.
 * Strangers' moves are the other side's.
 */
export function solve(game: Game, starts: readonly State[], honest: Side, unit: number, how: Play): Solution {
  const memo = new Map<string, number>();

  /** Own moves that the honest side still makes at most, or −1 when it loses. */
  const worth = (state: State): number => {
    const key = keyOf(game, state);
    let value = memo.get(key);
    if (value === undefined) {
      value = state.outcome === null ? (state.turn === honest ? own(state) : others(state)) : over(state);
      memo.set(key, value);
    }
    return value;
  };
  const over = (state: State): number => (state.outcome!.convicted === honest ? -1 : 0);

  const own = (state: State): number => {
    let worst = 0;
    if (honest === "defendant") {
      // Anybody may open for the defendant, before it does: a node of its own can only be opened truly.
      for (const move of optionsOf(game.rules, game.shape, state)) {
        if (move.kind !== "open" && move.kind !== "openTile" && move.kind !== "adopt") continue;
        for (let delay = 0; delay < Math.min(unit, timeLeft(state) + 1); delay++) {
          const value = worth(next(game, state, move, delay));
          if (value < 0) return -1;
          worst = Math.max(worst, value);
        }
      }
    }
    if (unit > timeLeft(state)) return -1;
    let best = -1;
    for (const verdicts of honestMoves(game, state, honest, how)) {
      const values = verdicts.map((move) => worth(next(game, state, move, unit)));
      if (Math.min(...values) < 0) continue;
      const value = 1 + Math.max(...values);
      best = best < 0 ? value : Math.min(best, value);
    }
    return best < 0 ? -1 : Math.max(best, worst);
  };

  const others = (state: State): number => {
    // Silence: the honest side claims the time-out.
    let worst = over(next(game, state, { kind: "claimTimeout" }, timeLeft(state) + 1));
    for (const move of optionsOf(game.rules, game.shape, state)) {
      for (let delay = 0; delay <= timeLeft(state); delay++) {
        const value = worth(next(game, state, move, delay));
        if (value < 0) return -1;
        worst = Math.max(worst, value);
      }
    }
    return worst;
  };

  let moves = 0;
  let wins = true;
  for (const start of starts) {
    const value = worth(start);
    wins &&= value >= 0;
    moves = Math.max(moves, value);
  }
  return { wins, states: memo.size, moves };
}

/** The moves that the honest side considers; each with every verdict that a liar's operands may bring about. */
function honestMoves(game: Game, state: State, honest: Side, how: Play): readonly (readonly Move[])[] {
  const options = optionsOf(game.rules, game.shape, state);
  if (honest === "defendant") {
    // An honest defendant states only what is right.
    const truths = options.filter(
      (move) => (!("wrong" in move) || !move.wrong) && (!("shown" in move) || !move.shown.includes(true)),
    );
    const wanted = how === "any" ? truths : truths.filter(({ kind }) => kind !== "answerElsewhere");
    return wanted.map((move) => [move]);
  }
  const moves = new Map<string, Move[]>();
  for (const move of options) {
    if (how === "stated" && !accuses(game, state, move)) continue;
    const name = JSON.stringify({ ...move, differs: null });
    moves.set(name, [...(moves.get(name) ?? []), move]);
  }
  return [...moves.values()];
}

/** The stated strategy of a challenger: the first wrong child, word or part, adjudicated as soon as it can be. */
function accuses(game: Game, state: State, move: Move): boolean {
  const shown = state.shown ?? [state.wrong];
  const first = shown.indexOf(true);
  if (move.kind === "enterTree") return move.digest === !state.answer;
  if ("child" in move) return move.child === first;
  if ("element" in move) {
    if (move.element !== first) return false;
    return move.kind === "adjudicate" || !canAdjudicate(game, state, "adjudicate", first);
  }
  if ("part" in move) {
    if (move.part !== first) return false;
    return move.kind === "adjudicatePartial" || !canAdjudicate(game, state, "adjudicatePartial", first);
  }
  return true;
}

function canAdjudicate(game: Game, state: State, kind: "adjudicate" | "adjudicatePartial", at: number): boolean {
  return optionsOf(game.rules, game.shape, state).some(
    (move) => move.kind === kind && ("element" in move ? move.element : (move as { part: number }).part) === at,
  );
}
