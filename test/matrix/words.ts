/** Lies about one word: of every operator family, and of every state tensor. */
import type { TracedStep } from "../../shared/dispute/segmentEvidence.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { rerunWithOutput } from "../../solver/cheats/rerun.ts";
import type { Cheat, Row, StepLie } from "./cheats.ts";
import type { Stage } from "./stage.ts";

export const FAMILIES = [
  "map",
  "dot",
  "sum",
  "sumByIndex",
  "peak",
  "gather",
  "batch",
  "schedule",
  "join",
  "random",
] as const;

/** A false word out of the true ones of a tensor; `next` are the same tensor's in the neighbouring step. */
type WordLie = (words: Uint32Array, at: number, next: Uint32Array) => number;

const WORD_LIES: Readonly<Record<string, WordLie>> = {
  "one ulp": (words, at) => (words[at]! + 1) >>> 0,
  sign: (words, at) => (words[at]! === 0 ? 0 : (words[at]! ^ 0x80000000) >>> 0),
  "sign of zero": (words, at) => (words[at]! === 0 ? 0x80000000 : words[at]!),
  NaN: () => 0x7fc00000,
  // A tensor of one word has its neighbour in time.
  neighbour: (words, at, next) => (words.length > 1 ? words[(at + 1) % words.length]! : next[0]!),
};

type Where = "first word" | "last word" | "end of a tile" | "start of a tile" | "middle word";

/** Where the search for a word that the lie changes begins. */
function wordAt(where: Where, count: number): number {
  switch (where) {
    case "first word":
      return 0;
    case "last word":
      return count - 1;
    case "end of a tile":
      return Math.min(63, count - 1);
    case "start of a tile":
      return Math.min(64, count - 1);
    case "middle word":
      return count >> 1;
  }
}

/** Steps of a run of 7 in segments of 4: the ends of both segments, and between them. Which operator of the family: of n, from 0 to 1. */
const PLACES: readonly { readonly step: number; readonly where: Where; readonly operator: number }[] = [
  { step: 0, where: "first word", operator: 0 },
  { step: 3, where: "last word", operator: 1 },
  { step: 4, where: "end of a tile", operator: 0.5 },
  { step: 6, where: "start of a tile", operator: 0.75 },
  { step: 2, where: "middle word", operator: 0.25 },
  { step: 5, where: "last word", operator: 0.6 },
];

/** The words with the first one from there on false that the lie changes; null where it changes none. */
function tampered(words: Uint32Array, from: number, lie: WordLie, next: Uint32Array): Uint32Array | null {
  const backwards = from === words.length - 1;
  for (let tried = 0; tried < words.length; tried++) {
    const at = (from + (backwards ? -tried : tried) + words.length) % words.length;
    const word = lie(words, at, next);
    if (word !== words[at]) return words.with(at, word);
  }
  return null;
}

export function wordLies(stage: Stage): Row[] {
  const { job } = stage;
  const rows: Row[] = [];
  const add = (row: Omit<Row, "cheat">, lying: Uint32Array | null, cheat: (words: Uint32Array) => Cheat): void => {
    // Not every tensor has a zero, nor neighbours that differ.
    if (lying !== null) rows.push({ ...row, cheat: () => cheat(lying) });
  };
  for (const [f, family] of FAMILIES.entries()) {
    const operators = [...job.program.operators.keys()].filter(
      (at) => job.program.operators[at]!.operator.family === family,
    );
    for (const [l, [lie, change]] of Object.entries(WORD_LIES).entries()) {
      for (const [p, { step, where, operator: share }] of PLACES.entries()) {
        const operator = operators[Math.round(share * (operators.length - 1))]!;
        const { words } = honestStep(stage, step).outputs[operator]!;
        const next = honestStep(stage, (step + 1) % job.steps).outputs[operator]!.words;
        const place = `${where} of ${job.program.operators[operator]!.name}, step ${step}`;
        // Two lies a family, of different kinds and at different places.
        const isQuick = (l === f % 5 && p === f % 3) || (l === (f + 2) % 5 && p === 3 + (f % 3));
        add(
          { lie, about: family, place, isQuick },
          tampered(words, wordAt(where, words.length), change, next),
          (lying) => outputLie(stage, step, operator, lying),
        );
      }
    }
  }
  for (const [operator, { name, operator: described }] of job.program.operators.entries()) {
    // Every operator once more, wherever the families' places are.
    const { words } = honestStep(stage, 1).outputs[operator]!;
    // A peak stays a power of two, so that its maximum is what is false.
    const lying = flipped(words, words.length >> 1, described.family === "peak" ? 0x800000 : 4);
    rows.push({
      lie: "another word",
      about: described.family,
      place: `middle word of ${name}, step 1`,
      isQuick: false,
      cheat: () => outputLie(stage, 1, operator, lying),
    });
  }
  for (const [t, { name }] of job.program.state.entries()) {
    for (const [l, [lie, change]] of Object.entries(WORD_LIES).entries()) {
      for (const [p, { step, where }] of PLACES.slice(0, 3).entries()) {
        const { words } = honestStep(stage, step).state[t]!;
        const next = honestStep(stage, (step + 1) % job.steps).state[t]!.words;
        const row = {
          lie,
          about: "state",
          place: `${where} of ${name}, after step ${step}`,
          isQuick: l === t && p === t % 3,
        };
        add(row, tampered(words, wordAt(where, words.length), change, next), (lying) =>
          stateLie(stage, step, t, lying),
        );
      }
    }
  }
  return rows;
}

export function honestStep({ job, honest }: Stage, step: number): TracedStep {
  const segment = Math.floor(step / job.interval);
  return honest[segment]!.numbers[step - segment * job.interval]!;
}

/** One operator of one step gives other words, and everything after it follows from them. */
export function outputLie(stage: Stage, step: number, operator: number, words: Uint32Array): Cheat {
  return oneStep(stage, step, (before) => rerunWithOutput(stage.job, step, before, operator, words));
}

/** The state after one step is not what the trace of the step says. */
export function stateLie(stage: Stage, step: number, tensor: number, words: Uint32Array): Cheat {
  return oneStep(stage, step, (_, { outputs, state }) => ({ outputs, state: withWords(state, tensor, words) }));
}

export function oneStep({ job }: Stage, step: number, lie: StepLie): Cheat {
  return { segment: Math.floor(step / job.interval), steps: new Map([[step, lie]]) };
}

export function withWords(tensors: readonly Tensor[], at: number, words: Uint32Array): readonly Tensor[] {
  return tensors.with(at, { ...tensors[at]!, words });
}

/** Index of an operator by its name. */
export function operatorOf({ job }: Stage, name: string): number {
  return job.program.operators.findIndex((operator) => operator.name === name);
}

/** The words with one bit of one word changed. */
export function flipped(words: Uint32Array, at: number, bit = 1): Uint32Array {
  return words.with(at, (words[at]! ^ bit) >>> 0);
}
