/** The compiler's model checker on the contracts of contracts/test/proofs: each target is proved for every argument, or listed. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { ROOT, sourcesOf } from "../mutation/compiler.ts";

/** The compiler's own solver knows no time limit; Z3 beside it (`apt-get install z3`) is given one for each query. */
export type Solver = "builtIn" | "z3";

export interface Proof {
  readonly contract: string;
  readonly proved: number;
  /** What the solver could not decide, and what it refuted, by place. */
  readonly unproved: readonly string[];
  readonly refuted: readonly string[];
  readonly seconds: number;
}

interface Message {
  readonly severity: string;
  readonly message: string;
  readonly formattedMessage: string;
}
type Callbacks = { smtSolver(query: string): { contents: string } };
type Solc = { compile(input: string, callbacks?: Callbacks): string };

const FOLDER = "contracts/test/proofs";
const QUERY_SECONDS = 10;
const TARGETS = ["overflow", "underflow", "divByZero", "outOfBounds", "assert"];

export function proofContracts(): string[] {
  return globSync(`${FOLDER}/*.sol`, { cwd: ROOT })
    .map((file) => path.basename(file, ".sol"))
    .sort();
}

export function isInstalled(): boolean {
  return spawnSync("z3", ["--version"]).status === 0;
}

/** Every arithmetic operation, division, index and assertion that the functions of one proof contract reach. */
export function prove(contract: string, solver: Solver): Proof {
  const start = performance.now();
  const file = `${FOLDER}/${contract}.sol`;
  const sources = Object.fromEntries(Object.entries(sourcesOf([file])).map(([name, content]) => [name, { content }]));
  // The bounded engine: nothing here loops, and what it proves holds for every argument.
  const modelChecker = {
    engine: "bmc",
    solvers: [solver === "z3" ? "smtlib2" : "z3"],
    targets: TARGETS,
    contracts: { [file]: [contract] },
    showProvedSafe: true,
    showUnproved: true,
  };
  const settings = { evmVersion: "osaka", modelChecker, outputSelection: { "*": { "*": [] } } };
  const solc = createRequire(import.meta.url)("solc") as Solc;
  const input = JSON.stringify({ language: "Solidity", sources, settings });
  const output = solver === "z3" ? solc.compile(input, { smtSolver: ask }) : solc.compile(input);
  const errors = (JSON.parse(output) as { errors?: Message[] }).errors ?? [];
  const failure = errors.find(({ severity }) => severity === "error");
  if (failure !== undefined) throw new Error(failure.formattedMessage);
  const messages = errors.filter(({ message }) => message.startsWith("BMC: "));
  const where = (pattern: RegExp): string[] =>
    messages.filter(({ message }) => pattern.test(message)).map((message) => placeOf(message));
  return {
    contract,
    proved: where(/check is safe!/).length,
    unproved: where(/might happen here/),
    refuted: where(/happens here/),
    seconds: (performance.now() - start) / 1000,
  };
}

function ask(query: string): { contents: string } {
  const { stdout } = spawnSync("z3", ["-in", "-smt2", `-T:${QUERY_SECONDS}`], { input: query, encoding: "utf8" });
  return { contents: stdout.startsWith("timeout") ? "unknown\n" : stdout };
}

function placeOf({ message, formattedMessage }: Message): string {
  const [, place] = /--> ([^\n]*?):?\n/.exec(formattedMessage) ?? [];
  return `${place ?? "?"} ${message.replace(/^BMC: /, "").split("\n")[0]}`;
}
