/**
 * Which realisation of a Dot is fastest here: measured on the largest Dots of the program before the session starts, once in a process. It
 * never changes a bit, since every realisation gives the same.
 */
import { type DotOperator, Dtype, type Operand, wordCount } from "../program/descriptor.ts";
import type { Program, Tensor } from "../program/program.ts";
import type { Host } from "./host.ts";
import { HostedEngine } from "./hostedEngine.ts";
import type { Arithmetic, DotRealisation } from "./realise/arithmetic.ts";

/** Multiplications below which no Dot is worth a measurement. */
const WORTHWHILE = 2 ** 24;
/** Kinds of Dots that are measured, the largest first. */
const MOST_KINDS = 3;
const MEASURED_STEPS = 4;
/** An alternative must take at most this share of the time. */
const CLEARLY_FASTER = 0.85;

/** Dots that do the same on tensors of the same sizes. */
export interface DotKind {
  readonly key: string;
  readonly operator: DotOperator;
  /** Operator indices. */
  readonly at: readonly number[];
}

const known = new Map<string, DotRealisation>();

/** The largest kinds of Dots in the program, without those that are too small to matter. */
export function measuredDots(program: Program): DotKind[] {
  const kinds = new Map<string, DotKind>();
  for (const [index, { operator }] of program.operators.entries()) {
    if (operator.family !== "dot" || workOf(operator) < WORTHWHILE) continue;
    const { shape, length, bits, operands } = operator;
    const sizes = operands.map(({ dtype, count, offset, strides }) => [dtype, count, offset, strides]);
    const key = JSON.stringify([shape, length, bits, sizes]);
    kinds.set(key, { key, operator, at: [...(kinds.get(key)?.at ?? []), index] });
  }
  const total = ({ operator, at }: DotKind): number => workOf(operator) * at.length;
  return [...kinds.values()].sort((a, b) => total(b) - total(a)).slice(0, MOST_KINDS);
}

/** By operator index, the Dots for which an alternative is clearly faster than the base. @throws EngineFailedError. */
export async function fastestDots(
  host: Host,
  dots: readonly DotKind[],
  base: Arithmetic,
  alternatives: readonly DotRealisation[],
): Promise<Map<number, DotRealisation>> {
  const chosen = new Map<number, DotRealisation>();
  for (const kind of dots) {
    const key = `${host.name} ${base.dot} ${alternatives} ${kind.key}`;
    const fastest = known.get(key) ?? (await measure(host, kind.operator, base, alternatives));
    known.set(key, fastest);
    if (fastest !== base.dot) for (const index of kind.at) chosen.set(index, fastest);
  }
  return chosen;
}

async function measure(
  host: Host,
  operator: DotOperator,
  base: Arithmetic,
  alternatives: readonly DotRealisation[],
): Promise<DotRealisation> {
  let best: DotRealisation = base.dot;
  let least = (await stepTime(host, operator, base)) * CLEARLY_FASTER;
  for (const dot of alternatives) {
    const time = await stepTime(host, operator, { ...base, dot });
    if (time < least) [best, least] = [dot, time];
  }
  return best;
}

/** Milliseconds of the fastest of a few steps that compute the Dot alone. */
async function stepTime(host: Host, operator: DotOperator, arithmetic: Arithmetic): Promise<number> {
  const { program, state } = alone(operator);
  const engine = await HostedEngine.open(host, program, arithmetic);
  let [last, least] = [performance.now(), Number.POSITIVE_INFINITY];
  try {
    await engine.steps({
      state,
      count: MEASURED_STEPS,
      inputs: () => ({ batches: new Map(), schedule: new Map(), random: new Map() }),
      onStep: () => {
        const now = performance.now();
        [least, last] = [Math.min(least, now - last), now];
      },
    });
  } finally {
    await engine.release();
  }
  return least;
}

/** A program of this Dot over state tensors. */
function alone(operator: DotOperator): { program: Program; state: Tensor[] } {
  const state: Tensor[] = [];
  const moved = (operand: Operand, value: (i: number) => number): Operand => {
    const words = new Uint32Array(Float32Array.from({ length: operand.count }, (_, i) => value(i)).buffer);
    state.push({ dtype: Dtype.float32, shape: [operand.count], words });
    return { ...operand, dtype: Dtype.float32, reference: { kind: "state", index: state.length - 1 } };
  };
  const [a, b, peakA, peakB] = operator.operands;
  const data = (i: number): number => ((i % 255) - 127) / 128;
  const operands = [moved(a, data), moved(b, data), moved(peakA, () => 1), moved(peakB, () => 1)] as const;
  const program: Program = {
    operators: [{ name: "dot", operator: { ...operator, operands } }],
    state: state.map(({ dtype, shape }, p) => ({ name: `operand${p}`, dtype, shape, source: null })),
    constants: [],
    sample: { words: 0, fields: [] },
    scheduleColumns: [],
    loss: 0,
    logits: null,
  };
  return { program, state };
}

function workOf({ shape, length }: DotOperator): number {
  return wordCount(shape) * length;
}
