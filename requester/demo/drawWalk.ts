/** Draws a dispute's walk for people: each level with both sides' hashes and the chosen child, down to the one number. */
import type { LocatedFault } from "../../shared/dispute/located.ts";
import type { Transcript } from "./transcript.ts";

/** What the challenger reported of one of its choices: both sides' hash of the first child that differs. */
export interface ReportedChoice {
  readonly level: string;
  readonly child: number;
  readonly own: string;
  readonly claimed: string;
  /** What the child is, in words ("step 137", "operator fc1.dot"), where the choice entered it. */
  readonly entered?: string;
}

const NAME_WIDTH = 12;
const HASH_DIGITS = 10;

/** @param names of the two sides, for the headings. */
export function drawWalk(
  choices: readonly ReportedChoice[],
  located: LocatedFault | null,
  names: { readonly defendant: string; readonly challenger: string },
): string {
  const lines = [`${" ".repeat(NAME_WIDTH)}   child  ${names.challenger.padEnd(HASH_DIGITS + 2)}  ${names.defendant}`];
  let depth = 0;
  for (const { level, child, own, claimed, entered } of choices) {
    const indent = " ".repeat(depth);
    lines.push(
      `${indent}└ ${level.padEnd(NAME_WIDTH - depth)} ${String(child).padStart(5)}  ${short(own)}  ≠  ${short(claimed)}${entered === undefined ? "" : `  → ${entered}`}`,
    );
    if (entered !== undefined) depth = Math.min(depth + 1, NAME_WIDTH - 4);
  }
  if (located !== null) lines.push("", ...drawNumber(located, names.defendant));
  return lines.join("\n");
}

function drawNumber(located: LocatedFault, defendant: string): string[] {
  const { segment, step, operator, tile, element, expectedBits, claimedBits } = located;
  const label = `${defendant} had`;
  const width = Math.max(label.length, "it must be".length);
  return [
    `  segment ${segment}, step ${step}, ${operator}, tile ${tile}, element ${element}`,
    `    ${label.padEnd(width)}  ${claimedBits}  ${asNumber(claimedBits)}`,
    `    ${"it must be".padEnd(width)}  ${expectedBits}  ${asNumber(expectedBits)}`,
  ];
}

/** A table of what each kind of move cost. */
export function drawGas({ gasByMove, totalGas, transactions, rounds }: Transcript): string {
  const rows = [...gasByMove].map(([move, gas]) => `    ${move.padEnd(16)} ${group(gas).padStart(11)}`);
  return [
    `    ${"move".padEnd(16)} ${"gas".padStart(11)}`,
    ...rows,
    `    ${"total".padEnd(16)} ${group(totalGas).padStart(11)}  in ${transactions} transactions, ${rounds} rounds`,
  ].join("\n");
}

function group(value: bigint): string {
  return value.toLocaleString("en-US");
}

function short(hash: string): string {
  return `${hash.slice(0, HASH_DIGITS + 1)}…`;
}

function asNumber(bits: string): string {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, Number(bits));
  return String(view.getFloat32(0));
}
