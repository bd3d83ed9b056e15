/** Lies about what the trees hold: the numbers may be right, and the commitments to them are not. */
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { wordsToBytes } from "../../shared/commitment/tile.ts";
import { hashPair, openingHeight, zeroHash } from "../../shared/commitment/treeProof.ts";
import { type DefendantMove, toHex } from "../../shared/dispute/moves.ts";
import { Level, type Position } from "../../shared/dispute/position.ts";
import type { TracedStep } from "../../shared/dispute/segmentEvidence.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import type { Cheat, Row, StepLie } from "./cheats.ts";
import type { Claim, TreeEdits } from "./claim.ts";
import type { Stage } from "./stage.ts";
import { flipped, honestStep, operatorOf, outputLie, stateLie, withWords } from "./words.ts";

const JUNK: Bytes32 = `0x${"ab".repeat(32)}`;
/** The step, and the segment, that trees are falsified in. */
const STEP = 1;
const SEGMENT = 0;

function put(hashes: Bytes32[], at: number, hash: Bytes32): void {
  hashes[at] = hash;
}

type Add = (lie: string, about: string, place: string, cheat: () => Cheat, isQuick?: boolean) => void;

export function structureLies(stage: Stage): Row[] {
  const rows: Row[] = [];
  const add: Add = (lie, about, place, cheat, isQuick = false) => {
    rows.push({ lie, about, place, isQuick, cheat });
  };
  answers(stage, add);
  swaps(stage, add);
  wrongDepths(stage, add);
  zeros(stage, add);
  paddings(stage, add);
  malformedMoves(stage, add);
  digests(stage, add);
  severalFaults(stage, add);
  return rows;
}

/** With nothing that opens a node, a liar tries what it has. */
function desperate({ level, height, step, ofState, tensor, index }: Position, claim: Claim): DefendantMove | null {
  const tree = ofState || level === Level.state ? "after" : "trace";
  const { [tree]: trees } = {
    trace: claim.tensorsAt({ step, ofState: false }),
    after: claim.tensorsAt({ step, ofState: true }),
  };
  if (level === Level.tile) {
    const { outputs, state } = claim.numbers[step]!;
    const bytes = new Uint8Array(256);
    bytes.set(wordsToBytes((ofState ? state : outputs)[tensor]!.words.slice(64 * index, 64 * index + 64)));
    return { kind: "openTile", words: toHex(bytes) };
  }
  const own = level === Level.tensor ? trees.tensor(tensor) : level === Level.segment ? claim.tree : trees.outer;
  const children = Array.from({ length: 2 ** openingHeight(height) }, (_, leaf) =>
    leaf < own.leafCount ? own.node(0, leaf) : ZERO_BYTES32,
  );
  return { kind: "open", children };
}

/** A cheat whose trees are not what the rules make of its numbers. */
function falseTrees(edits: TreeEdits, segment = SEGMENT): Cheat {
  return { segment, edits, play: ({ position }, move, claim) => move ?? desperate(position, claim) };
}

function inTrace(change: (roots: Bytes32[], stage: Stage) => void, stage: Stage, step = STEP): Cheat {
  return falseTrees({
    roots: (place, roots) => {
      if (place.step === step && !place.ofState) change(roots, stage);
    },
  });
}

function inState(change: (roots: Bytes32[]) => void, step = STEP): Cheat {
  return falseTrees({
    roots: (place, roots) => {
      if (place.step === step && place.ofState) change(roots);
    },
  });
}

function inTiles(tensor: number, ofState: boolean, change: (hashes: Bytes32[]) => void): Cheat {
  return falseTrees({
    tiles: (place, hashes) => {
      if (place.step === STEP && place.ofState === ofState && place.tensor === tensor) change(hashes);
    },
  });
}

function inSegment(change: (leaves: Bytes32[]) => void): Cheat {
  return falseTrees({ leaves: change });
}

