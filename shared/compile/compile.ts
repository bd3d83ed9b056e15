/** A forward model and the settings of a run → everything that is committed about the training. */

import { lower } from "../graph/lower.ts";
import { requireWellFormed } from "../job/validate.ts";
import { wordCount } from "../program/descriptor.ts";
import { ModelError, SettingError } from "../program/errors.ts";
import type { Program, Tensor } from "../program/program.ts";
import type { BuiltStep } from "./builtStep.ts";
import { buildGan, type GanSettings } from "./gan.ts";
import { buildInference, type InferenceSettings } from "./inference.ts";
import { buildEvaluation, buildSupervised, type SupervisedSettings } from "./supervised.ts";
import { buildUserStep, type UserStepSettings } from "./userStep.ts";

export type TrainingSettings = SupervisedSettings | UserStepSettings | InferenceSettings | GanSettings;

export interface CompiledTraining {
  readonly program: Program;
  /** Parameters from the model's initializers, and zero moments; program order. */
  readonly initialState: readonly Tensor[];
  /** [steps, columns of the program]. */
  readonly schedule: Tensor;
}

/**
 * Compiles a training run.
 * @throws OnnxFormatError, ModelError (names the node), SettingError (names the setting), and MalformedProgramError when a number in
 * the model is so great that a step could overflow.
 */
export function compileTraining(settings: TrainingSettings): CompiledTraining {
  requireCounts(settings);
  return finish(build(settings), settings.steps);
}

/** A program that evaluates what a training program trains. */
export interface CompiledEvaluation {
  readonly program: Program;
  /** For each tensor of its state, which one of the training program's it is. */
  readonly kept: readonly number[];
}

/**
 * The model as it is evaluated, without dropout and by its running statistics, on batches of the same size.
 * @param training what `compileTraining` made of the same settings.
 * @throws as `compileTraining`.
 */
export function compileEvaluation(settings: SupervisedSettings, training: Program): CompiledEvaluation {
  const positions = new Map(training.state.map(({ name }, index) => [name, index]));
  const { program } = finish(buildEvaluation(settings, new Set(positions.keys())), 1);
  return { program, kept: program.state.map(({ name }) => positions.get(name)!) };
}

function build(settings: TrainingSettings): BuiltStep {
  switch (settings.kind) {
    case "step":
      return buildUserStep(settings);
    case "inference":
      return buildInference(settings);
    case "gan":
      return buildGan(settings);
    default:
      return buildSupervised(settings);
  }
}

function finish({ step, initial, columns }: BuiltStep, steps: number): CompiledTraining {
  const program = lower(step);
  requireDistinctNames(program);
  requireWellFormed(program);
  const initialState = step.state.map(({ value }): Tensor => {
    const { dtype, shape } = step.graph.node(value);
    return { dtype, shape, words: initial.get(value) ?? new Uint32Array(wordCount(shape)) };
  });
  return { program, initialState, schedule: columns.table(steps) };
}

/** State tensors are told apart by name in checkpoints. */
function requireDistinctNames({ state }: Program): void {
  const names = state.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ModelError(`"${twice}" is both a parameter and a moment of another`, "Rename the parameter.");
  }
}

function requireCounts({ batch, steps }: { readonly batch: number; readonly steps: number }): void {
  const whole = (setting: string, value: number, most: number): void => {
    if (!Number.isInteger(value) || value < 1 || value > most) {
      throw new SettingError(setting, `${value} is not a whole number from 1 to ${most}`);
    }
  };
  whole("batch", batch, 2 ** 20);
  whole("steps", steps, 2 ** 24);
}
