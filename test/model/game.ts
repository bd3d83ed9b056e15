/**
 * The game of docs/protocol.md, section 3, as plain values and a function from a state and a move to the next state. What a side
 * commits to is not modelled by bytes but by what matters of them: whether a node, a word or a partial result is *wrong*, that is
 * differs from the honest run. A liar need not be consistent: it decides what its tree holds when it opens it, within what a hash
 * or a sum enforces. Tree shapes and constants are parameters, so that the same rules are explored small and compared with the
 * contract at its own size.
 */

export type Side = "defendant" | "challenger";
export type Actor = Side | "stranger";

export type Level =
  | "answer"
  | "fork"
  | "segment"
  | "trace"
  | "state"
  | "tensor"
  | "tile"
  | "partials"
  | "digest"
  | "none";

export type Reason = "timeout" | "opening" | "element" | "store" | "partial" | "digest";

/** The protocol's constants. */
export interface Rules {
  readonly arity: number;
  /** Levels that an opening goes down, at most. */
  readonly span: number;
  readonly tileWords: number;
  /** Parts that a range is split into. */
  readonly parts: number;
}

export interface OperatorShape {
  readonly words: number;
  /** Reduced positions; 0 in the families that do not reduce. */
  readonly length: number;
  /** Whether the referee takes the range of an element at once; a range of one position it always takes. */
  readonly adjudicable: (element: number, lo: number, hi: number) => boolean;
  /** False for a descriptor that nobody can decode: no move enters its tensor. */
  readonly decodable: boolean;
}

/** The run that is disputed. */
export interface Shape {
  readonly steps: number;
  readonly operators: readonly OperatorShape[];
  /** Words of each state tensor. */
  readonly states: readonly number[];
  /** The defendant is a verifier: it has committed to a digest, too. */
  readonly isVerifier: boolean;
}

export interface State {
  readonly level: Level;
  readonly turn: Side;
  readonly height: number;
  readonly index: number;
  readonly leaves: number;
  readonly step: number;
  readonly tensor: number;
  readonly ofState: boolean;
  readonly element: number;
  readonly lo: number;
  readonly hi: number;
  /** Seconds that each side has left at this moment. */
  readonly defendant: number;
  readonly challenger: number;
  /** Whether the node reached is wrong. */
  readonly wrong: boolean;
  /** Which of the children, words or partial results that were opened last are wrong; null in the defendant's turn. */
  readonly shown: readonly boolean[] | null;
  /** Nothing to the left of the walk is wrong, so that the operands of a disputed element are right. */
  readonly clean: boolean;
  /** Whether the defendant's answer about this subject is wrong; null when it has not answered anywhere. */
  readonly answer: boolean | null;
  readonly digestWrong: boolean;
  /** The checkpoint itself is wrong: no right answer can be proved to hold it. */
  readonly endWrong: boolean;
  readonly outcome: { readonly convicted: Side; readonly reason: Reason } | null;
}

export type Move =
  | { readonly kind: "answer"; readonly wrong: boolean }
  /** The defendant answers in another dispute about the same subject. */
  | { readonly kind: "answerElsewhere"; readonly wrong: boolean }
  | { readonly kind: "adopt" }
  | { readonly kind: "open" | "openTile" | "claimPartials"; readonly shown: readonly boolean[] }
  | { readonly kind: "enterTree"; readonly digest: boolean }
  | { readonly kind: "choose" | "enterStep" | "enterTensor"; readonly child: number }
  /** `differs` is what the contract computes; it is free only where the operands are a liar's. */
  | { readonly kind: "adjudicateDigest"; readonly child: number; readonly differs: boolean }
  | { readonly kind: "adjudicate"; readonly element: number; readonly differs: boolean }
  | { readonly kind: "demandPartials"; readonly element: number }
  | { readonly kind: "choosePartial"; readonly part: number }
  | { readonly kind: "adjudicatePartial"; readonly part: number; readonly differs: boolean }
  | { readonly kind: "claimTimeout" };

export type MoveKind = Move["kind"];

/** A move that changes nothing, by the name of the contract's error. `impossible` is one that hashing or arithmetic rules out. */
export class Refusal {
  readonly error: string;
  constructor(error: string) {
    this.error = error;
  }
}

