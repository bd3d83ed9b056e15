/**
 * The table of per-step numbers, [steps, columns]: computed in float64, rounded once to float32, committed by its root. Who
 * follows a run reads the table; only its author computes it.
 */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { scheduleColumn } from "../layers/leaf.ts";
import { flush } from "../numerics/flush.ts";
import { Dtype } from "../program/descriptor.ts";
import { SettingError } from "../program/errors.ts";
import type { Tensor } from "../program/program.ts";
import { MAX_RATE, type RateSettings } from "../task/settings.ts";

/** The columns that a step reads, numbered as they are asked for. */
export class ScheduleColumns {
  readonly #graph: SourceGraph;
  readonly #columns = new Map<string, { readonly value: ValueId; readonly at: (step: number) => number }>();

  constructor(graph: SourceGraph) {
    this.#graph = graph;
  }

  get names(): readonly string[] {
    return [...this.#columns.keys()];
  }

  /** The column of this name, [1]; the first who asks says what it holds. */
  column(name: string, at: (step: number) => number): ValueId {
    const known = this.#columns.get(name);
    if (known !== undefined) return known.value;
    const value = scheduleColumn(this.#graph, name, this.#columns.size);
    this.#columns.set(name, { value, at });
    return value;
  }

  /** @throws SettingError when a column holds something that is no number of magnitude up to 2^20. */
  table(steps: number): Tensor {
    const columns = [...this.#columns];
    const table = new Float32Array(steps * columns.length);
    for (let step = 0; step < steps; step++)
      for (const [index, [name, { at }]] of columns.entries()) {
        const value = at(step);
        if (!(Math.abs(value) <= MAX_MAGNITUDE)) throw new SettingError(name, `${value} at step ${step}`);
        table[step * columns.length + index] = value;
      }
    return {
      dtype: Dtype.float32,
      shape: [steps, columns.length],
      words: new Uint32Array(table.buffer).map(flush),
    };
  }
}

/** Greatest magnitude of a schedule word (docs/numerics.md, section 4). */
const MAX_MAGNITUDE = 2 ** 20;

/** The learning rate of a step, counted from 0: a linear warm-up to the peak, then what `kind` says. */
export function rateAt(rate: RateSettings, step: number, steps: number): number {
  const { peak, warmup } = rate;
  if (step < warmup) return (peak * (step + 1)) / warmup;
  const progress = (step - warmup) / Math.max(1, steps - 1 - warmup);
  switch (rate.kind) {
    case "constant":
      return peak;
    case "cosine":
      return peak * (rate.final + ((1 - rate.final) * (1 + Math.cos(Math.PI * progress))) / 2);
    case "linear":
      return peak * (1 - (1 - rate.final) * progress);
    case "step":
      return peak * rate.factor ** Math.floor((step - warmup) / rate.every);
  }
}

/** @throws SettingError when a number of the schedule makes no sense. */
export function requireRate(rate: RateSettings, steps: number, setting = "rate"): void {
  const requires = (key: string, value: number, holds: boolean, domain: string): void => {
    if (!holds) throw new SettingError(`${setting}.${key}`, `${value} is not ${domain}`);
  };
  const { peak, warmup } = rate;
  requires("peak", peak, peak > 0 && peak <= MAX_RATE, `in (0, ${MAX_RATE}]`);
  const isCount = Number.isInteger(warmup) && warmup >= 0 && warmup <= steps;
  requires("warmup", warmup, isCount, `a number of steps up to ${steps}`);
  if (rate.kind === "cosine" || rate.kind === "linear")
    requires("final", rate.final, rate.final >= 0 && rate.final <= 1, "in [0, 1]");
  if (rate.kind === "step") {
    requires("every", rate.every, Number.isInteger(rate.every) && rate.every >= 1, "a positive number of steps");
    requires("factor", rate.factor, rate.factor > 0 && rate.factor <= 1, "in (0, 1]");
  }
}
