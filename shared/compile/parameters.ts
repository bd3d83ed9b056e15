/** Which of a model's parameters a run trains, which the forward pass itself moves, and which stay as they are. */

import type { ForwardUpdate, Parameter } from "../import/import.ts";
import { SettingError } from "../program/errors.ts";
import { idlePattern, matchesGlob } from "./glob.ts";

export interface ParameterChoice {
  readonly train?: readonly string[] | undefined;
  readonly freeze?: readonly string[] | undefined;
}

export interface ChosenParameters {
  /** For the optimizer. */
  readonly trained: readonly Parameter[];
  /** Running statistics, with what replaces them. */
  readonly running: readonly { readonly parameter: Parameter; readonly update: ForwardUpdate }[];
  /** Constants of the program. */
  readonly frozen: readonly Parameter[];
}

/** @throws SettingError when a pattern names no parameter. */
export function chooseParameters(
  parameters: readonly Parameter[],
  updates: readonly ForwardUpdate[],
  { train = ["*"], freeze = [] }: ParameterChoice,
): ChosenParameters {
  const names = parameters.map(({ name }) => name);
  for (const [setting, patterns] of Object.entries({ train, freeze })) {
    const idle = names.length === 0 ? null : idlePattern(names, patterns);
    if (idle !== null) {
      throw new SettingError(setting, `"${idle}" matches none of the parameters`, `They are ${names.join(", ")}.`);
    }
  }
  const trained: Parameter[] = [];
  const running: { parameter: Parameter; update: ForwardUpdate }[] = [];
  const frozen: Parameter[] = [];
  for (const parameter of parameters) {
    const update = updates.find(({ name }) => name === parameter.name);
    if (matchesGlob(parameter.name, freeze)) frozen.push(parameter);
    else if (update !== undefined) {
      if (update.next === null) frozen.push(parameter);
      else running.push({ parameter, update });
    } else if (matchesGlob(parameter.name, train)) trained.push(parameter);
    else frozen.push(parameter);
  }
  return { trained, running, frozen };
}