/** A wrong weight at the end of segment 0, so that there is something to hide. */
function wrongWeight(stage: Stage): Cheat {
  return stateLie(stage, 3, 0, flipped(honestStep(stage, 3).state[0]!.words, 700));
}

function answers(stage: Stage, add: Add): void {
  const right = stage.honest[SEGMENT]!.tree;
  const last = right.leafCount - 1;
  const proofs: readonly (readonly [lie: string, place: string, siblings: (own: Bytes32[]) => Bytes32[]])[] = [
    ["short proof", "of the checkpoint", (own) => own.slice(1)],
    ["short proof", "of the checkpoint, none at all", () => []],
    ["long proof", "of the checkpoint", (own) => [...own, ZERO_BYTES32]],
    ["wrong proof", "of the checkpoint, a false sibling", (own) => own.with(0, JUNK)],
    ["wrong proof", "of the checkpoint, in reverse", (own) => [...own].reverse()],
  ];
  add(
    "segment not matching checkpoint",
    "answer",
    "the honest segment",
    () => answering(right.root, right.proof(last)),
    true,
  );
  add("segment not matching checkpoint", "answer", "no segment at all", () =>
    answering(ZERO_BYTES32, right.proof(last)),
  );
  for (const [lie, place, siblings] of proofs) {
    add(
      lie,
      "answer",
      place,
      () => ({
        ...wrongWeight(stage),
        play: (_, move) => (move?.kind === "answer" ? { ...move, siblings: siblings([...move.siblings]) } : move),
      }),
      lie === "short proof" || lie === "long proof",
    );
  }
  add("leaf passed as node", "answer", "the checkpoint as the segment", () => ({
    ...wrongWeight(stage),
    play: (walk, move) =>
      move?.kind === "answer" ? { ...move, segmentRoot: walk.subject!.endRoot, siblings: [] } : move,
  }));

  function answering(segmentRoot: Bytes32, siblings: Bytes32[]): Cheat {
    return {
      ...wrongWeight(stage),
      play: (_, move) => (move?.kind === "answer" ? { kind: "answer", segmentRoot, siblings } : move),
    };
  }
}

function swap<T>(items: T[], a: number, b: number): void {
  [items[a], items[b]] = [items[b]!, items[a]!];
}

function swaps(stage: Stage, add: Add): void {
  const at = (name: string): number => operatorOf(stage, name);
  const rewrite = (change: (steps: TracedStep[]) => void): Cheat => ({ segment: SEGMENT, rewrite: change });
  add(
    "swapped leaves",
    "segment",
    "the traces of two steps",
    () =>
      rewrite((steps) => {
        const [one, two] = [steps[1]!, steps[2]!];
        steps[1] = { ...one, outputs: two.outputs };
        steps[2] = { ...two, outputs: one.outputs };
      }),
    true,
  );
  add("swapped leaves", "segment", "the states after two steps", () =>
    rewrite((steps) => {
      const [one, two] = [steps[0]!, steps[1]!];
      steps[0] = { ...one, state: two.state };
      steps[1] = { ...two, state: one.state };
    }),
  );
  add("swapped leaves", "segment", "a trace and the state after it", () => inSegment((leaves) => swap(leaves, 2, 3)));
  add("swapped leaves", "segment", "a state and the trace behind it", () => inSegment((leaves) => swap(leaves, 3, 4)));
  for (const [a, b] of [
    ["hidden", "row.gradient"],
    ["weight.gradient", "weight.next"],
    ["loss", "y.peakA"],
  ] as const) {
    add("swapped leaves", "trace", `${a} and ${b}, of one size`, () =>
      rewrite((steps) => {
        const [one, two] = [steps[1]!.outputs[at(a)]!.words, steps[1]!.outputs[at(b)]!.words];
        steps[1] = { ...steps[1]!, outputs: withWords(withWords(steps[1]!.outputs, at(a), two), at(b), one) };
      }),
    );
  }
  add(
    "swapped leaves",
    "trace",
    "hidden and y, of different sizes",
    () => inTrace((roots) => swap(roots, at("hidden"), at("y")), stage),
    true,
  );
  add("swapped leaves", "state", "weight.m and weight.v, of one size", () =>
    rewrite((steps) => {
      const { state } = steps[3]!;
      steps[3] = { ...steps[3]!, state: withWords(withWords(state, 1, state[2]!.words), 2, state[1]!.words) };
    }),
  );
  add("swapped leaves", "state", "weight and embedding, of different sizes", () =>
    inState((roots) => swap(roots, 0, 3)),
  );
  for (const [a, b] of [
    [0, 1],
    [3, 18],
  ] as const) {
    add(
      "swapped leaves",
      "tensor",
      `tiles ${a} and ${b} of hidden`,
      () => {
        const words = honestStep(stage, STEP).outputs[at("hidden")]!.words.slice();
        const [one, two] = [a, b].map((tile) => words.slice(64 * tile, Math.min(words.length, 64 * tile + 48))) as [
          Uint32Array,
          Uint32Array,
        ];
        words.set(two, 64 * a);
        words.set(one, 64 * b);
        return outputLie(stage, STEP, at("hidden"), words);
      },
      a === 0,
    );
  }
  add("swapped leaves", "tensor", "two words of a tile of hidden", () => {
    const words = honestStep(stage, STEP).outputs[at("hidden")]!.words.slice();
    [words[70], words[71]] = [words[71]!, words[70]!];
    return outputLie(stage, STEP, at("hidden"), words);
  });
}