const TREES: ReadonlySet<Level> = new Set(["segment", "trace", "state", "tensor", "digest"]);
const DEFENCES: ReadonlySet<MoveKind> = new Set([
  "answer",
  "answerElsewhere",
  "adopt",
  "open",
  "openTile",
  "claimPartials",
]);
/** Moves that add a claim, and so are the defendant's own. */
const CLAIMS: ReadonlySet<MoveKind> = new Set(["answer", "answerElsewhere", "claimPartials"]);

export interface Start {
  readonly defendant: number;
  readonly challenger: number;
  readonly digestWrong: boolean;
  readonly endWrong: boolean;
}

/** A dispute that has just been opened. */
export function startOf({ defendant, challenger, digestWrong, endWrong }: Start): State {
  return {
    level: "answer",
    turn: "defendant",
    height: 0,
    index: 0,
    leaves: 0,
    step: 0,
    tensor: 0,
    ofState: false,
    element: 0,
    lo: 0,
    hi: 0,
    defendant,
    challenger,
    wrong: false,
    shown: null,
    clean: true,
    answer: null,
    digestWrong,
    endWrong,
    outcome: null,
  };
}

/** A dispute that is opened when the defendant has answered in another about the same subject: it begins behind that. */
export function startBehind(rules: Rules, shape: Shape, start: Start, wrong: boolean): State {
  return begin(rules, shape, { ...startOf(start), answer: wrong }, wrong);
}

/** ceil(log_arity leaves). */
export function depthOf({ arity }: Rules, leaves: number): number {
  let depth = 0;
  for (let reach = 1; reach < leaves; reach *= arity) depth++;
  return depth;
}

/** As few rounds as reach the leaves, of even length. */
function spanOf({ span }: Rules, height: number): number {
  return height <= span ? height : Math.ceil(height / Math.ceil(height / span));
}

/** Children of an opening of a node at `height`. */
export function childrenOf(rules: Rules, height: number): number {
  return rules.arity ** spanOf(rules, height);
}

export function partOf({ parts }: Rules, lo: number, hi: number, part: number): readonly [lo: number, hi: number] {
  const size = Math.ceil((hi - lo) / parts);
  const from = Math.min(lo + part * size, hi);
  return [from, Math.min(from + size, hi)];
}

/** Seconds left to the side to move. */
export function timeLeft(state: State): number {
  return state[state.turn];
}

/**
 * The state after `by` makes `move` when `delay` seconds have passed since the last change, or why it changes nothing. A move is
 * judged by one defect at a time in the contract's order, except that lateness comes last.
 */
export function play(rules: Rules, shape: Shape, state: State, by: Actor, move: Move, delay: number): State | Refusal {
  if (state.level === "none") return new Refusal("DisputeUnknown");
  const late = delay > timeLeft(state);
  if (move.kind === "claimTimeout") {
    return late ? resolve(state, state.turn, "timeout") : new Refusal("TimeoutEarly");
  }
  if (CLAIMS.has(move.kind) && by !== "defendant") return new Refusal("DisputeSender");
  const owner: Side = DEFENCES.has(move.kind) ? "defendant" : "challenger";
  // An answer elsewhere is not a move of this dispute.
  if (state.turn !== owner) return new Refusal(move.kind === "answerElsewhere" ? "impossible" : "DisputeTurn");
  if (owner === "challenger" && by !== "challenger") return new Refusal("DisputeSender");
  const next = judge(rules, shape, state, move);
  if (next instanceof Refusal) return next;
  if (late) return new Refusal(move.kind === "answerElsewhere" ? "impossible" : "ChessClockExpired");
  return { ...next, [owner]: state[owner] - delay };
}

