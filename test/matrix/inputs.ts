/** Steps computed honestly from something else than the task says. */
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, sourceOutputs, stepInputs } from "../../shared/job/job.ts";
import type { Operator } from "../../shared/program/descriptor.ts";
import { rerunWith } from "../../solver/cheats/rerun.ts";
import type { Row, StepLie } from "./cheats.ts";
import type { Stage } from "./stage.ts";
import { flipped, honestStep, oneStep } from "./words.ts";

/** As if the task were another one. */
function inJob(job: Job, step: number): StepLie {
  return async (before) => {
    const { outputs, state } = await new ReferenceEngine(job.program).trace(stepInputs(job, step, before));
    return { outputs, state };
  };
}

/** Programs that differ in one operator: by family, what is changed and how. */
const OTHER_OPERATORS: Readonly<
  Record<Operator["family"], readonly [what: string, change: (operator: Operator) => Operator]>
> = {
  map: [
    "an instruction",
    (o) => (o.family === "map" ? { ...o, instructions: o.instructions.with(0, [2, 0, 1, 0]) } : o),
  ],
  dot: ["bits", (o) => (o.family === "dot" ? { ...o, bits: 16 } : o)],
  sum: ["length", (o) => (o.family === "sum" ? { ...o, length: o.length - 1 } : o)],
  sumByIndex: ["bits", (o) => (o.family === "sumByIndex" ? { ...o, bits: 16 } : o)],
  peak: ["mode", (o) => (o.family === "peak" ? { ...o, mode: 0 } : o)],
  gather: ["rowStride", (o) => (o.family === "gather" ? { ...o, rowStride: o.rowStride - 1 } : o)],
  batch: ["order", (o) => (o.family === "batch" ? { ...o, order: "replacement" } : o)],
  schedule: ["column", (o) => (o.family === "schedule" ? { ...o, column: o.column + 1 } : o)],
  join: [
    "start",
    (o) => (o.family === "join" ? { ...o, ranges: o.ranges.map((r) => ({ ...r, start: r.start - 1 })) } : o),
  ],
  random: ["stream", (o) => (o.family === "random" ? { ...o, stream: o.stream + 1 } : o)],
};

export function inputLies(stage: Stage): Row[] {
  const { job, initial } = stage;
  const rows: Row[] = [];
  const add = (lie: string, about: string, place: string, isQuick: boolean, step: number, told: StepLie): void => {
    rows.push({ lie, about, place: `${place}, step ${step}`, isQuick, cheat: () => oneStep(stage, step, told) });
  };
  for (const step of [0, 3, 5]) {
    const isFirst = step === 0;
    const other = (step + 1) % job.steps;
    add("wrong batch", "batch", `the samples of step ${other}`, isFirst, step, (before) =>
      rerunWith(job, step, before, (inputs) => ({ ...inputs, batches: sourceOutputs(job, other).batches })),
    );
    for (const [column, field] of [
      [0, "first"],
      [job.program.sample.words - 1, "last"],
    ] as const) {
      const samples = job.samples.map((word, at) => (at % job.program.sample.words === column ? word ^ 1 : word));
      add(
        "wrong sample",
        "batch",
        `the ${field} word of every sample`,
        isFirst,
        step,
        inJob({ ...job, samples }, step),
      );
    }
    const reseeded = { ...job, seed: job.seed ^ 1n };
    add("wrong seed", "batch", "the order of the samples", isFirst, step, (before) =>
      rerunWith(job, step, before, (inputs) => ({ ...inputs, batches: sourceOutputs(reseeded, step).batches })),
    );
    add("wrong seed", "random", "the random numbers", isFirst, step, (before) =>
      rerunWith(job, step, before, (inputs) => ({ ...inputs, random: sourceOutputs(reseeded, step).random! })),
    );
    add(
      "wrong schedule entry",
      "schedule",
      "the row of the step after it",
      isFirst,
      step,
      inJob({ ...job, schedule: job.schedule.map((_, at, table) => table[(at + 1) % table.length]!) }, step),
    );
    add(
      "wrong schedule entry",
      "schedule",
      "a rate of zero",
      false,
      step,
      inJob({ ...job, schedule: job.schedule.map(() => 0) }, step),
    );
    const constant = job.program.constants[0]!;
    for (const [at, which] of [
      [0, "first"],
      [constant.words.length - 1, "last"],
    ] as const) {
      const constants = [{ ...constant, words: flipped(constant.words, at) }];
      add(
        "wrong constant",
        "constant",
        `the ${which} word`,
        isFirst,
        step,
        inJob({ ...job, program: { ...job.program, constants } }, step),
      );
    }
    for (const [family, [what, change]] of Object.entries(OTHER_OPERATORS)) {
      const at = job.program.operators.findIndex(({ operator }) => operator.family === family);
      const { name, operator } = job.program.operators[at]!;
      const operators = job.program.operators.with(at, { name, operator: change(operator) });
      const program = { ...job.program, operators };
      add(
        "wrong program",
        family,
        `${what} of ${name}`,
        isFirst && family === "dot",
        step,
        inJob({ ...job, program }, step),
      );
    }
  }
  for (const [tensor, { name, source }] of job.program.state.entries()) {
    if (source === null) continue;
    add("stale state", "state", `${name} of the start`, tensor === 0, 5, (before) =>
      rerunWith(job, 5, before, (inputs) => ({ ...inputs, state: before.with(tensor, initial[tensor]!) })),
    );
  }
  for (const step of [0, 3, 5]) {
    add("skipped step", "state", "the state before it again", step === 3, step, (before, { outputs }) => ({
      outputs,
      state: before,
    }));
  }
  for (const segment of [0, 1]) {
    const first = segment * job.interval;
    const steps = new Map<number, StepLie>();
    for (let step = first; step < Math.min(first + job.interval, job.steps); step++) {
      steps.set(step, (before, { outputs }) => ({ outputs, state: before }));
    }
    rows.push({
      lie: "reused checkpoint",
      about: "state",
      place: `segment ${segment}`,
      isQuick: segment === 1,
      cheat: () => ({ segment, steps }),
    });
  }
  // The next step's state is right again, as if it had been computed from the true one.
  rows.push({
    lie: "false state between true ones",
    about: "state",
    place: "weight, after step 1",
    isQuick: true,
    cheat: () => ({
      segment: 0,
      rewrite: (steps) => {
        const { outputs, state } = honestStep(stage, 1);
        steps[1] = { outputs, state: state.with(0, { ...state[0]!, words: flipped(state[0]!.words, 5) }) };
      },
    }),
  });
  return rows;
}