function wrongDepths(stage: Stage, add: Add): void {
  const at = (name: string): number => operatorOf(stage, name);
  const trees = stage.honest[SEGMENT]!.tensorsAt({ step: STEP, ofState: false });
  const after = stage.honest[SEGMENT]!.tensorsAt({ step: STEP, ofState: true });
  const hidden = trees.tensor(at("hidden"));
  const setRoot = (name: string, root: Bytes32): Cheat => inTrace((roots) => put(roots, at(name), root), stage);
  add(
    "leaf passed as node",
    "tensor",
    "a tile of hidden as its tree",
    () => setRoot("hidden", hidden.node(0, 0)),
    true,
  );
  add("leaf passed as node", "tensor", "half of hidden as its tree", () =>
    setRoot("hidden", hidden.node(hidden.depth - 1, 0)),
  );
  add("leaf passed as node", "trace", "the first operator as the trace", () =>
    inSegment((leaves) => put(leaves, 2, trees.outer.node(0, 0))),
  );
  add("leaf passed as node", "state", "the first tensor as the state", () =>
    inSegment((leaves) => put(leaves, 3, after.outer.node(0, 0))),
  );
  add(
    "node passed as leaf",
    "tensor",
    "a tree over the only tile of rate",
    () => {
      const root = hashPair(trees.outer.node(0, at("rate")), zeroHash(0));
      return setRoot("rate", root);
    },
    true,
  );
  add("node passed as leaf", "tensor", "a tree over hidden's", () =>
    setRoot("hidden", hashPair(hidden.root, zeroHash(hidden.depth))),
  );
  add("node passed as leaf", "tensor", "a node of hidden as a tile", () =>
    inTiles(at("hidden"), false, (hashes) => put(hashes, 4, hidden.node(1, 2))),
  );
  add("node passed as leaf", "segment", "a step as its trace", () =>
    inSegment((leaves) => put(leaves, 2, hashPair(leaves[2]!, leaves[3]!))),
  );
  add("node passed as leaf", "trace", "the trace as an operator's output", () =>
    inTrace((roots) => put(roots, 3, trees.root), stage),
  );
  add("node passed as leaf", "tile", "the preimage of a node as words", () => ({
    ...inTiles(at("hidden"), false, (hashes) => put(hashes, 4, hidden.node(1, 2))),
    play: ({ position }, move, claim) => {
      if (position.level !== Level.tile) return move ?? desperate(position, claim);
      return { kind: "openTile", words: `0x${hidden.node(0, 4).slice(2)}${hidden.node(0, 5).slice(2)}` };
    },
  }));
}

