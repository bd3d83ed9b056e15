/**
 * Which tensors are copies of which: Gathers and Maps without instructions, one after another. A chain may be as long as the program and
 * asked about by every operator, so nobody goes through it link by link.
 */
import { Dtype, type Operator, type Reference } from "../../program/descriptor.ts";
import type { Program } from "../../program/program.ts";

interface Link {
  /** Copies between this operator and the earliest operator of its chain. */
  readonly depth: number;
  /** What the chain begins with, if that is no operator. */
  readonly origin: Reference | null;
  /** The operator that this one copies; itself at the beginning. */
  readonly source: Link;
  /** One of those before it, chosen so that any of them is reached in logarithmically many steps (Myers, 1983). */
  readonly jump: Link;
}

/** Whether every word of a tensor is zero or a word of `original`. */
export type IsCopy = (copy: Reference, original: Reference) => boolean;

export function copiesOf({ operators }: Program): IsCopy {
  const links: Link[] = [];
  for (const [index, { operator }] of operators.entries()) {
    const copied = isCopying(operator) ? operator.operands[0]!.reference : null;
    // A reference forward is a finding of its own.
    const source = copied?.kind === "operator" && copied.index < index ? links[copied.index]! : null;
    links.push(source === null ? beginning(copied) : follower(source));
  }
  return (copy, original) => {
    const link = copy.kind === "operator" ? links[copy.index] : undefined;
    if (link === undefined) return false;
    if (original.kind !== "operator") return link.origin !== null && isSame(link.origin, original);
    const wanted = links[original.index];
    return wanted !== undefined && link.depth > wanted.depth && above(link, wanted.depth) === wanted;
  };
}

export const isSame = (a: Reference, b: Reference): boolean => a.kind === b.kind && a.index === b.index;

function beginning(copied: Reference | null): Link {
  const link = { depth: 0, origin: copied?.kind === "operator" ? null : copied } as {
    -readonly [key in keyof Link]: Link[key];
  };
  link.source = link;
  link.jump = link;
  return link;
}

function follower(source: Link): Link {
  const { depth, origin, jump } = source;
  const isEven = depth - jump.depth === jump.depth - jump.jump.depth;
  return { depth: depth + 1, origin, source, jump: isEven ? jump.jump : source };
}

function above(link: Link, depth: number): Link {
  let at = link;
  while (at.depth > depth) at = at.jump.depth >= depth ? at.jump : at.source;
  return at;
}

const isCopying = (operator: Operator): boolean =>
  operator.family === "gather" || (operator.family === "map" && isPlain(operator));

const isPlain = ({ operands, immediates, instructions }: Extract<Operator, { family: "map" }>): boolean =>
  operands.length === 1 && operands[0]!.dtype === Dtype.float32 && immediates.length + instructions.length === 0;
