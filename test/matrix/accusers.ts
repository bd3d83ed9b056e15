/** What a row of the mirror is: a challenger without a case, what it aims at, and how it plays. */
import { judgeChild, judgePart, judgeWord } from "../../shared/dispute/challenger.ts";
import type { ChallengerMove } from "../../shared/dispute/moves.ts";
import { childOf, Level, type Position } from "../../shared/dispute/position.ts";
import type { Run } from "../../shared/dispute/run.ts";
import type { Evidence } from "../../shared/dispute/segmentEvidence.ts";
import type { Walk } from "../../shared/dispute/walk.ts";
import type { Stage } from "./stage.ts";

/** A leaf at every level of the walk, from the segment (or a digest) down to a word and a part of it. */
export interface Target {
  readonly leaf: number;
  readonly tensor?: number;
  readonly tile?: number;
  /** Word of the tile. */
  readonly word?: number;
  readonly parts?: readonly number[];
  /** At a verifier's fork. */
  readonly digest?: boolean;
}

/** A dishonest challenger. The defendant is honest. */
export interface Accuser {
  readonly segment: number;
  readonly target: Target;
  /** Against the verifier that attested the segment instead of the solver. */
  readonly ofVerifier?: boolean;
  /** Another move than the one that leads to the target; null for silence. */
  readonly change?: (move: ChallengerMove, walk: Walk) => ChallengerMove | null;
  readonly silentAt?: (position: Position) => boolean;
  /** What it sends in the defendant's turns; every one of them must be refused. */
  readonly meddle?: Meddle;
}

export interface MeddleContext {
  readonly disputeId: `0x${string}`;
  readonly subject: Parameters<Stage["arena"]["game"]["write"]["answer"]>[0][1];
  readonly walk: Walk;
}
export type Meddle = (stage: Stage, context: MeddleContext) => readonly (() => Promise<unknown>)[];

export interface Accusation {
  readonly lie: string;
  readonly about: string;
  readonly place: string;
  readonly isQuick: boolean;
  accuser(): Accuser;
}

/** The move that leads to the target: everything about it is right, except that nothing there is wrong. */
export async function steer(
  run: Run,
  evidence: Evidence,
  walk: Walk,
  { leaf, tensor = 0, tile = 0, word = 0, parts = [], digest = false }: Target,
): Promise<ChallengerMove | null> {
  const { level, index, lo, hi } = walk.position;
  const to = (place: number): Promise<ChallengerMove> => {
    const first = childOf(walk.position, 0);
    return judgeChild(run, evidence, walk, Math.floor(place / 2 ** first.height) - first.index);
  };
  switch (level) {
    case Level.fork:
      return { kind: "enterTree", digest };
    case Level.segment:
    case Level.digest:
      return to(leaf);
    case Level.trace:
    case Level.state:
      return to(tensor);
    case Level.tensor:
      return to(tile);
    case Level.tile:
      return judgeWord(run, evidence, walk, word);
    case Level.partials: {
      const operator = run.program.operators[walk.position.tensor]!.operator;
      const whole = "length" in operator && lo === 0 && hi === operator.length && index >= 0;
      return judgePart(run, evidence, walk, parts[whole ? 0 : 1] ?? 0);
    }
    default:
      return null;
  }
}