function zeros(stage: Stage, add: Add): void {
  const hidden = operatorOf(stage, "hidden");
  add("zero subtree", "segment", "no trace of a step", () => inSegment((leaves) => put(leaves, 2, ZERO_BYTES32)), true);
  add("zero subtree", "segment", "no state after a step", () => inSegment((leaves) => put(leaves, 3, ZERO_BYTES32)));
  add("zero subtree", "segment", "nothing of two steps", () =>
    inSegment((leaves) => void leaves.fill(ZERO_BYTES32, 2, 6)),
  );
  add("zero subtree", "trace", "no output of hidden", () =>
    inTrace((roots) => put(roots, hidden, ZERO_BYTES32), stage),
  );
  add("zero subtree", "trace", "no output of 16 operators", () =>
    inTrace((roots) => void roots.fill(ZERO_BYTES32, 0, 16), stage),
  );
  add("zero subtree", "trace", "a missing subtree as the trace", () =>
    inSegment((leaves) => put(leaves, 2, zeroHash(5))),
  );
  add("zero subtree", "state", "no weight", () => inState((roots) => put(roots, 0, ZERO_BYTES32)));
  add("zero subtree", "state", "a missing subtree as a tensor", () => inState((roots) => put(roots, 0, zeroHash(4))));
  add(
    "zero subtree",
    "tensor",
    "no first tile of hidden",
    () => inTiles(hidden, false, (hashes) => put(hashes, 0, ZERO_BYTES32)),
    true,
  );
  add("zero subtree", "tensor", "no tile of hidden", () =>
    inTiles(hidden, false, (hashes) => void hashes.fill(ZERO_BYTES32)),
  );
  add("zero subtree", "tensor", "no last tile of weight", () =>
    inTiles(0, true, (hashes) => put(hashes, 14, ZERO_BYTES32)),
  );
}

