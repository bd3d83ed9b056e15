/** Every state of the game in which a defendant must move, and one that does not. */
import { Level, type Position } from "../../shared/dispute/position.ts";
import type { Cheat, Row } from "./cheats.ts";
import type { Stage } from "./stage.ts";
import { flipped, honestStep, operatorOf, outputLie, stateLie } from "./words.ts";

type At = (position: Position, stage: Stage) => boolean;

const isRoot = ({ height, index }: Position): boolean => index === 0 && height > 4;

const OF_SOLVER: readonly (readonly [place: string, lie: "output" | "state" | string, at: At])[] = [
  ["the answer", "hidden", ({ level }) => level === Level.answer],
  ["the opening of the segment", "hidden", ({ level }) => level === Level.segment],
  ["the opening of a trace", "hidden", ({ level }) => level === Level.trace],
  ["the opening of a state", "state", ({ level }) => level === Level.state],
  ["the opening of an operator's output", "hidden", (p) => p.level === Level.tensor && !p.ofState],
  ["the second opening of an operator's output", "embedding.next", (p) => p.level === Level.tensor && !isRoot(p)],
  ["the opening of a state tensor", "state", (p) => p.level === Level.tensor && p.ofState],
  ["a tile of an operator's output", "hidden", (p) => p.level === Level.tile && !p.ofState],
  ["a tile of a state tensor", "state", (p) => p.level === Level.tile && p.ofState],
  ["the only tile of an operator's output", "loss", ({ level }) => level === Level.tile],
  ["the partial results of a Dot", "y", ({ level }) => level === Level.partials],
  ["the partial results of a SumByIndex", "embedding.gradient", ({ level }) => level === Level.partials],
  ["the partial results of a Peak", "y.peakA", ({ level }) => level === Level.partials],
  ["the partial results of a part", "y.peakA", ({ level, hi }) => level === Level.partials && hi < 1200],
];

const OF_VERIFIER: readonly (readonly [place: string, hasFalseSegment: boolean, at: At])[] = [
  ["a verifier's answer", false, ({ level }) => level === Level.answer],
  ["the opening of a digest", false, ({ level }) => level === Level.digest],
  ["the opening of a verifier's segment", true, ({ level }) => level === Level.segment],
  ["the opening of a verifier's state", true, ({ level }) => level === Level.state],
  ["a tile of a verifier's state", true, ({ level }) => level === Level.tile],
];

export function silences(stage: Stage): Row[] {
  const rows: Row[] = [];
  const add = (place: string, cheat: () => Cheat, at: At): void => {
    rows.push({
      lie: "silence",
      about: "solver",
      place,
      isQuick: true,
      cheat: () => ({
        ...cheat(),
        // Answers first, and opens in another transaction, so that it can be silent in between.
        play: (_, move) => (move?.kind === "answer" ? { ...move, children: undefined } : move),
        silentAt: (position) => at(position, stage),
      }),
    });
  };
  for (const [place, lie, at] of OF_SOLVER) {
    add(place, () => (lie === "state" ? wrongState(stage) : wrongOutput(stage, lie)), at);
  }
  for (const [place, hasFalseSegment, at] of OF_VERIFIER) {
    add(place, () => (hasFalseSegment ? falseSegment(stage) : falseDigest), at);
  }
  return rows.map((row, index) => (index < OF_SOLVER.length ? row : { ...row, about: "verifier" }));
}

function wrongState(stage: Stage): Cheat {
  const tensor = stage.job.program.state.findIndex(({ name }) => name === "embedding");
  return stateLie(stage, 2, tensor, flipped(honestStep(stage, 2).state[tensor]!.words, 1500));
}

function wrongOutput(stage: Stage, name: string): Cheat {
  const operator = operatorOf(stage, name);
  const { words } = honestStep(stage, 2).outputs[operator]!;
  // Doubled or halved: a peak stays a power of two.
  return outputLie(stage, 2, operator, flipped(words, words.length >> 1, 0x800000));
}

const falseDigest: Cheat = {
  segment: 0,
  digest: (leaves) => {
    leaves[1] = leaves[0]!;
  },
};

/** A verifier whose false digest is that of a false segment. */
function falseSegment(stage: Stage): Cheat {
  return {
    ...falseDigest,
    rewrite: (steps) => {
      const { outputs, state } = honestStep(stage, 1);
      steps[1] = { outputs, state: state.with(0, { ...state[0]!, words: flipped(state[0]!.words, 130) }) };
    },
  };
}
