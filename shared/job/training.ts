/**
 * What a task binds: the commitments to everything that influences a bit of a run. Twin of `Training` and `Program` in
 * contracts/libraries/Subject.sol, field for field.
 */
import type { Bytes32 } from "../commitment/bytes32.ts";
import { constantsRoot } from "../commitment/constantsRoot.ts";
import { datasetTree } from "../commitment/datasetTree.ts";
import { descriptorsTree } from "../commitment/descriptorsTree.ts";
import { stateRoot } from "../commitment/stateRoot.ts";
import { tensorRoot } from "../commitment/tensorRoot.ts";
import { encodeOperator, encodeState, stateDescriptor } from "../program/encoding.ts";
import type { Program, Tensor } from "../program/program.ts";
import { type Job, requireJob, sampleCount } from "./job.ts";

export interface ProgramCommitment {
  readonly operatorsRoot: Bytes32;
  readonly statesRoot: Bytes32;
  readonly constantsRoot: Bytes32;
  readonly operatorCount: number;
  readonly stateCount: number;
  readonly constantCount: number;
}

export interface Training {
  readonly program: ProgramCommitment;
  readonly data: { readonly datasetRoot: Bytes32; readonly sampleCount: number; readonly sampleWords: number };
  readonly schedule: { readonly scheduleRoot: Bytes32; readonly width: number };
  readonly initialStateRoot: Bytes32;
  readonly seed: bigint;
  readonly steps: number;
  readonly interval: number;
}

export function commitProgram({ operators, state, constants }: Program): ProgramCommitment {
  return {
    operatorsRoot: descriptorsTree(operators.map(({ operator }) => encodeOperator(operator))).root,
    statesRoot: descriptorsTree(state.map((tensor) => encodeState(stateDescriptor(tensor)))).root,
    constantsRoot: constantsRoot(constants),
    operatorCount: operators.length,
    stateCount: state.length,
    constantCount: constants.length,
  };
}

/** @throws JobError when the job's parts do not fit together. */
export function commitTraining(job: Job, initialState: readonly Tensor[]): Training {
  requireJob(job);
  const { program, samples, schedule, seed, steps, interval } = job;
  return {
    program: commitProgram(program),
    data: {
      datasetRoot: datasetTree(samples, program.sample.words).root,
      sampleCount: sampleCount(job),
      sampleWords: program.sample.words,
    },
    schedule: { scheduleRoot: tensorRoot(schedule), width: program.scheduleColumns.length },
    initialStateRoot: stateRoot(initialState),
    seed,
    steps,
    interval,
  };
}
