/**
 * The self-test of an engine: small programs whose every word is compared with the reference engine, before a session starts. An engine
 * that deviates would cost its user a bond, so it is refused.
 */
import { TouchstoneError } from "../../errors.ts";
import { GUARD_LIMIT } from "../../numerics/guard.ts";
import type { Program, Tensor } from "../../program/program.ts";
import type { StepInputs } from "../../program/stepInputs.ts";
import type { Engine } from "../engine.ts";
import type { Form } from "../hostedEngine.ts";
import { FLOAT64 } from "../realise/arithmetic.ts";
import { ReferenceEngine } from "../reference.ts";
import { expectedTrace } from "./expected.ts";
import { type ConformanceProgram, conformanceProgram, guardProgram } from "./program.ts";

export interface ConformanceCheck {
  /** Operator family, with the instruction for Map. */
  readonly operator: string;
  /** How the engine realises it, or on what it was tried. */
  readonly realisation: string;
  readonly equal: boolean;
}

export interface ConformanceReport {
  readonly usable: boolean;
  readonly engine: string;
  readonly checks: readonly ConformanceCheck[];
}

/** The engine gave another word than docs/numerics.md says. */
export class NonConformingEngineError extends TouchstoneError {
  readonly code = "ENGINE_DEVIATES";
  readonly report: ConformanceReport;

  constructor(report: ConformanceReport) {
    const deviating = report.checks.filter((check) => !check.equal);
    const named = [...new Set(deviating.map(({ operator, realisation }) => `${operator} (${realisation})`))];
    super(`The engine ${report.engine} deviates from the specification in ${named.join(", ")}.`, {
      remedy: "Its results would be convicted. Use another machine or another version of ONNX Runtime.",
    });
    this.report = report;
  }
}

/** What the self-test needs of an engine. */
export type TestedEngine = Pick<Engine, "name" | "step" | "trace" | "steps">;

/**
 * Tries an engine; `open` gives it for a program and `close` ends it. `form` names what is tried; `only` leaves out all but one
 * family. Never throws for a deviation.
 * @throws what the engine throws when it does not run at all.
 */
export async function checkConformance<E extends TestedEngine>(
  open: (program: Program) => Promise<E>,
  close: (engine: E) => Promise<void>,
  form: Form = FLOAT64,
  only?: "dot",
): Promise<ConformanceReport> {
  const tested = async (program: Program, check: (engine: E) => Promise<ConformanceCheck[]>) => {
    const engine = await open(program);
    try {
      return { name: engine.name, checks: await check(engine) };
    } finally {
      await close(engine);
    }
  };
  const words = conformanceProgram(form, only);
  const wordResult = await tested(words.program, (engine) => wordChecks(engine, words));
  if (only !== undefined) return reportOf(wordResult.name, wordResult.checks);
  const guard = guardProgram();
  const guardResult = await tested(guard.program, async (engine) => [
    ...(await guardChecks(engine, guard.inputs)),
    await consecutiveSteps(engine, guard),
  ]);
  return reportOf(wordResult.name, [...wordResult.checks, ...guardResult.checks]);
}

function reportOf(engine: string, checks: readonly ConformanceCheck[]): ConformanceReport {
  return { usable: checks.every((check) => check.equal), engine, checks };
}

/** @throws NonConformingEngineError when a check failed. */
export function assertConforming(report: ConformanceReport): void {
  if (!report.usable) throw new NonConformingEngineError(report);
}

async function wordChecks(
  engine: TestedEngine,
  { program, inputs, subjects }: ConformanceProgram,
): Promise<ConformanceCheck[]> {
  const expected = await expectedTrace(program, inputs);
  const trace = await engine.trace(inputs);
  const step = await engine.step(inputs);
  const checks = new Map<string, ConformanceCheck>();
  const merge = (operator: string, realisation: string, equal: boolean): void => {
    const key = `${operator}: ${realisation}`;
    checks.set(key, { operator, realisation, equal: equal && (checks.get(key)?.equal ?? true) });
  };
  for (const [index, subject] of subjects.entries()) {
    if (subject === null) continue;
    const same = subject.faint ? sameButFaint : sameWords;
    const stored = program.state.findIndex(({ source }) => source === index);
    const word = expected.outputs[index]!;
    const equal = same(trace.outputs[index]!, word) && same(step.state[stored]!, word);
    merge(subject.operator, subject.realisation, equal);
  }
  const results = [trace, step].every(({ loss, guard }) => loss === expected.loss && guard === expected.guard);
  merge("Step", "loss and guard", results);
  return [...checks.values()];
}

/** An engine must not swallow what makes a step invalid, wherever it stands. */
async function guardChecks(engine: TestedEngine, inputs: StepInputs): Promise<ConformanceCheck[]> {
  const [tensor, ...rest] = inputs.state as [Tensor, ...Tensor[]];
  const guardWith = async (word: number, at: number): Promise<number> =>
    (await engine.step({ ...inputs, state: [{ ...tensor, words: tensor.words.with(at, word) }, ...rest] })).guard;
  const checks: ConformanceCheck[] = [
    { operator: "Guard", realisation: "valid step", equal: (await guardWith(0, 0)) <= GUARD_LIMIT },
  ];
  for (const [value, name] of [
    [0x7fc00000, "NaN"],
    [0x7f800000, "infinity"],
    [0xff800000, "−infinity"],
  ] as const) {
    const guards = await Promise.all([0, 7, 8, 515, tensor.words.length - 1].map((at) => guardWith(value, at)));
    checks.push({ operator: "Guard", realisation: name, equal: guards.every((guard) => !(guard <= GUARD_LIMIT)) });
  }
  return checks;
}

/** Each step must start from the state that the one before left. */
async function consecutiveSteps(
  engine: TestedEngine,
  { program, inputs }: ConformanceProgram,
): Promise<ConformanceCheck> {
  const request = { state: inputs.state, count: 3, inputs: () => inputs };
  const expected = await new ReferenceEngine(program).steps(request);
  const actual = await engine.steps(request);
  const equal =
    actual.guard === expected.guard && expected.state.every((tensor, p) => sameWords(actual.state[p]!, tensor));
  return { operator: "Step", realisation: "consecutive steps", equal };
}

function sameWords(actual: Tensor, expected: Tensor): boolean {
  return expected.words.length === actual.words.length && expected.words.every((word, i) => word === actual.words[i]);
}

/** Equal, or zero where the specification has a subnormal. */
function sameButFaint(actual: Tensor, expected: Tensor): boolean {
  const isFaint = (word: number) => (word & 0x7f800000) === 0;
  return expected.words.every((word, i) => actual.words[i] === word || (isFaint(word) && actual.words[i] === 0));
}
