/** Where the time of a step goes, by what its commands are there for. */
import * as onnxruntime from "onnxruntime-node";
import { KernelSession } from "../shared/engine/kernels/kernelSession.ts";
import type { Command } from "../shared/engine/kernels/plan.ts";
import { sourceOutputs } from "../shared/program/job.ts";
import { median } from "./contender.ts";
import type { Training } from "./models/training.ts";

/** Milliseconds of a step. */
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
  const kinds = ["dot", "quantise", "map", "reduce", "move"] as const;
  const sums = new Map<string, number>();
  const observer = (command: Command, milliseconds: number): void => {
    const kind = kindOf(command);
    sums.set(kind, (sums.get(kind) ?? 0) + milliseconds);
  };
  const runtime = { name: "measured", library: onnxruntime, provider: "cpu", threads, fillsOutputs: true };
  const session = await KernelSession.open(runtime, { program: job.program }, observer);
  await session.load(initialState);
  const steps: Breakdown[] = [];
  for (let step = 0; step < STEPS; step++) {
    const sources = sourceOutputs(job, step);
    sums.clear();
    const started = performance.now();
    await session.advance(sources, []);
    const wall = performance.now() - started;
    const [dot, quantise, map, reduce, move] = kinds.map((kind) => sums.get(kind) ?? 0) as [
      number,
      number,
      number,
      number,
      number,
    ];
    steps.push({ dot, quantise, map, reduce, move, overhead: wall - dot - quantise - map - reduce - move });
  }
  await session.release();
  const ofKind = (kind: keyof Breakdown) => median(steps.slice(STEPS / 3).map((step) => step[kind]));
  return {
    dot: ofKind("dot"),
    quantise: ofKind("quantise"),
    map: ofKind("map"),
    reduce: ofKind("reduce"),
    move: ofKind("move"),
    overhead: ofKind("overhead"),
  };
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