function paddings(stage: Stage, add: Add): void {
  const { operators, state } = stage.job.program;
  const behind = (words: Uint32Array, by: number): Uint32Array => {
    const longer = new Uint32Array(words.length + by);
    longer.set(words);
    longer[longer.length - 1] = 7;
    return longer;
  };
  const room = (count: number): number => 64 - (count % 64);
  for (const [tensor, { name, shape }] of state.entries()) {
    const count = wordCount(shape);
    for (const [where, by] of [
      ["first", 1],
      ["last", room(count)],
    ] as const) {
      add(
        "word in the padding",
        "state",
        `${where} word behind ${name}`,
        () => stateLie(stage, 3, tensor, behind(honestStep(stage, 3).state[tensor]!.words, by)),
        tensor === 0,
      );
    }
  }
  for (const [index, { name, operator }] of operators.entries()) {
    const count = wordCount(operator.shape);
    // One operator a size is enough.
    if (operators.findIndex((other) => wordCount(other.operator.shape) === count) !== index) continue;
    for (const [where, by] of [
      ["first", 1],
      ["last", room(count)],
    ] as const) {
      add("word in the padding", operator.family, `${where} word behind ${name}`, () => ({
        segment: SEGMENT,
        rewrite: (steps) => {
          const { outputs } = steps[STEP]!;
          steps[STEP] = { ...steps[STEP]!, outputs: withWords(outputs, index, behind(outputs[index]!.words, by)) };
        },
      }));
    }
  }
  const hidden = operatorOf(stage, "hidden");
  const junk = (hashes: Bytes32[], count: number): void => void hashes.push(...new Array<Bytes32>(count).fill(JUNK));
  const last = (hashes: Bytes32[], count: number): void => {
    hashes.push(...new Array<Bytes32>(count - 1).fill(ZERO_BYTES32), JUNK);
  };
  add(
    "subtree in the padding",
    "tensor",
    "a first tile behind hidden",
    () => inTiles(hidden, false, (hashes) => junk(hashes, 1)),
    true,
  );
  add("subtree in the padding", "tensor", "a last tile behind hidden", () =>
    inTiles(hidden, false, (hashes) => last(hashes, 13)),
  );
  add("subtree in the padding", "tensor", "13 tiles behind hidden", () =>
    inTiles(hidden, false, (hashes) => junk(hashes, 13)),
  );
  add("subtree in the padding", "tensor", "a tile behind weight", () => inTiles(0, true, (hashes) => junk(hashes, 1)));
  add("subtree in the padding", "tensor", "9 tiles behind embedding", () =>
    inTiles(3, true, (hashes) => last(hashes, 9)),
  );
  add(
    "subtree in the padding",
    "trace",
    "an operator behind the last",
    () => inTrace((roots) => junk(roots, 1), stage),
    true,
  );
  add("subtree in the padding", "trace", "the last place behind the operators", () =>
    inTrace((roots) => last(roots, 4), stage),
  );
  add("subtree in the padding", "state", "a tensor behind the last", () => inState((roots) => junk(roots, 1)));
  add(
    "subtree in the padding",
    "state",
    "the last place behind the tensors",
    () => inState((roots) => last(roots, 3)),
    true,
  );
  // A solver's segment ends with its checkpoint, which is wrong before the padding is; a verifier's need not be.
  for (const [place, change] of [
    ["a leaf behind the last step", (leaves: Bytes32[]) => junk(leaves, 1)],
    ["the last leaf behind the steps", (leaves: Bytes32[]) => last(leaves, 2)],
  ] as const) {
    add(
      "subtree in the padding",
      "segment",
      place,
      () => ({
        segment: 1,
        edits: { leaves: change },
        digest: (leaves) => put(leaves, 0, JUNK),
      }),
      place.startsWith("a "),
    );
  }
}

/** Openings and tiles that are not those of the node: refused, and nothing else opens it. */
function malformedMoves(stage: Stage, add: Add): void {
  const openings: readonly (readonly [place: string, change: (children: Bytes32[]) => Bytes32[]])[] = [
    ["too few children", (children) => children.slice(0, children.length / 2)],
    ["too many children", (children) => [...children, ...children]],
    ["no children", () => []],
    ["a false child", (children) => children.with(0, JUNK)],
    ["two children swapped", (children) => [children[1]!, children[0]!, ...children.slice(2)]],
  ];
  const levels = { segment: Level.segment, trace: Level.trace, state: Level.state, tensor: Level.tensor } as const;
  for (const [name, level] of Object.entries(levels)) {
    for (const [place, change] of openings) {
      add(
        "false opening",
        name,
        place,
        () => ({
          ...(name === "state"
            ? wrongWeight(stage)
            : outputLie(
                stage,
                2,
                operatorOf(stage, "hidden"),
                flipped(honestStep(stage, 2).outputs[operatorOf(stage, "hidden")]!.words, 600),
              )),
          play: ({ position }, move) => {
            // Answers first, and opens in another transaction.
            if (move?.kind === "answer") return { ...move, children: undefined };
            if (move?.kind !== "open" || position.level !== level) return move;
            return { kind: "open", children: change([...move.children]) };
          },
        }),
        place === "too few children" && name === "trace",
      );
    }
  }
  const tiles: readonly (readonly [place: string, change: (words: string) => string])[] = [
    ["a word too few", (words) => words.slice(0, -8)],
    ["a word too many", (words) => `${words}00000000`],
    ["no words", () => "0x"],
    ["a word put right", (words) => `0x00000000${words.slice(10)}`],
    ["two words swapped", (words) => `0x${words.slice(10, 18)}${words.slice(2, 10)}${words.slice(18)}`],
  ];
  for (const [place, change] of tiles) {
    add(
      "false opening",
      "tile",
      place,
      () => ({
        ...wrongWeight(stage),
        play: (_, move) =>
          move?.kind === "openTile" ? { kind: "openTile", words: change(move.words) as `0x${string}` } : move,
      }),
      place === "a word put right",
    );
  }
}

