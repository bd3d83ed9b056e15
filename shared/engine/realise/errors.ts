import { TouchstoneError } from "../../errors.ts";

/** An operator has no realisation as an ONNX graph; validation calls such a program malformed. */
export class UnrealisableError extends TouchstoneError {
  readonly code = "UNREALISABLE";
  readonly problem: string;

  /** `operator` is the operator's name, where it is known. */
  constructor(problem: string, operator?: string) {
    super(
      `${operator === undefined ? "An operator" : `Operator ${operator}`} cannot be run by an engine: ${problem}.`,
      {
        remedy: "The program is malformed: it breaks docs/numerics.md, section 4.",
      },
    );
    this.problem = problem;
  }
}
