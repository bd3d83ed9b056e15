import { TouchstoneError } from "../errors.ts";

/** A forward model that cannot be compiled; `node` and `operator` say where in the ONNX graph, when it is one node's fault. */
export class ModelError extends TouchstoneError {
  readonly code = "MODEL_UNSUPPORTED";
  readonly node: string | null;
  readonly operator: string | null;
  /** What is wrong, without where. */
  readonly problem: string;

  constructor(problem: string, remedy: string, at: { node: string; operator: string } | null = null) {
    super(`${at === null ? "The model" : `Node "${at.node}" (${at.operator})`}: ${problem}.`, { remedy });
    this.problem = problem;
    this.node = at?.node ?? null;
    this.operator = at?.operator ?? null;
  }
}

/** A setting of a training run that makes no sense; `setting` names it. */
export class SettingError extends TouchstoneError {
  readonly code = "SETTING_INVALID";
  readonly setting: string;

  constructor(setting: string, problem: string, remedy?: string) {
    super(`Setting ${setting}: ${problem}.`, remedy === undefined ? {} : { remedy });
    this.setting = setting;
  }
}
