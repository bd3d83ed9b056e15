/** The cheat matrix as docs/cheat-matrix.md shows it. */
import type { Row } from "./cheats.ts";
import type { Convicted } from "./play.ts";

export const TABLE = "docs/cheat-matrix.md";

export interface PlayedRow {
  readonly row: Row;
  readonly convicted: Convicted;
}

/** What tells a row from all others. */
export function keyOf({ lie, about, place }: Row): string {
  return `| ${lie} | ${about} | ${place} |`;
}

export function lineOf({ row, convicted: { where, reason, refused } }: PlayedRow): string {
  const tried = refused.length === 0 ? "" : `, after \`${refused.join("`, `")}\``;
  return `${keyOf(row)} ${where} | ${reason}${tried} |`;
}

/** @param programs what was played with each program. */
export function tableOf(programs: readonly { readonly name: string; readonly played: readonly PlayedRow[] }[]): string {
  const all = programs.flatMap(({ played }) => played);
  const lies = [...new Set(all.map(({ row }) => row.lie))];
  const counts = lies.map((lie) => {
    const of = all.filter(({ row }) => row.lie === lie);
    const abouts = [...new Set(of.map(({ row }) => row.about))];
    const cells = abouts.map((about) => `${about} ${of.filter(({ row }) => row.about === about).length}`);
    return `| ${lie} | ${of.length} | ${cells.join(", ")} |`;
  });
  const reasons = [...new Set(all.map(({ convicted }) => convicted.reason))].map(
    (reason) => `${all.filter(({ convicted }) => convicted.reason === reason).length} by *${reason}*`,
  );
  const lines = [
    "# The cheat matrix",
    "",
    `${all.length} dishonest runs that differ in the kind of lie, in what it is about, or in the place. Each is committed to the real \`TrainingMarket\`, challenged by the`,
    "verifier's own strategy, walked through the real `DisputeGame` and decided by the real `Referee`. All of them end in a conviction, and at the first wrong",
    "element: where that is, is found by comparing the honest and the false numbers leaf by leaf, without the code of the walk, and must be where the contract came to.",
    "",
    `${reasons.join(", ")}. *timeout* is the end of a liar that has no move: it keeps silent, or the game refuses what it tries (the error is named).`,
    "A liar whose fault does not reach its checkpoint also changes the last word of it, so that there is something to challenge; the first fault convicts all the same.",
    "",
    "Made by `TOUCHSTONE_DEEP=1 TOUCHSTONE_UPDATE_SNAPSHOTS=1 node --test test/matrix/cheatMatrix.test.ts`; every run of the test compares what it plays with this page.",
    "",
    "| kind of lie | runs | about |",
    "| --- | --- | --- |",
    ...counts,
  ];
  for (const { name, played } of programs) {
    lines.push(
      "",
      `## In the program with ${name}`,
      "",
      "| lie | about | place | convicted at | by |",
      "| --- | --- | --- | --- | --- |",
      ...played.map(lineOf),
    );
  }
  return `${lines.join("\n")}\n`;
}
