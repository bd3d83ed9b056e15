/** What makes a program malformed. */
import { TouchstoneError } from "../../errors.ts";

/** Rules of docs/numerics.md, section 4, by number. */
export type Rule = 1 | 2 | 3 | 4 | 5;

export interface Finding {
  /** The operator, by index; null for the program as a whole. */
  readonly operator: number | null;
  readonly rule: Rule;
  readonly message: string;
}

const SHOWN = 5;

/** A program that no solver may bid on; `findings` says everything that is wrong with it. */
export class MalformedProgramError extends TouchstoneError {
  readonly code = "PROGRAM_MALFORMED";
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    const shown = findings.slice(0, SHOWN).map(({ rule, message }) => `${message} (rule ${rule})`);
    const more = findings.length > SHOWN ? [`and ${findings.length - SHOWN} more findings`] : [];
    super(`The program is malformed: ${[...shown, ...more].join("; ")}.`, {
      remedy: "The rules are in docs/numerics.md, section 4.",
    });
    this.findings = findings;
  }
}
