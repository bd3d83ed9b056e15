/** Whether a mutant of a target is noticed. */

import { compile, sourcesOf } from "./compiler.ts";
import type { Mutant } from "./mutants.ts";
import type { Replayer } from "./replay.ts";
import type { Check } from "./suites.ts";
import type { Target } from "./targets.ts";

/** `killed` says what noticed it; a mutant that does not compile is none. */
export type Fate =
  | { readonly fate: "killed"; readonly by: string }
  | { readonly fate: "survived" }
  | { readonly fate: "uncompilable" };

export type Judge = (mutant: Pick<Mutant, "file" | "text">) => Promise<Fate>;

/** Prepares a target's tests. The contracts as they are must pass them. */
export async function judgeOf(target: Target, replayer: Replayer): Promise<Judge> {
  const contracts = target.suites.map(({ contract }) => contract);
  const sources = sourcesOf(contracts.map(({ file }) => file));
  const checks: Check[] = [];
  for (const suite of target.suites) checks.push(await suite.prepare(replayer));

  const judge: Judge = async ({ file, text }) => {
    const compiled = compile({ ...sources, [file]: text }, contracts);
    if (compiled === null) return { fate: "uncompilable" };
    for (const [i, check] of checks.entries()) {
      const by = await check(compiled.get(contracts[i]!.name)!);
      if (by !== null) return { fate: "killed", by };
    }
    return { fate: "survived" };
  };

  const [file] = target.files;
  const whole = await judge({ file: file!, text: sources[file!]! });
  if (whole.fate !== "survived") throw new Error(`${target.name} as it is: ${JSON.stringify(whole)}`);
  return judge;
}
