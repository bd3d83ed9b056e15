/** Every challenger without a case: what it aims at, what it forges, and where it keeps silent. */
import { type Bytes32, ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { TensorsTree } from "../../shared/commitment/tensorsTree.ts";
import { tileCount } from "../../shared/commitment/tile.ts";
import type { ChallengerMove, Choice, DescriptorArgument, TileWitness } from "../../shared/dispute/moves.ts";
import { toDescriptorArgument, toHex } from "../../shared/dispute/moves.ts";
import { Level, type Position } from "../../shared/dispute/position.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import type { Accusation, Accuser, Target } from "./accusers.ts";
import { meddlers } from "./meddlers.ts";
import type { Stage } from "./stage.ts";
import { operatorOf } from "./words.ts";

const JUNK: Bytes32 = `0x${"ab".repeat(32)}`;

type Change = NonNullable<Accuser["change"]>;
type Add = (lie: string, about: string, place: string, accuser: Accuser, isQuick?: boolean) => void;

export function accusations(stage: Stage): Accusation[] {
  const rows: Accusation[] = [];
  const add: Add = (lie, about, place, accuser, isQuick = false) => {
    rows.push({ lie, about, place, isQuick, accuser: () => accuser });
  };
  wrongElements(stage, add);
  wrongChildren(stage, add);
  forgedChoices(stage, add);
  forgedOperands(stage, add);
  forgedProofs(stage, add);
  forgedPartials(stage, add);
  silences(stage, add);
  for (const [lie, about, place, accuser, isQuick] of meddlers(stage)) add(lie, about, place, accuser, isQuick);
  return rows;
}

/** A word of an operator's output in a step of the run. */
function wordOf(
  { job }: Stage,
  step: number,
  tensor: number,
  at: number,
  ofState = false,
): Pick<Accuser, "segment" | "target"> {
  const segment = Math.floor(step / job.interval);
  const leaf = 2 * (step - segment * job.interval) + (ofState ? 1 : 0);
  return { segment, target: { leaf, tensor, tile: Math.floor(at / 64), word: at % 64 } };
}

function wrongElements(stage: Stage, add: Add): void {
  const { operators, state } = stage.job.program;
  const seen = new Set<string>();
  const places = (count: number): number[] => [
    ...new Set([0, count - 1, Math.min(63, count - 1), Math.min(64, count - 1), count >> 1]),
  ];
  for (const [tensor, { name, operator }] of operators.entries()) {
    for (const [p, at] of places(wordCount(operator.shape)).entries()) {
      const step = (tensor + p) % stage.job.steps;
      const isQuick = !seen.has(operator.family);
      seen.add(operator.family);
      add("wrong element", operator.family, `${name}[${at}], step ${step}`, wordOf(stage, step, tensor, at), isQuick);
    }
  }
  for (const [tensor, { name, shape }] of state.entries()) {
    for (const [p, at] of places(wordCount(shape)).entries()) {
      const step = (tensor + 2 * p) % stage.job.steps;
      add(
        "wrong element",
        "state",
        `${name}[${at}], after step ${step}`,
        wordOf(stage, step, tensor, at, true),
        p === 0 && tensor > 2,
      );
    }
  }
  // The padding is zero, which is what it must be.
  for (const [tensor, { name, operator }] of operators.entries()) {
    const count = wordCount(operator.shape);
    if (count % 64 === 0 || tensor % 4 !== 0) continue;
    for (const at of [count, 64 * tileCount(count) - 1]) {
      add(
        "wrong element",
        "padding",
        `${name}[${at}], step 1`,
        wordOf(stage, 1, tensor, at),
        tensor === 0 && at === count,
      );
    }
  }
  for (const [tensor, { name, shape }] of state.entries()) {
    add(
      "wrong element",
      "padding",
      `${name}[${wordCount(shape)}], after step 3`,
      wordOf(stage, 3, tensor, wordCount(shape), true),
    );
  }
  for (const name of ["y", "weight.gradient", "embedding.gradient", "y.peakA"]) {
    const tensor = operatorOf(stage, name);
    const { operator } = operators[tensor]!;
    const at = wordCount(operator.shape) >> 1;
    const { segment, target } = wordOf(stage, 4, tensor, at);
    const used = Math.min(16, "length" in operator ? operator.length : 16) - 1;
    for (const parts of [[0], [used >> 1], [used - 1], [used - 1, 3], [1, 0]]) {
      add(
        "wrong part",
        operator.family,
        `${parts.join(", then ")} of ${name}[${at}]`,
        { segment, target: { ...target, parts } },
        parts.length > 1 && name === "y.peakA",
      );
    }
  }
  for (const leaf of [0, 1, 2, 3]) {
    add(
      "wrong element",
      "digest",
      `leaf ${leaf} of segment 0`,
      { segment: 0, target: { leaf, digest: true }, ofVerifier: true },
      leaf === 1,
    );
  }
  for (const [name, at] of [
    ["hidden", 77],
    ["y", 5],
    ["token", 3],
    ["draw", 9],
  ] as const) {
    const tensor = operatorOf(stage, name);
    const { family } = operators[tensor]!.operator;
    add(
      "wrong element",
      family,
      `${name}[${at}] of a verifier, step 5`,
      { ...wordOf(stage, 5, tensor, at), ofVerifier: true },
      name === "hidden",
    );
  }
}

function wrongChildren(stage: Stage, add: Add): void {
  const hidden = operatorOf(stage, "hidden");
  const table = operatorOf(stage, "embedding.next");
  const padded: readonly (readonly [
    about: string,
    place: string,
    segment: number,
    target: Target,
    ofVerifier?: boolean,
  ])[] = [
    ["segment", "the first leaf behind the steps", 1, { leaf: 6 }],
    ["segment", "the last leaf behind the steps", 1, { leaf: 7 }],
    ["trace", "the first place behind the operators", 1, { leaf: 2, tensor: 28 }],
    ["trace", "the last place behind the operators", 0, { leaf: 4, tensor: 31 }],
    ["state", "the first place behind the tensors", 1, { leaf: 3, tensor: 5 }],
    ["state", "the last place behind the tensors", 0, { leaf: 7, tensor: 7 }],
    ["tensor", "the first tile behind hidden", 0, { leaf: 2, tensor: hidden, tile: 19 }],
    ["tensor", "the last tile behind hidden", 1, { leaf: 2, tensor: hidden, tile: 31 }],
    ["tensor", "a subtree behind embedding.next", 0, { leaf: 0, tensor: table, tile: 60 }],
    ["tensor", "the first tile behind embedding.next", 0, { leaf: 0, tensor: table, tile: 47 }],
    ["tensor", "the tile behind weight", 0, { leaf: 1, tensor: 0, tile: 15 }],
    ["digest", "the leaf behind the steps", 1, { leaf: 3, digest: true }, true],
    ["segment", "a verifier's leaf behind the steps", 1, { leaf: 6 }, true],
  ];
  for (const [about, place, segment, target, ofVerifier = false] of padded) {
    add("wrong child", about, place, { segment, target, ofVerifier }, /first|digest/.test(`${place} ${about}`));
  }
}

/** Steps and levels at which choices are made, with a target below all of them. */
const CHOICES: Readonly<Record<string, { readonly level: Level; readonly state?: boolean }>> = {
  segment: { level: Level.segment },
  trace: { level: Level.trace },
  state: { level: Level.state, state: true },
  tensor: { level: Level.tensor },
};

function choosing(level: Level, change: (choice: Choice, children: readonly Bytes32[]) => Choice): Change {
  return (move, walk) => {
    if (walk.position.level !== level || !("choice" in move) || !("child" in move.choice)) return move;
    const children = walk.published?.kind === "children" ? walk.published.children : [];
    return { ...move, choice: change(move.choice, children) } as ChallengerMove;
  };
}

function forgedChoices(stage: Stage, add: Add): void {
  const forgeries: readonly (readonly [
    place: string,
    change: (choice: Choice, children: readonly Bytes32[]) => Choice,
  ])[] = [
    ["a child that is not there", (choice) => ({ ...choice, hash: JUNK })],
    ["the next child's place", (choice) => ({ ...choice, child: choice.child ^ 1 })],
    ["the next child's hash", (choice, children) => ({ ...choice, hash: children[choice.child ^ 1]! })],
    ["a child beyond the opening", (choice) => ({ ...choice, child: choice.child + 32 })],
    ["the last child of a byte", (choice) => ({ ...choice, child: 255 })],
    ["a short proof", (choice) => ({ ...choice, siblings: choice.siblings.slice(1) })],
    ["a long proof", (choice) => ({ ...choice, siblings: [...choice.siblings, ZERO_BYTES32] })],
    ["siblings in reverse", (choice) => ({ ...choice, siblings: [...choice.siblings].reverse() })],
    [
      "a node as a leaf",
      (choice) => ({ ...choice, hash: choice.siblings.at(-1)!, siblings: choice.siblings.slice(0, -1) }),
    ],
  ];
  for (const [name, { level, state = false }] of Object.entries(CHOICES)) {
    const at = state ? wordOf(stage, 1, 0, 77, true) : wordOf(stage, 1, operatorOf(stage, "hidden"), 77);
    for (const [place, change] of forgeries) {
      add(
        "forged choice",
        name,
        place,
        { ...at, change: choosing(level, change) },
        place === "a short proof" || (name === "trace" && place === "a child beyond the opening"),
      );
    }
  }
  const hidden = wordOf(stage, 1, operatorOf(stage, "hidden"), 77);
  const instead =
    (kind: ChallengerMove["kind"], make: (move: ChallengerMove) => ChallengerMove): Change =>
    (move) =>
      move.kind === kind ? make(move) : move;
  add(
    "forged choice",
    "segment",
    "a step as a node",
    {
      ...hidden,
      change: instead("enterStep", (move) =>
        move.kind === "enterStep" ? { kind: "choose", choice: move.choice } : move,
      ),
    },
    true,
  );
  add("forged choice", "trace", "an operator as a node", {
    ...hidden,
    change: instead("enterTensor", (move) =>
      move.kind === "enterTensor" ? { kind: "choose", choice: move.choice } : move,
    ),
  });
  add("forged choice", "trace", "an operator as a step", {
    ...hidden,
    change: instead("enterTensor", (move) =>
      move.kind === "enterTensor" ? { kind: "enterStep", choice: move.choice } : move,
    ),
  });
  add("forged choice", "segment", "a step as an operator", {
    ...hidden,
    change: instead("enterStep", (move) =>
      move.kind === "enterStep"
        ? { kind: "enterTensor", choice: move.choice, descriptor: toDescriptorArgument(stage.run.operator(0)) }
        : move,
    ),
  });
  add("forged choice", "tensor", "a tile as an operator", {
    ...hidden,
    change: instead("choose", (move) =>
      move.kind === "choose"
        ? { kind: "enterTensor", choice: move.choice, descriptor: toDescriptorArgument(stage.run.operator(7)) }
        : move,
    ),
  });
  add("forged choice", "segment", "a step in the padding", {
    segment: 1,
    target: { leaf: 6 },
    change: instead("choose", (move) => (move.kind === "choose" ? { kind: "enterStep", choice: move.choice } : move)),
  });
  add("forged choice", "trace", "an operator in the padding", {
    segment: 0,
    target: { leaf: 2, tensor: 29 },
    change: (move, { position }) =>
      move.kind === "choose" && position.level === Level.trace
        ? { kind: "enterTensor", choice: move.choice, descriptor: toDescriptorArgument(stage.run.operator(27)) }
        : move,
  });
}

type Judging = Extract<ChallengerMove, { kind: "adjudicate" | "adjudicatePartial" }>;

function judging(change: (move: Judging) => Judging): Change {
  return (move) => (move.kind === "adjudicate" || move.kind === "adjudicatePartial" ? change(move) : move);
}

/** One operator of each family, adjudicated with all its operands at once or over one part. */
const JUDGED: Readonly<Record<string, readonly [operator: string, at: number]>> = {
  map: ["hidden", 77],
  dot: ["y", 5],
  sum: ["loss", 0],
  sumByIndex: ["embedding.gradient", 151],
  peak: ["loss.peak", 0],
  gather: ["embed", 300],
  batch: ["x", 5],
  schedule: ["rate", 0],
  join: ["input", 151],
  random: ["draw", 9],
};

function withTile(move: Judging, at: number, change: (tile: TileWitness) => TileWitness): Judging {
  return { ...move, witness: move.witness.with(at, change(move.witness[at]!)) };
}

const otherWords = (words: string): `0x${string}` => `0x${(words.slice(2, 4) === "00" ? "01" : "00") + words.slice(4)}`;

function forgedOperands(stage: Stage, add: Add): void {
  for (const [family, [name, at]] of Object.entries(JUDGED)) {
    const where = wordOf(stage, 1, operatorOf(stage, name), at);
    const isRandom = family === "random";
    const forgeries: readonly (readonly [place: string, change: (move: Judging) => Judging])[] = [
      ["a false word", (move) => withTile(move, 0, ({ words, siblings }) => ({ words: otherWords(words), siblings }))],
      [
        "a false word of the last operand",
        (move) =>
          withTile(move, move.witness.length - 1, ({ words, siblings }) => ({ words: otherWords(words), siblings })),
      ],
      ["zeros", (move) => withTile(move, 0, ({ siblings }) => ({ words: `0x${"00".repeat(256)}`, siblings }))],
      [
        "a tile too short",
        (move) =>
          withTile(move, 0, ({ words, siblings }) => ({ words: words.slice(0, -8) as `0x${string}`, siblings })),
      ],
      ["a short proof", (move) => withTile(move, 0, ({ words, siblings }) => ({ words, siblings: siblings.slice(1) }))],
      [
        "a long proof",
        (move) => withTile(move, 0, ({ words, siblings }) => ({ words, siblings: [...siblings, ZERO_BYTES32] })),
      ],
      [
        "a false sibling",
        (move) => withTile(move, 0, ({ words, siblings }) => ({ words, siblings: [...siblings.slice(0, -1), JUNK] })),
      ],
      ["no tile for the last operand", (move) => ({ ...move, witness: move.witness.slice(0, -1) })],
      ["operands swapped", (move) => ({ ...move, witness: [...move.witness].reverse() })],
      [
        "a tile too many",
        (move) => ({ ...move, witness: [...move.witness, { words: `0x${"00".repeat(256)}`, siblings: [] }] }),
      ],
      ["no operand at all", (move) => ({ ...move, witness: [] })],
    ];
    for (const [place, change] of forgeries) {
      if (isRandom && place !== "a tile too many") continue;
      // A family of one operand has nothing to swap.
      if (place === "operands swapped" && ["peak", "batch", "schedule", "join"].includes(family)) continue;
      const isQuick = place === "a false word" || place === "a tile too many";
      add("forged operand", family, `${place}, ${name}[${at}]`, { ...where, change: judging(change) }, isQuick);
    }
  }
  const state = wordOf(stage, 1, 0, 77, true);
  const mask = wordOf(stage, 1, 4, 1, true);
  for (const [name, at] of [
    ["weight[77]", state],
    ["mask[1]", mask],
  ] as const) {
    add(
      "forged operand",
      "state",
      `a false word of the source, ${name}`,
      {
        ...at,
        change: judging((move) => withTile(move, 0, ({ words, siblings }) => ({ words: otherWords(words), siblings }))),
      },
      name === "mask[1]",
    );
    add("forged operand", "state", `no source, ${name}`, {
      ...at,
      change: judging((move) => ({ ...move, witness: [] })),
    });
    add("forged operand", "state", `two sources, ${name}`, {
      ...at,
      change: judging((move) => ({ ...move, witness: [move.witness[0]!, move.witness[0]!] })),
    });
  }
}

function forgedProofs(stage: Stage, add: Add): void {
  const hidden = wordOf(stage, 1, operatorOf(stage, "hidden"), 77);
  const own = wordOf(stage, 1, operatorOf(stage, "embed"), 300);
  const long = wordOf(stage, 1, operatorOf(stage, "y"), 5);
  const descriptors: readonly (readonly [
    place: string,
    change: (descriptor: DescriptorArgument) => DescriptorArgument,
  ])[] = [
    ["of another operator", () => toDescriptorArgument(stage.run.operator(3))],
    ["of a state tensor", () => toDescriptorArgument(stage.run.state(0))],
    [
      "with another byte",
      ({ descriptor, siblings }) => ({ descriptor: `${descriptor.slice(0, -2)}7f` as `0x${string}`, siblings }),
    ],
    ["cut short", ({ descriptor, siblings }) => ({ descriptor: descriptor.slice(0, -2) as `0x${string}`, siblings })],
    ["with a short proof", ({ descriptor, siblings }) => ({ descriptor, siblings: siblings.slice(1) })],
    ["with a long proof", ({ descriptor, siblings }) => ({ descriptor, siblings: [...siblings, ZERO_BYTES32] })],
  ];
  const kinds = [
    ["enterTensor", hidden],
    ["adjudicate", hidden],
    ["demandPartials", long],
    ["adjudicatePartial", long],
    ["adjudicateDigest", { segment: 0, target: { leaf: 1, digest: true }, ofVerifier: true }],
  ] as const;
  for (const [kind, where] of kinds) {
    for (const [place, change] of descriptors) {
      add(
        "forged descriptor",
        kind,
        place,
        {
          ...where,
          change: (move) =>
            move.kind === kind && "descriptor" in move
              ? ({ ...move, descriptor: change(move.descriptor) } as ChallengerMove)
              : move,
        },
        place === "with another byte",
      );
    }
  }
  const { tree } = stage.honest[0]!;
  const roots: readonly (readonly [place: string, change: (move: Judging) => Judging])[] = [
    [
      "the trace of another step",
      (move) => ({ ...move, step: { ...move.step, traceRoot: tree.node(0, 4), traceSiblings: tree.proof(4) } }),
    ],
    [
      "the state after the step",
      (move) => ({ ...move, step: { ...move.step, stateRoot: tree.node(0, 3), stateSiblings: tree.proof(3) } }),
    ],
    ["a trace of its own", (move) => ({ ...move, step: { ...move.step, traceRoot: JUNK } })],
    ["a state of its own", (move) => ({ ...move, step: { ...move.step, stateRoot: JUNK } })],
    ["no trace", (move) => ({ ...move, step: { ...move.step, traceRoot: ZERO_BYTES32 } })],
    ["no state", (move) => ({ ...move, step: { ...move.step, stateRoot: ZERO_BYTES32 } })],
    [
      "a trace with a short proof",
      (move) => ({ ...move, step: { ...move.step, traceSiblings: move.step.traceSiblings.slice(1) } }),
    ],
    [
      "the state of the start",
      (move) => ({ ...move, step: { ...move.step, stateRoot: stage.training.initialStateRoot } }),
    ],
  ];
  for (const [place, change] of roots) {
    // Reads the state (a table of the embedding) and the trace (an index).
    add("forged root", "step", place, { ...own, change: judging(change) }, place === "the state after the step");
  }
  const words: readonly (readonly [place: string, change: (words: string) => string])[] = [
    ["a false word", otherWords],
    ["a tile too short", (tile) => tile.slice(0, -8)],
    ["no words", () => "0x"],
  ];
  for (const [kind, where] of [
    ["adjudicate", hidden],
    ["demandPartials", long],
  ] as const) {
    for (const [place, change] of words) {
      add(
        "forged tile",
        kind,
        place,
        {
          ...where,
          change: (move) =>
            move.kind === kind && "words" in move ? ({ ...move, words: change(move.words) } as ChallengerMove) : move,
        },
        place === "a false word",
      );
    }
    add("forged tile", kind, "an element behind the tile", {
      ...where,
      change: (move) => (move.kind === kind && "element" in move ? ({ ...move, element: 64 } as ChallengerMove) : move),
    });
  }
  add(
    "forged digest",
    "adjudicateDigest",
    "a false tile",
    {
      segment: 0,
      target: { leaf: 2, digest: true },
      ofVerifier: true,
      change: (move) => (move.kind === "adjudicateDigest" ? { ...move, tileHash: JUNK } : move),
    },
    true,
  );
  add("forged digest", "adjudicateDigest", "a short proof", {
    segment: 0,
    target: { leaf: 2, digest: true },
    ofVerifier: true,
    change: (move) => (move.kind === "adjudicateDigest" ? { ...move, siblings: move.siblings.slice(1) } : move),
  });
  add("stale proof", "segment", "the choice of the level above again", { ...hidden, change: stale(Level.trace) }, true);
  add("stale proof", "tensor", "the choice of the level above again", { ...hidden, change: stale(Level.tensor) });
  const [before] = stage.honest[1]!.numbers;
  const old = {
    trace: new TensorsTree(before!.outputs.map(({ words }) => words)),
    state: new TensorsTree(stage.honest[1]!.start.map(({ words }) => words)),
  };
  // The first operand of each, at step 5, as it was a step before.
  for (const [name, at, { words, siblings }] of [
    ["hidden", 77, old.trace.tileProof(operatorOf(stage, "embed"), 1)],
    ["embedding.next", 2000, old.state.tileProof(3, 31)],
  ] as const) {
    add(
      "stale proof",
      "operand",
      `of the step before, ${name}[${at}]`,
      {
        ...wordOf(stage, 5, operatorOf(stage, name), at),
        change: judging((move) => withTile(move, 0, () => ({ words: toHex(words), siblings }))),
      },
      name === "hidden",
    );
  }

  function stale(level: Level): Change {
    let last: Choice | null = null;
    return (move, walk) => {
      if (!("choice" in move) || !("child" in move.choice)) return move;
      if (walk.position.level === level && last !== null) return { ...move, choice: last } as ChallengerMove;
      last = move.choice;
      return move;
    };
  }
}

function forgedPartials(stage: Stage, add: Add): void {
  const long = wordOf(stage, 1, operatorOf(stage, "y"), 5);
  const narrow = wordOf(stage, 1, operatorOf(stage, "embedding.gradient"), 151);
  const peak = wordOf(stage, 1, operatorOf(stage, "y.peakA"), 0);
  type Choosing = Extract<ChallengerMove, { kind: "choosePartial" | "adjudicatePartial" }>;
  const choice =
    (change: (choice: Choosing["choice"]) => Choosing["choice"]): Change =>
    (move) =>
      move.kind === "choosePartial" || move.kind === "adjudicatePartial"
        ? ({ ...move, choice: change(move.choice) } as ChallengerMove)
        : move;
  const forgeries: readonly (readonly [place: string, change: (choice: Choosing["choice"]) => Choosing["choice"]])[] = [
    ["another value", (c) => ({ ...c, value: c.value + 1n })],
    ["the next part", (c) => ({ ...c, part: c.part ^ 1 })],
    ["a part beyond the sixteenth", (c) => ({ ...c, part: c.part + 16 })],
    ["a false sibling", (c) => ({ ...c, siblings: [JUNK, ...c.siblings.slice(1)] as unknown as typeof c.siblings })],
  ];
  for (const [name, where] of [
    ["dot", long],
    ["sumByIndex", narrow],
    ["peak", peak],
  ] as const) {
    for (const [place, change] of forgeries)
      add("forged partial", name, place, { ...where, change: choice(change) }, place === "another value");
  }
  add(
    "forged partial",
    "sumByIndex",
    "one position split again",
    {
      ...narrow,
      change: (move) => (move.kind === "adjudicatePartial" ? { kind: "choosePartial", choice: move.choice } : move),
    },
    true,
  );
  add("forged partial", "dot", "a part that crosses a tile, adjudicated", {
    segment: long.segment,
    target: { ...long.target, parts: [6] },
    change: (move) =>
      move.kind === "choosePartial"
        ? {
            kind: "adjudicatePartial",
            choice: move.choice,
            descriptor: toDescriptorArgument(stage.run.operator(10)),
            step: NO_STEP,
            witness: [],
          }
        : move,
  });
  add(
    "forged partial",
    "peak",
    "a part too long, adjudicated",
    {
      ...peak,
      change: (move) =>
        move.kind === "choosePartial"
          ? {
              kind: "adjudicatePartial",
              choice: move.choice,
              descriptor: toDescriptorArgument(stage.run.operator(8)),
              step: NO_STEP,
              witness: [],
            }
          : move,
    },
    true,
  );
  for (const [family, [name, at]] of Object.entries(JUDGED)) {
    if (["dot", "sumByIndex"].includes(family)) continue;
    const reduces = ["sum", "peak"].includes(family);
    const operator = operatorOf(stage, name);
    // What needs none may be split all the same, where there is a sum: the honest parts are right.
    add(
      "needless partials",
      family,
      `${name}[${at}]`,
      {
        ...wordOf(stage, 1, operator, at),
        change: (move) =>
          move.kind === "adjudicate"
            ? { kind: "demandPartials", element: move.element, words: move.words, descriptor: move.descriptor }
            : move,
      },
      reduces || family === "map",
    );
  }
  add("needless partials", "state", "weight[77]", {
    ...wordOf(stage, 1, 0, 77, true),
    change: (move) =>
      move.kind === "adjudicate"
        ? { kind: "demandPartials", element: move.element, words: move.words, descriptor: move.descriptor }
        : move,
  });
  const behind = wordOf(stage, 1, operatorOf(stage, "y"), 50);
  add("needless partials", "padding", "y[50]", {
    ...behind,
    change: (move) =>
      move.kind === "adjudicate"
        ? { kind: "demandPartials", element: move.element, words: move.words, descriptor: move.descriptor }
        : move,
  });
}

const NO_STEP = { traceRoot: ZERO_BYTES32, traceSiblings: [], stateRoot: ZERO_BYTES32, stateSiblings: [] };

function silences(stage: Stage, add: Add): void {
  const hidden = wordOf(stage, 1, operatorOf(stage, "hidden"), 77);
  const peak = wordOf(stage, 1, operatorOf(stage, "y.peakA"), 0);
  const state = wordOf(stage, 1, 0, 77, true);
  const digest = { segment: 0, target: { leaf: 1, digest: true }, ofVerifier: true };
  const table = wordOf(stage, 1, operatorOf(stage, "embedding.next"), 2000);
  const at =
    (level: Level) =>
    (position: Position): boolean =>
      position.level === level;
  const places: readonly (readonly [place: string, accuser: Accuser])[] = [
    ["the choice in the segment", { ...hidden, silentAt: at(Level.segment) }],
    ["the choice of an operator", { ...hidden, silentAt: at(Level.trace) }],
    ["the choice of a state tensor", { ...state, silentAt: at(Level.state) }],
    ["the choice of a tile", { ...hidden, silentAt: at(Level.tensor) }],
    [
      "the second choice in a tensor",
      { ...table, silentAt: ({ level, index, height }) => level === Level.tensor && (index > 0 || height < 6) },
    ],
    ["the word of a tile", { ...hidden, silentAt: at(Level.tile) }],
    ["the word of a state's tile", { ...state, silentAt: at(Level.tile) }],
    ["the part of a reduction", { ...peak, silentAt: at(Level.partials) }],
    ["the part of a part", { ...peak, silentAt: ({ level, hi }) => level === Level.partials && hi < 1200 }],
    ["the choice of a verifier's tree", { ...digest, silentAt: at(Level.fork) }],
    ["the choice in a digest", { ...digest, silentAt: at(Level.digest) }],
  ];
  for (const [place, accuser] of places) add("silence", "challenger", place, accuser, true);
}