function judge(rules: Rules, shape: Shape, state: State, move: Move): State | Refusal {
  switch (move.kind) {
    case "answer":
      return answer(rules, shape, state, move.wrong);
    case "answerElsewhere": {
      if (state.level !== "answer" || state.answer !== null) return new Refusal("impossible");
      if (state.endWrong && !move.wrong) return new Refusal("impossible");
      return { ...state, answer: move.wrong };
    }
    case "adopt":
      if (state.level !== "answer") return new Refusal("DisputeLevel");
      if (state.answer === null) return new Refusal("DisputeUnanswered");
      return begin(rules, shape, state, state.answer);
    case "open":
      if (!TREES.has(state.level)) return new Refusal("DisputeLevel");
      if (move.shown.length !== childrenOf(rules, state.height)) return new Refusal("OpeningLength");
      // Children fold to their node: a wrong node has a wrong child, a right one none.
      if (move.shown.includes(true) !== state.wrong) return new Refusal("impossible");
      if (state.level === "segment" && !endsInCheckpoint(rules, shape, state, move.shown))
        return new Refusal("impossible");
      return { ...state, shown: move.shown, turn: "challenger" };
    case "openTile":
      if (state.level !== "tile") return new Refusal("DisputeLevel");
      if (move.shown.length !== rules.tileWords || move.shown.includes(true) !== state.wrong) {
        return new Refusal("impossible");
      }
      return { ...state, shown: move.shown, turn: "challenger" };
    case "claimPartials":
      return claimPartials(rules, state, move.shown);
    case "enterTree": {
      if (state.level !== "fork") return new Refusal("DisputeLevel");
      const [level, leaves] = move.digest
        ? (["digest", shape.steps] as const)
        : (["segment", 2 * shape.steps] as const);
      return arrive(enter(rules, state, level, leaves), move.digest ? state.digestWrong : state.answer!);
    }
    case "choose":
      return choose(rules, state, move.child);
    case "enterStep": {
      if (state.level !== "segment") return new Refusal("DisputeLevel");
      const leaf = descendToLeaf(rules, state, move.child);
      if (leaf instanceof Refusal) return leaf;
      const step = Math.floor(leaf.index / 2);
      const [level, leaves] =
        leaf.index % 2 === 0 ? (["trace", shape.operators.length] as const) : (["state", shape.states.length] as const);
      return arrive({ ...enter(rules, leaf, level, leaves), step }, leaf.wrong);
    }
    case "enterTensor": {
      if (state.level !== "trace" && state.level !== "state") return new Refusal("DisputeLevel");
      const leaf = descendToLeaf(rules, state, move.child);
      if (leaf instanceof Refusal) return leaf;
      const tensor = leaf.index;
      const ofState = state.level === "state";
      if (!ofState && !shape.operators[tensor]!.decodable) return new Refusal("impossible");
      const words = ofState ? shape.states[tensor]! : shape.operators[tensor]!.words;
      const entered = enter(rules, leaf, "tensor", Math.ceil(words / rules.tileWords));
      const level = entered.height === 0 ? "tile" : "tensor";
      return arrive({ ...entered, tensor, ofState, level }, leaf.wrong);
    }
    case "adjudicateDigest": {
      if (state.level !== "digest") return new Refusal("DisputeLevel");
      const leaf = descendToLeaf(rules, state, move.child);
      if (leaf instanceof Refusal) return leaf;
      // It is compared with the defendant's own segment.
      if (state.answer === false && move.differs !== leaf.wrong) return new Refusal("impossible");
      return verdict(state, move.differs, "digest");
    }
    case "adjudicate":
      return adjudicate(rules, shape, state, move.element, move.differs);
    case "demandPartials": {
      if (state.level !== "tile") return new Refusal("DisputeLevel");
      if (state.ofState) return new Refusal("PartialsUnsplittable");
      const operator = shape.operators[state.tensor]!;
      if (state.index * rules.tileWords + move.element >= operator.words) return new Refusal("ElementOutside");
      if (operator.length < 2) return new Refusal("PartialsUnsplittable");
      const { element } = move;
      return arrive({ ...state, level: "partials", element, lo: 0, hi: operator.length }, state.shown![element]!);
    }
    case "choosePartial": {
      const part = choosePart(rules, state, move.part);
      if (part instanceof Refusal) return part;
      if (part.hi - part.lo === 1) return new Refusal("PartialsRange");
      return arrive(part, part.wrong);
    }
    case "adjudicatePartial": {
      const part = choosePart(rules, state, move.part);
      if (part instanceof Refusal) return part;
      const element = state.index * rules.tileWords + state.element;
      if (part.hi - part.lo > 1 && !shape.operators[state.tensor]!.adjudicable(element, part.lo, part.hi)) {
        return new Refusal("RefereeRange");
      }
      if (state.clean && move.differs !== part.wrong) return new Refusal("impossible");
      return verdict(state, move.differs, "partial");
    }
    case "claimTimeout":
      return new Refusal("impossible");
  }
}

