/** A challenger's side of disputes, and what it tells of each choice: both sides' hashes, and the number at the end. */
import type { Hex } from "viem";
import type { Output } from "../shared/cli.ts";
import { accuse } from "../shared/dispute/challenger.ts";
import { digestOf } from "../shared/dispute/defendant.ts";
import { formatWord, tensorName } from "../shared/dispute/located.ts";
import type { ChallengerMove, Move } from "../shared/dispute/moves.ts";
import { asReducing, partialValues } from "../shared/dispute/partials.ts";
import { childOf, Level, type Position } from "../shared/dispute/position.ts";
import type { Run } from "../shared/dispute/run.ts";
import type { SegmentEvidence } from "../shared/dispute/segmentEvidence.ts";
import { readerOf } from "../shared/dispute/stepReader.ts";
import type { Walk } from "../shared/dispute/walk.ts";
import type { Strategy } from "../shared/service/disputePlayer.ts";
import type { BookedDispute } from "../shared/service/marketBook.ts";

const LEVEL_NAMES = Object.fromEntries(Object.entries(Level).map(([name, level]) => [level, name]));

export type Accuse = (run: Run, evidence: SegmentEvidence, walk: Walk) => Promise<ChallengerMove | null>;

/** @param evidenceOf this side's numbers of the disputed segment. */
export function challengerStrategy(
  run: Run,
  output: Output,
  evidenceOf: (segment: number, deadline?: number) => Promise<SegmentEvidence>,
  choose: Accuse = accuse,
): Strategy {
  const told = new Map<Hex, Position>();
  return {
    role: "challenger",
    async move({ subject, walk }, deadline) {
      // The position is known before the numbers: nothing is computed while the other side is to move.
      if (walk.turn !== "challenger") return null;
      return choose(run, await evidenceOf(subject.segment, deadline), walk);
    },
    async chosen(dispute, move, position) {
      // A move that is sent again is still one choice.
      if (told.get(dispute.disputeId) === position) return;
      told.set(dispute.disputeId, position);
      const evidence = await evidenceOf(dispute.subject.segment);
      await tellChoice(run, output, evidence, dispute, move, position);
    },
  };
}

/** Called before the move is sent, while the walk still stands where it was chosen. */
async function tellChoice(
  run: Run,
  output: Output,
  evidence: SegmentEvidence,
  { disputeId, walk, subject }: BookedDispute,
  move: Move,
  position: Position,
): Promise<void> {
  const level = LEVEL_NAMES[position.level];
  switch (move.kind) {
    case "choose":
    case "enterStep":
    case "enterTensor":
    case "adjudicateDigest": {
      const { child, hash: claimed } = move.choice;
      const { height, index } = childOf(position, child);
      const own = await ownNode(run, evidence, walk, position, height, index);
      const entered = enteredBy(run, evidence, position, height, index);
      output.event("chosen", { disputeId, level, child, own, claimed, ...(entered === null ? {} : { entered }) });
      return;
    }
    case "choosePartial": {
      const { part, value } = move.choice;
      const values = await ownParts(run, evidence, walk, position);
      output.event("chosen", { disputeId, level, child: part, own: String(values[part]), claimed: String(value) });
      return;
    }
    case "adjudicate":
    case "adjudicatePartial": {
      const element = move.kind === "adjudicate" ? move.element : position.element;
      const { outputs, state } = await evidence.step(position.step);
      const { words } = (position.ofState ? state : outputs)[position.tensor]!;
      const located = {
        segment: subject.segment,
        step: evidence.firstStep + position.step,
        operator: tensorName(run.program, position.tensor, position.ofState),
        tile: position.index,
        element,
        expectedBits: formatWord(words[walk.wordAt(element)] ?? 0),
        claimedBits: formatWord(walk.tile![element]!),
      };
      output.event("located", { disputeId, located });
      return;
    }
  }
}

async function ownNode(
  run: Run,
  evidence: SegmentEvidence,
  walk: Walk,
  { level, step, tensor, ofState }: Position,
  height: number,
  index: number,
): Promise<string> {
  if (level === Level.segment) return evidence.tree.node(height, index);
  if (level === Level.digest) return (await digestOf(run, evidence, walk.subject!)).node(height, index);
  const { trace, after } = await evidence.step(step);
  if (level === Level.trace) return trace.outer.node(height, index);
  if (level === Level.state) return after.outer.node(height, index);
  return (ofState ? after : trace).tensor(tensor).node(height, index);
}

async function ownParts(
  run: Run,
  evidence: SegmentEvidence,
  walk: Walk,
  { step, tensor, element, lo, hi }: Position,
): Promise<readonly bigint[]> {
  const operator = asReducing(run.program.operators[tensor]!.operator);
  const { outputs } = await evidence.step(step);
  const read = readerOf(run, operator, outputs, (await evidence.before(step)).state);
  return partialValues(operator, walk.wordAt(element), { lo, hi }, read).values;
}

/** What a child is, in words, where the choice comes to a leaf. */
function enteredBy(
  { program }: Run,
  { firstStep }: SegmentEvidence,
  { level }: Position,
  height: number,
  index: number,
): string | null {
  if (height > 0) return null;
  switch (level) {
    case Level.segment:
      return `${index % 2 === 0 ? "trace of step" : "state after step"} ${firstStep + Math.floor(index / 2)}`;
    case Level.trace:
      return `operator ${program.operators[index]?.name ?? index}`;
    case Level.state:
      return `state ${program.state[index]?.name ?? index}`;
    case Level.tensor:
      return `tile ${index}`;
    case Level.digest:
      return `digest of step ${firstStep + index}`;
    default:
      return null;
  }
}
