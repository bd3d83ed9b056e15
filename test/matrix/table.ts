/** The cheat matrix and its mirror as docs show them. */
export const TABLE = "docs/cheat-matrix.md";
export const MIRROR = "docs/mirror.md";

interface Named {
  readonly lie: string;
  readonly about: string;
  readonly place: string;
}

export interface PlayedRow {
  readonly row: Named;
  readonly ended: { readonly where: string; readonly reason: string; readonly refused: readonly string[] };
}

/** What tells a row from all others. */
export function keyOf({ lie, about, place }: Named): string {
  return `| ${lie} | ${about} | ${place} |`;
}

export function lineOf({ row, ended: { where, reason, refused } }: PlayedRow): string {
  const tried = refused.length === 0 ? "" : `, after \`${refused.join("`, `")}\``;
  return `${keyOf(row)} ${where} | ${reason}${tried} |`;
}

/** How many of each kind, about what. */
function countsOf(rows: readonly Named[]): string[] {
  const count = (key: "lie" | "about", value: string, of: readonly Named[]): number =>
    of.filter((row) => row[key] === value).length;
  return [...new Set(rows.map(({ lie }) => lie))].map((lie) => {
    const of = rows.filter((row) => row.lie === lie);
    const abouts = [...new Set(of.map(({ about }) => about))];
    return `| ${lie} | ${of.length} | ${abouts.map((about) => `${about} ${count("about", about, of)}`).join(", ")} |`;
  });
}

function reasonsOf(played: readonly { readonly reason: string }[]): string {
  const reasons = [...new Set(played.map(({ reason }) => reason))];
  return reasons.map((name) => `${played.filter(({ reason }) => reason === name).length} by *${name}*`).join(", ");
}

/** @param programs what was played with each program. */
export function tableOf(programs: readonly { readonly name: string; readonly played: readonly PlayedRow[] }[]): string {
  const all = programs.flatMap(({ played }) => played);
  const lines = [
    "# The cheat matrix",
    "",
    `${all.length} dishonest runs that differ in the kind of lie, in what it is about, or in the place. Each is committed to the real \`TrainingMarket\`, challenged by the`,
    "verifier's own strategy, walked through the real `DisputeGame` and decided by the real `Referee`. All of them end in a conviction, and at the first wrong",
    "element: where that is, is found by comparing the honest and the false numbers leaf by leaf, without the code of the walk, and must be where the contract came to.",
    "",
    `${reasonsOf(all.map(({ ended }) => ended))}. *timeout* is the end of a liar that has no move: it keeps silent, or the game refuses what it tries (the error is named).`,
    "A liar whose fault does not reach its checkpoint also changes the last word of it, so that there is something to challenge; the first fault convicts all the same.",
    "Challengers without a case are in [the mirror](mirror.md).",
    "",
    "Made by `TOUCHSTONE_DEEP=1 TOUCHSTONE_UPDATE_SNAPSHOTS=1 node --test test/matrix/cheatMatrix.test.ts`; every run of the test compares what it plays with this page.",
    "",
    "| kind of lie | runs | about |",
    "| --- | --- | --- |",
    ...countsOf(all.map(({ row }) => row)),
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

/** @param payouts lines of the payout table. */
export function mirrorOf(played: readonly PlayedRow[], payouts: readonly string[]): string {
  const lines = [
    "# The mirror of the cheat matrix",
    "",
    `${played.length} challengers without a case against an honest solver or an honest verifier, which play by their own strategies, through the real contracts. No defendant is convicted:`,
    "every challenger loses its bond, half of it goes to the defendant for its gas, and the solver is paid in full afterwards (the verifier its fees).",
    "",
    `${reasonsOf(played.map(({ ended }) => ended))}. *timeout* is the end of a challenger that keeps silent, or whose forgery the game refuses (the error is named) and that has nothing else.`,
    "What others than the challenger try, who pays whom, and the last second are in `test/matrix/mirror.test.ts`; tokens that call back in `test/contracts/attacks.test.ts`.",
    "",
    "Made by `TOUCHSTONE_DEEP=1 TOUCHSTONE_UPDATE_SNAPSHOTS=1 node --test test/matrix/mirror.test.ts`; every run of the test compares what it plays with this page.",
    "",
    "| kind of challenger | runs | about |",
    "| --- | --- | --- |",
    ...countsOf(played.map(({ row }) => row)),
    "",
    "## Convicting oneself, and losing on purpose",
    "",
    "What a coalition has in the end, in thousandths of the price, beyond what it had before the task. Its solver did no work and is convicted by a friend, who challenged in vain so",
    "many times before: each loses its bond to the solver and the fire. A coalition with the requester in it has no price to gain, as it is its own.",
    "",
    "| solverBond / price | solverBond / challengerBond | sham disputes | solver and challenger | and the requester | an honest solver |",
    "| --- | --- | --- | --- | --- | --- |",
    ...payouts,
    "",
    "## The challengers",
    "",
    "| kind | about | place | ended at | by |",
    "| --- | --- | --- | --- | --- |",
    ...played.map(lineOf),
  ];
  return `${lines.join("\n")}\n`;
}
