/** What the validator claims of whole programs, checked on what their steps compute. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTraining } from "../../../shared/compile/compile.ts";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import { type Job, stepInputs } from "../../../shared/job/job.ts";
import { scheduleBounds } from "../../../shared/job/validate/inputs.ts";
import { analyse } from "../../../shared/job/validate/ranges.ts";
import { canonical, fromNumber, toNumber } from "../../../shared/numerics/float32.ts";
import { multiIndex, operandLine } from "../../../shared/operators/address.ts";
import { asNumber, readWord } from "../../../shared/operators/read.ts";
import type { MapOperator } from "../../../shared/program/descriptor.ts";
import type { Tensor } from "../../../shared/program/program.ts";
import { jobOf, randomSamples, settings, TINY } from "../../helpers/compile.ts";
import { readOf } from "../../helpers/elements.ts";
import { MACHINES, type Machine } from "../../helpers/machines.ts";
import { floats } from "../../helpers/operators.ts";
import { exampleJob, exampleState, randomProgram } from "../../helpers/programs.ts";

const PROGRAMS = process.env.TOUCHSTONE_DEEP === "1" ? 500 : 25;

interface Run {
  readonly name: string;
  readonly job: Job;
  readonly state: readonly Tensor[];
}

function compiled(steps: number): Run {
  const training = compileTraining(settings(TINY, { steps }));
  return { name: "compiled", job: jobOf(training, randomSamples(TINY, 40, 3), steps), state: training.initialState };
}

function runs(): Run[] {
  const random = Array.from({ length: PROGRAMS }, (_, seed): Run => {
    const program = randomProgram(seed);
    return { name: `random ${seed}`, job: exampleJob(program, seed, { steps: 3 }), state: exampleState(program, seed) };
  });
  return [compiled(12), ...random];
}

/** Calls `visit` with the outputs of every step. */
async function forEachStep(
  { job, state }: Run,
  visit: (outputs: readonly Tensor[], state: readonly Tensor[]) => void,
): Promise<void> {
  const engine = new ReferenceEngine(job.program);
  let before = state;
  for (let step = 0; step < job.steps; step++) {
    const trace = await engine.trace(stepInputs(job, step, before));
    assert.ok(trace.guard <= 2 ** 20);
    visit(trace.outputs, before);
    before = trace.state;
  }
}

test("every number of every step lies in the range that was found for its operator", async () => {
  for (const run of runs()) {
    const { program } = run.job;
    const { ranges } = analyse(program, new Set(), { schedule: scheduleBounds(run.job) });
    await forEachStep(run, (outputs) => {
      for (const [at, { dtype, words }] of outputs.entries()) {
        const { low, high, least, grid } = ranges[at]!;
        for (const word of words) {
          const value = dtype === 1 ? word | 0 : toNumber(word);
          const inside = value >= low && value <= high;
          const onGrid = value === 0 || (Math.abs(value) >= 2 ** least && Number.isInteger(value / 2 ** grid));
          assert.ok(inside && onGrid, `${run.name}, ${program.operators[at]!.name}: ${value}`);
        }
      }
    });
  }
});

test("Maps give the same words on machines that flush subnormals and mistake the sign of zero", async () => {
  for (const run of runs())
    await forEachStep(run, (outputs, state) => {
      for (const [at, { name, operator }] of run.job.program.operators.entries()) {
        if (operator.family !== "map") continue;
        const read = readOf(run.job, operator, outputs, state);
        for (const [element, word] of outputs[at]!.words.entries())
          for (const machine of MACHINES)
            assert.equal(execute(machine, operator, element, read), word, `${run.name}, ${name}[${element}]`);
      }
    });
});

function execute(
  machine: Machine,
  operator: MapOperator,
  element: number,
  read: (operand: number, address: number) => number,
): number {
  const index = multiIndex(operator.shape, element);
  const registers = operator.operands.map((operand, at) =>
    toNumber(asNumber(operand, readWord(read, at, operandLine(operand, index), 0))),
  );
  registers.push(...operator.immediates.map(toNumber));
  for (const [opcode, a, b, c] of operator.instructions)
    registers.push(machine(opcode, registers[a]!, registers[b]!, registers[c]!));
  return canonical(fromNumber(registers.at(-1)!));
}

test("a state that is no number or too large makes the step invalid", async () => {
  const { job, state } = compiled(4);
  const engine = new ReferenceEngine(job.program);
  for (const at of state.keys())
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 22, -(2 ** 22)]) {
      const planted = state.map((tensor, each) =>
        each === at ? { ...tensor, words: tensor.words.with(0, floats(value)[0]!) } : tensor,
      );
      const { guard } = await engine.step(stepInputs(job, 0, planted));
      assert.ok(guard > 2 ** 20, `${job.program.state[at]!.name} = ${value} gave the guard ${guard}`);
    }
});
