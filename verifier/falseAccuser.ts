/**
 * A challenger without a case, for drills: it picks any child, any element and any part, and goes on for as long as the rules let
 * it. Whoever runs it against an honest defendant loses its own bond.
 */

import { TILE_WORDS } from "../shared/commitment/tile.ts";
import { judgeChild, judgePart, judgeWord } from "../shared/dispute/challenger.ts";
import type { ChallengerMove } from "../shared/dispute/moves.ts";
import { partsOf } from "../shared/dispute/parts.ts";
import { childOf, Level } from "../shared/dispute/position.ts";
import type { Run } from "../shared/dispute/run.ts";
import type { Evidence } from "../shared/dispute/segmentEvidence.ts";
import type { Walk } from "../shared/dispute/walk.ts";

/** An integer in [0, bound), from a seeded generator. */
export type Below = (bound: number) => number;

export interface FalseAccusationOptions {
  /** One choice in so many falls into the padding where there is some, which ends the dispute at once; 0 for none. */
  readonly paddingEvery?: number;
}

/** The next move of a challenger that lies, or null when it is not its turn. */
export async function accuseFalsely(
  run: Run,
  evidence: Evidence,
  walk: Walk,
  below: Below,
  { paddingEvery = 0 }: FalseAccusationOptions = {},
): Promise<ChallengerMove | null> {
  if (walk.outcome !== null || walk.turn !== "challenger") return null;
  const intoPadding = paddingEvery > 0 && below(paddingEvery) === 0;
  const { level, count, index } = walk.position;
  switch (level) {
    case Level.fork:
      return { kind: "enterTree", digest: below(2) === 1 };
    case Level.tile: {
      const inside = Math.min(TILE_WORDS, count - index * TILE_WORDS);
      return judgeWord(run, evidence, walk, below(intoPadding ? TILE_WORDS : inside));
    }
    case Level.partials: {
      const used = partsOf(walk.position).filter(({ lo, hi }) => lo < hi).length;
      return judgePart(run, evidence, walk, below(used));
    }
    default: {
      if (walk.published?.kind !== "children") return null;
      const { children } = walk.published;
      const leaves = leafCount(run, evidence, walk);
      const inside = children.filter((_, child) => {
        const node = childOf(walk.position, child);
        return node.index * 2 ** node.height < leaves;
      }).length;
      return judgeChild(run, evidence, walk, below(intoPadding ? children.length : inside));
    }
  }
}

function leafCount(run: Run, evidence: Evidence, walk: Walk): number {
  switch (walk.position.level) {
    case Level.segment:
      return 2 * evidence.stepCount;
    case Level.trace:
      return run.program.operators.length;
    case Level.state:
      return run.program.state.length;
    case Level.digest:
      return evidence.stepCount;
    default:
      return Math.ceil(walk.position.count / TILE_WORDS);
  }
}