/** The answer was proved to hold the checkpoint as its last leaf: that one is wrong exactly where the checkpoint is. */
function endsInCheckpoint(rules: Rules, shape: Shape, state: State, shown: readonly boolean[]): boolean {
  const height = state.height - spanOf(rules, state.height);
  const child = Math.floor((2 * shape.steps - 1) / rules.arity ** height) - state.index * shown.length;
  if (child < 0 || child >= shown.length) return true;
  return shown[child]! === state.endWrong || (shown[child]! && height > 0);
}

function answer(rules: Rules, shape: Shape, state: State, wrong: boolean): State | Refusal {
  if (state.level !== "answer") return new Refusal("DisputeLevel");
  if (state.answer !== null) return new Refusal("DisputeAnswered");
  // The answer is proved to end in the checkpoint.
  if (state.endWrong && !wrong) return new Refusal("TreeProofMismatch");
  return begin(rules, shape, { ...state, answer: wrong }, wrong);
}

function begin(rules: Rules, shape: Shape, state: State, wrong: boolean): State {
  if (shape.isVerifier) return { ...state, level: "fork", turn: "challenger" };
  return { ...enter(rules, state, "segment", 2 * shape.steps), wrong };
}

function enter(rules: Rules, state: State, level: Level, leaves: number): State {
  return { ...state, level, height: depthOf(rules, leaves), index: 0, leaves };
}

/** The challenger has come to a node: a leaf needs no opening unless it is a tile. */
function arrive(state: State, wrong: boolean): State {
  const leaf = state.height === 0 && TREES.has(state.level);
  return { ...state, wrong, shown: null, turn: leaf ? "challenger" : "defendant" };
}

function choose(rules: Rules, state: State, child: number): State | Refusal {
  const reached = descend(rules, state, child);
  if (reached instanceof Refusal) return reached;
  if (isPadding(rules, reached)) return verdict(state, reached.wrong, "opening");
  if (reached.height > 0) return arrive(reached, reached.wrong);
  if (state.level !== "tensor") return new Refusal("ChoiceReachesLeaf");
  return arrive({ ...reached, level: "tile" }, reached.wrong);
}

function descend(rules: Rules, state: State, child: number): State | Refusal {
  if (!TREES.has(state.level)) return new Refusal("DisputeLevel");
  const children = childrenOf(rules, state.height);
  if (child >= children) return new Refusal("ChoiceChild");
  const shown = state.height === 0 ? [state.wrong] : state.shown!;
  // A wrong operator to the left may be an operand; tensors of a state and tiles of a tensor are none of each other's.
  const carries = state.level === "segment" || state.level === "trace";
  const clean = state.clean && !(carries && shown.slice(0, child).includes(true));
  const height = state.height - spanOf(rules, state.height);
  return { ...state, index: state.index * children + child, height, clean, wrong: shown[child]! };
}

function descendToLeaf(rules: Rules, state: State, child: number): State | Refusal {
  const reached = descend(rules, state, child);
  if (reached instanceof Refusal) return reached;
  if (reached.height !== 0) return new Refusal("ChoiceReachesNoLeaf");
  return isPadding(rules, reached) ? new Refusal("ChoiceInPadding") : reached;
}

/** Every leaf below the node lies beyond the tree's. */
function isPadding({ arity }: Rules, { index, height, leaves }: State): boolean {
  return index * arity ** height >= leaves;
}

function adjudicate(rules: Rules, shape: Shape, state: State, element: number, differs: boolean): State | Refusal {
  if (state.level !== "tile") return new Refusal("DisputeLevel");
  const position = state.index * rules.tileWords + element;
  const wrong = state.shown![element]!;
  const words = state.ofState ? shape.states[state.tensor]! : shape.operators[state.tensor]!.words;
  if (position >= words) return differs === wrong ? verdict(state, wrong, "opening") : new Refusal("impossible");
  if (!state.ofState) {
    const { length, adjudicable } = shape.operators[state.tensor]!;
    if (length > 1 && !adjudicable(position, 0, length)) return new Refusal("RefereeRange");
  }
  if (state.clean && differs !== wrong) return new Refusal("impossible");
  return verdict(state, differs, state.ofState ? "store" : "element");
}

