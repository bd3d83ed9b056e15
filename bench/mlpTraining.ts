/** What every contender is given: sizes, initial parameters, batches and rates of the example network's training. */
import type { Operator } from "../shared/program/descriptor.ts";
import { type Job, sourceOutputs } from "../shared/program/job.ts";
import type { Program, Tensor } from "../shared/program/program.ts";
import type { AdamSettings } from "../shared/program/settings.ts";

export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

export interface MlpTraining {
  readonly batch: number;
  readonly context: number;
  /** embedding.weight, then weight and bias of each layer. */
  readonly parameters: readonly Parameter[];
  readonly optimizer: AdamSettings;
  step(step: number): MlpStep;
}

export interface MlpStep {
  /** [batch, context] */
  readonly tokens: Int32Array;
  /** [batch] */
  readonly targets: Int32Array;
  readonly rate: number;
  /** 1 / (1 − β^t) of both moments. */
  readonly corrections: readonly [number, number];
}

/** Reads the training back from the compiled job, so that nobody trains on anything else. */
export function mlpTraining(job: Job, initialState: readonly Tensor[], optimizer: AdamSettings): MlpTraining {
  const { program } = job;
  const parameters = program.state.slice(0, program.state.length / 3).map(({ name, shape }, p): Parameter => {
    return { name, shape, values: new Float32Array(initialState[p]!.words.slice().buffer) };
  });
  const [input, target] = program.sample.fields.map(({ offset }) => batchAt(program, offset)) as [number, number];
  const [batch, context] = program.operators[input]!.operator.shape as [number, number];
  const columns = program.scheduleColumns.length;
  const schedule = new Float32Array(job.schedule.buffer, job.schedule.byteOffset, job.schedule.length);
  return {
    batch,
    context,
    parameters,
    optimizer,
    step(step) {
      const { batches } = sourceOutputs(job, step);
      const [rate, first, second] = schedule.subarray(step * columns) as unknown as [number, number, number];
      return {
        tokens: new Int32Array(batches.get(input)!.words.buffer as ArrayBuffer),
        targets: new Int32Array(batches.get(target)!.words.buffer as ArrayBuffer),
        rate,
        corrections: [first, second],
      };
    },
  };
}

function batchAt(program: Program, offset: number): number {
  const reads = ({ operator }: { operator: Operator }) => operator.family === "batch" && operator.offset === offset;
  return program.operators.findIndex(reads);
}