function digests(stage: Stage, add: Add): void {
  const about = "digest";
  for (let step = 0; step < 4; step++) {
    add(
      "false digest",
      about,
      `leaf ${step}`,
      () => ({ segment: 0, digest: (leaves) => put(leaves, step, JUNK) }),
      step === 2,
    );
  }
  add("false digest", about, "no leaf of a step", () => ({
    segment: 0,
    digest: (leaves) => put(leaves, 1, ZERO_BYTES32),
  }));
  add("false digest", about, "two leaves swapped", () => ({ segment: 1, digest: (leaves) => swap(leaves, 0, 2) }));
  add("subtree in the padding", about, "a leaf behind the last step", () => ({
    segment: 1,
    digest: (leaves) => void leaves.push(JUNK),
  }));
  for (const [step, tensor] of [
    [0, 0],
    [1, 3],
    [2, 1],
  ] as const) {
    add(
      "false digest",
      about,
      `of a false segment, ${stage.job.program.state[tensor]!.name} after step ${step}`,
      () => ({
        segment: 0,
        digest: (leaves) => put(leaves, step, JUNK),
        rewrite: (steps) => {
          const { outputs, state } = steps[step]!;
          steps[step] = { outputs, state: withWords(state, tensor, flipped(state[tensor]!.words, 77)) };
        },
      }),
    );
  }
}

function severalFaults(stage: Stage, add: Add): void {
  const lieIn = (step: number, name: string) =>
    outputLie(
      stage,
      step,
      operatorOf(stage, name),
      flipped(honestStep(stage, step).outputs[operatorOf(stage, name)]!.words, 0),
    ).steps!;
  const both = (...lies: readonly ReadonlyMap<number, StepLie>[]): Map<number, StepLie> =>
    new Map(lies.flatMap((lie) => [...lie]));
  const poison: Cheat["start"] = (honest) =>
    honest.with(0, { ...honest[0]!, words: flipped(honest[0]!.words, 10, 0x1000) });
  add(
    "poisoned first segment, late fault",
    "segment",
    "disputed where the late fault is",
    () => ({
      segment: 1,
      start: poison,
      steps: new Map([
        [5, (_, { outputs, state }) => ({ outputs, state: withWords(state, 3, flipped(state[3]!.words, 900)) })],
      ]),
    }),
    true,
  );
  add(
    "poisoned first segment, late fault",
    "segment",
    "disputed where the poison is",
    () => ({
      ...stateLie(stage, 3, 0, flipped(honestStep(stage, 3).state[0]!.words, 10, 0x1000)),
      later: true,
    }),
    true,
  );
  add(
    "poisoned first steps, late fault",
    "trace",
    "a loss that nothing reads, then a weight",
    () => ({
      segment: 0,
      steps: both(lieIn(0, "loss"), stateLie(stage, 3, 0, flipped(honestStep(stage, 3).state[0]!.words, 899)).steps!),
    }),
    true,
  );
  add("poisoned first steps, late fault", "trace", "a loss of every step", () => ({
    segment: 0,
    steps: both(lieIn(0, "loss"), lieIn(1, "loss"), lieIn(2, "loss"), lieIn(3, "loss")),
  }));
  add("poisoned first steps, late fault", "trace", "draws of two steps", () => ({
    segment: 1,
    steps: both(lieIn(4, "draw"), lieIn(6, "draw")),
  }));
  add("poisoned first steps, late fault", "state", "the mask, then everything", () => ({
    segment: 0,
    steps: both(stateLie(stage, 1, 4, flipped(honestStep(stage, 1).state[4]!.words, 2)).steps!, lieIn(3, "hidden")),
  }));
}