function claimPartials(rules: Rules, state: State, shown: readonly boolean[]): State | Refusal {
  if (state.level !== "partials") return new Refusal("DisputeLevel");
  if (shown.length !== rules.parts) return new Refusal("impossible");
  for (const [part, wrong] of shown.entries()) {
    const [lo, hi] = partOf(rules, state.lo, state.hi, part);
    if (lo === hi && wrong) return new Refusal("PartialsUnused");
  }
  // Values combine to their claim: a wrong one has a wrong part, but wrong parts may add up to a right one.
  if (state.wrong && !shown.includes(true)) return new Refusal("PartialsMismatch");
  return { ...state, shown, turn: "challenger" };
}

function choosePart(rules: Rules, state: State, part: number): State | Refusal {
  if (state.level !== "partials") return new Refusal("DisputeLevel");
  if (part >= rules.parts) return new Refusal("TreeProofIndex");
  const [lo, hi] = partOf(rules, state.lo, state.hi, part);
  if (lo === hi) return new Refusal("PartialsRange");
  return { ...state, lo, hi, wrong: state.shown![part]! };
}

function verdict(state: State, defendantConvicted: boolean, reason: Reason): State {
  return resolve(state, defendantConvicted ? "defendant" : "challenger", reason);
}

function resolve(state: State, convicted: Side, reason: Reason): State {
  return { ...state, level: "none", shown: null, outcome: { convicted, reason } };
}

/** Every move of the side to move that the game takes, with everything that a liar could show by it. */
export function optionsOf(rules: Rules, shape: Shape, state: State): Move[] {
  return candidates(rules, state).filter(
    (move) => !(play(rules, shape, state, state.turn, move, 0) instanceof Refusal),
  );
}

const BOTH = [false, true] as const;

function candidates(rules: Rules, state: State): Move[] {
  const children = Array.from({ length: childrenOf(rules, state.height) }, (_, child) => child);
  const words = Array.from({ length: rules.tileWords }, (_, word) => word);
  const parts = Array.from({ length: rules.parts }, (_, part) => part);
  if (state.turn === "defendant") {
    if (state.level === "answer") {
      const claims = BOTH.flatMap((wrong): Move[] => [
        { kind: "answer", wrong },
        { kind: "answerElsewhere", wrong },
      ]);
      return [...claims, { kind: "adopt" }];
    }
    if (state.level === "partials") return flags(rules.parts).map((shown) => ({ kind: "claimPartials", shown }));
    if (state.level === "tile") return flags(rules.tileWords).map((shown) => ({ kind: "openTile", shown }));
    return flags(children.length).map((shown) => ({ kind: "open", shown }));
  }
  switch (state.level) {
    case "fork":
      return BOTH.map((digest) => ({ kind: "enterTree", digest }));
    case "tile":
      return words.flatMap((element): Move[] => [
        ...BOTH.map((differs): Move => ({ kind: "adjudicate", element, differs })),
        { kind: "demandPartials", element },
      ]);
    case "partials":
      return parts.flatMap((part): Move[] => [
        ...BOTH.map((differs): Move => ({ kind: "adjudicatePartial", part, differs })),
        { kind: "choosePartial", part },
      ]);
    default:
      return children.flatMap((child): Move[] => [
        { kind: "choose", child },
        { kind: "enterStep", child },
        { kind: "enterTensor", child },
        ...BOTH.map((differs): Move => ({ kind: "adjudicateDigest", child, differs })),
      ]);
  }
}

const flagLists = new Map<number, readonly (readonly boolean[])[]>();

/** Every list of so many booleans. */
function flags(length: number): readonly (readonly boolean[])[] {
  let lists = flagLists.get(length);
  if (lists === undefined) {
    lists = Array.from({ length: 2 ** length }, (_, bits) =>
      Array.from({ length }, (_, at) => ((bits >> at) & 1) === 1),
    );
    flagLists.set(length, lists);
  }
  return lists;
}
