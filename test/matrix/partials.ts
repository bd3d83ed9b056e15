/** False partial results under a false element of a long reduction: every way in which a liar can split its difference. */
import { type ClaimPartials, honestPartials } from "../../shared/dispute/defendant.ts";
import { type DefendantMove, toDescriptorArgument } from "../../shared/dispute/moves.ts";
import { asReducing } from "../../shared/dispute/partials.ts";
import { partsOf } from "../../shared/dispute/parts.ts";
import type { Walk } from "../../shared/dispute/walk.ts";
import { combine } from "../../shared/operators/element.ts";
import { lyingPartials } from "../../solver/cheats/lyingPartials.ts";
import type { Cheat, Row } from "./cheats.ts";
import type { Stage } from "./stage.ts";
import { honestStep, operatorOf, outputLie } from "./words.ts";

const STEP = 1;

type Claimed = Awaited<ReturnType<ClaimPartials>>;

/** Puts the difference between the truth and the claim where `parts` says: shares that add up to one. */
function split(parts: (used: number) => readonly (readonly [part: number, share: bigint])[]): ClaimPartials {
  return async (run, evidence, walk) => {
    const lie = await lyingPartials(run, evidence, walk);
    const truth = await honestPartials(run, evidence, walk);
    const operator = asReducing(run.program.operators[walk.position.tensor]!.operator);
    const used = partsOf(walk.position).filter(({ lo, hi }) => lo < hi).length;
    if (operator.family === "peak") {
      // The claim is greater than every true value: it stands where the shares are.
      const values = [...truth.values];
      for (const [part] of parts(used)) values[part] = combine(operator, lie.values);
      return { exponent: 0n, values };
    }
    const values = truth.values.map((value) => value << (truth.exponent - lie.exponent));
    const difference = combine(operator, lie.values) - combine(operator, values);
    for (const [part, share] of parts(used)) values[part]! += share * difference;
    return { exponent: lie.exponent, values };
  };
}

/** Another claim than `base` makes. */
function changed(change: (claim: Claimed, walk: Walk) => Claimed, base: ClaimPartials = lyingPartials): ClaimPartials {
  return async (run, evidence, walk) => change(await base(run, evidence, walk), walk);
}

const isFirst = ({ claim }: Walk): boolean => claim === null;
/** In operands that cross a tile there, so that the part is split again. */
const inTheMiddle = split((used) => [[used >> 1, 1n]]);

const CLAIMS: Readonly<Record<string, ClaimPartials>> = {
  "the difference in the first part": split(() => [[0, 1n]]),
  "the difference in the last part": split((used) => [[used - 1, 1n]]),
  "the difference in the middle": inTheMiddle,
  "differences that cancel before it": split((used) => [
    [0, 5n],
    [1, -5n],
    [used - 1, 1n],
  ]),
  "a difference in every part": split((used) =>
    Array.from({ length: used }, (_, part) => [part, part === 0 ? BigInt(2 - used) : 1n] as const),
  ),
  "a finer scale": changed((claim, walk) =>
    isFirst(walk) ? { exponent: claim.exponent - 3n, values: claim.values.map((value) => value << 3n) } : claim,
  ),
  "the true parts": honestPartials,
  "parts that do not combine": changed(({ exponent, values }) => ({
    exponent,
    values: values.with(0, values[0]! + (1n << 60n)),
  })),
  "an exponent beyond 16 bits": changed(({ values }) => ({ exponent: -(1n << 20n), values })),
  "another exponent further down": changed(
    (claim, walk) => (isFirst(walk) ? claim : { ...claim, exponent: claim.exponent + 1n }),
    inTheMiddle,
  ),
  "other parts further down": changed(
    (claim, walk) => (isFirst(walk) ? claim : { ...claim, values: claim.values.with(0, claim.values[0]! + 1n) }),
    inTheMiddle,
  ),
};

/** Claims whose parts further down matter: only reductions that are split twice come to them. */
const DEEPER = /further down$/;

/** @param operators names of reductions that are split, by whether they are split twice. */
export function partialLies(stage: Stage, operators: Readonly<Record<string, boolean>>): Row[] {
  const rows: Row[] = [];
  for (const [name, isSplitTwice] of Object.entries(operators)) {
    const operator = operatorOf(stage, name);
    const described = asReducing(stage.job.program.operators[operator]!.operator);
    const isPeak = described.family === "peak";
    const lie = (): Cheat => {
      const { words } = honestStep(stage, STEP).outputs[operator]!;
      // Twice the true value; a peak stays a power of two.
      const at = words.findIndex((word, index) => index >= words.length >> 1 && word << 1 !== 0);
      return outputLie(stage, STEP, operator, words.with(at, words[at]! + 0x800000));
    };
    for (const [place, claimPartials] of Object.entries(CLAIMS)) {
      if (DEEPER.test(place) && !isSplitTwice) continue;
      if (isPeak && /cancel|scale/.test(place)) continue;
      const isQuick = place === "differences that cancel before it" || place === "another exponent further down";
      rows.push({
        lie: "false partial results",
        about: described.family,
        place: `${place}, ${name}`,
        isQuick,
        cheat: () => ({ ...lie(), claimPartials }),
      });
    }
    const moves: readonly (readonly [place: string, change: (move: Claims, stage: Stage) => DefendantMove])[] = [
      ["a value behind the last part", (move) => ({ ...move, values: move.values.with(15, 1n) })],
      [
        "another operator's descriptor",
        (move) => ({ ...move, descriptor: toDescriptorArgument(stage.run.operator(operator - 1)) }),
      ],
      [
        "a short proof of the descriptor",
        (move) => ({ ...move, descriptor: { ...move.descriptor, siblings: move.descriptor.siblings.slice(1) } }),
      ],
      [
        "a long proof of the descriptor",
        (move) => ({
          ...move,
          descriptor: { ...move.descriptor, siblings: [...move.descriptor.siblings, move.descriptor.siblings[0]!] },
        }),
      ],
    ];
    for (const [place, change] of moves) {
      const isFull = partsOf({ lo: 0, hi: described.length }).every(({ lo, hi }) => lo < hi);
      if (place === "a value behind the last part" && isFull) continue;
      rows.push({
        lie: "false partial results",
        about: described.family,
        place: `${place}, ${name}`,
        isQuick: false,
        cheat: () => ({ ...lie(), play: (_, move) => (move?.kind === "claimPartials" ? change(move, stage) : move) }),
      });
    }
  }
  return rows;
}

type Claims = Extract<DefendantMove, { kind: "claimPartials" }>;
