/** Where the time of a step goes, by what its commands are there for. */
import * as onnxruntime from "onnxruntime-node";
import { KernelSession } from "../shared/engine/kernels/kernelSession.ts";
import type { Command } from "../shared/engine/kernels/plan.ts";
import { sourceOutputs } from "../shared/job/job.ts";
import type { Training } from "./models/training.ts";

/** Milliseconds of the fastest step of several. */
export interface Breakdown {
  /** Matrix products, and the rounding of what they give. */
  readonly dot: number;
  /** Copies of the products' operands on their grids. */
  readonly quantise: number;
  readonly map: number;
  /** Sums, and maxima that no other kernel takes along. */
  readonly reduce: number;
  /** Gathers, joins and what is fed. */
  readonly move: number;
  /** Between the commands. */
  readonly overhead: number;
}

const STEPS = 12;

export async function breakdown({ job, initialState }: Training, threads: number): Promise<Breakdown> {
  const sums = new Map<string, number>();
  const observer = (command: Command, milliseconds: number): void => {
    const kind = kindOf(command);
    sums.set(kind, (sums.get(kind) ?? 0) + milliseconds);
  };
  const runtime = { name: "measured", library: onnxruntime, provider: "cpu", threads, fillsOutputs: true };
  const session = await KernelSession.open(runtime, { program: job.program }, observer);
  await session.load(initialState);
  let least = Number.POSITIVE_INFINITY;
  let fastest: Breakdown | null = null;
  for (let step = 0; step < STEPS; step++) {
    const sources = sourceOutputs(job, step);
    sums.clear();
    const started = performance.now();
    await session.advance(sources, []);
    const wall = performance.now() - started;
    if (wall >= least) continue;
    least = wall;
    const of = (kind: keyof Breakdown) => sums.get(kind) ?? 0;
    const parts = { dot: of("dot"), quantise: of("quantise"), map: of("map"), reduce: of("reduce"), move: of("move") };
    fastest = { ...parts, overhead: wall - Object.values(parts).reduce((sum, ms) => sum + ms, 0) };
  }
  await session.release();
  return fastest!;
}

function kindOf(command: Command): keyof Breakdown {
  switch (command.kind) {
    case "product":
      return "dot";
    case "feed":
    case "keep":
      return "move";
    case "peak":
      return "reduce";
    case "kernel":
      return command.purpose === "round" ? "dot" : command.purpose;
  }
}
