/** The place that a dispute ended at, in words. */
import { tensorName } from "../../shared/dispute/located.ts";
import { childOf, Level } from "../../shared/dispute/position.ts";
import type { PlayedGame } from "../endToEnd/gameOnChain.ts";
import type { Stage } from "./stage.ts";

export function describe({ job, honest }: Stage, { walk, deciding }: PlayedGame): string {
  const { level, step, ofState, tensor, index, element, lo, hi, height } = walk.position;
  const segment = walk.subject!.segment;
  const run = honest[segment]!.firstStep + step;
  const name = (): string => tensorName(job.program, tensor, ofState);
  const isChoice = deciding.functionName === "choose" || deciding.functionName === "adjudicateDigest";
  const child = isChoice ? childOf(walk.position, Number((deciding.args[1] as { child: number }).child)) : null;
  const at = child ?? { height, index };
  const node = at.height === 0 ? `leaf ${at.index}` : `node ${at.index} of height ${at.height}`;
  switch (level) {
    case Level.answer:
      return `answer about segment ${segment}`;
    case Level.segment:
      return `${node} of segment ${segment}`;
    case Level.trace:
      return `${node} of the trace of step ${run}`;
    case Level.state:
      return `${node} of the state after step ${run}`;
    case Level.digest:
      return `${node} of the digest`;
    case Level.tensor:
      return `${at.height === 0 ? `tile ${at.index}` : node} of ${name()}, step ${run}`;
    case Level.tile:
      if (deciding.functionName === "claimTimeout") return `tile ${index} of ${name()}, step ${run}`;
      return `${name()}[${walk.wordAt(Number(deciding.args[1]))}], step ${run}`;
    case Level.partials: {
      const range = deciding.functionName === "claimTimeout" ? `, positions ${lo} to ${hi - 1}` : "";
      return `${name()}[${walk.wordAt(element)}], step ${run}${range}`;
    }
    default:
      return "the choice of a tree";
  }
}
