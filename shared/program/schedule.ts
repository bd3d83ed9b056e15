/**
 * The table of per-step numbers, [steps, columns]: computed in float64, rounded once to float32, committed by its root. Who
 * follows a run reads the table; only its author computes it.
 */
import { flush } from "../numerics/flush.ts";
import { Dtype } from "./descriptor.ts";
import { SettingError } from "./errors.ts";
import { ADAMW_COLUMNS } from "./optimizer/adamw.ts";
import type { Tensor } from "./program.ts";
import type { OptimizerSettings, RateSettings } from "./task.ts";

/** The learning rate of a step, counted from 0: a linear warm-up to the peak, then constant or half a cosine. */
export function rateAt({ kind, peak, warmup, final }: RateSettings, step: number, steps: number): number {
  if (step < warmup) return (peak * (step + 1)) / warmup;
  if (kind === "constant") return peak;
  const progress = (step - warmup) / Math.max(1, steps - 1 - warmup);
  return peak * (final + ((1 - final) * (1 + Math.cos(Math.PI * progress))) / 2);
}

/**
 * The table for AdamW: rate, 1 / (1 − β1^t), 1 / (1 − β2^t) with t = step + 1.
 * @throws SettingError when the peak is not in (0, 1], the final fraction not in [0, 1] or the warm-up longer than the run.
 */
export function scheduleTable(rate: RateSettings, steps: number, { beta1, beta2 }: OptimizerSettings): Tensor {
  if (!(rate.peak > 0 && rate.peak <= 1)) throw new SettingError("rate.peak", `${rate.peak} is not in (0, 1]`);
  if (!(rate.final >= 0 && rate.final <= 1)) throw new SettingError("rate.final", `${rate.final} is not in [0, 1]`);
  if (!Number.isInteger(rate.warmup) || rate.warmup < 0 || rate.warmup > steps) {
    throw new SettingError("rate.warmup", `${rate.warmup} is not a number of steps up to ${steps}`);
  }
  const table = new Float32Array(steps * ADAMW_COLUMNS.length);
  for (let step = 0; step < steps; step++) {
    const row = [rateAt(rate, step, steps), 1 / (1 - beta1 ** (step + 1)), 1 / (1 - beta2 ** (step + 1))];
    table.set(row, step * ADAMW_COLUMNS.length);
  }
  return {
    dtype: Dtype.float32,
    shape: [steps, ADAMW_COLUMNS.length],
    words: new Uint32Array(table.buffer).map(flush),
  };
}
