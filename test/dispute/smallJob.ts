/**
 * A small training job with every operator family and order of samples, reductions longer than one tile, tensors with and without padding, a constant
 * and a state tensor that never changes: an embedding and a linear layer trained with two moments. Built by hand, so that
 * nothing here depends on the compiler.
 */

import type { Job } from "../../shared/job/job.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { along, type MapBody, ProgramBuilder, type Register, view } from "../helpers/builder.ts";
import { floats } from "../helpers/operators.ts";
import { exampleJob, exampleState } from "../helpers/programs.ts";

const BATCH = 8;
const WIDTH = 150;
const OUT = 6;
/** Columns of the input that are no x: zeros, and a bias between them. */
const MARGIN = 9;
const VOCABULARY = 20;

export function smallProgram(): Program {
  const build = new ProgramBuilder();
  const token = build.batch("token", BATCH, 1, Dtype.int32, 0, VOCABULARY - 1, "permutation");
  const x = build.batch("x", BATCH, WIDTH - MARGIN, Dtype.float32, -1, 1);
  const bias = build.batch("bias", BATCH, 1, Dtype.float32, -1, 1, "sequential");
  const rate = build.schedule("rate");
  const weight = build.state("weight", [WIDTH, OUT]);
  const momentum = build.state("weight.m", [WIDTH, OUT], { role: "moment" });
  const spread = build.state("weight.v", [WIDTH, OUT], { role: "moment" });
  const embedding = build.state("embedding", [VOCABULARY, WIDTH]);
  const mask = build.state("mask", [3]);
  const target = build.constant([OUT], floats(0.5, -0.25, 0.125, 1, -1, 0.75));

  const matrix = [0, 1];
  const row = build.gather("embed", embedding, token);
  const parts = [
    { value: x, start: 1 },
    { value: bias, start: WIDTH - 2 },
  ];
  const input = build.join("input", parts, 1, WIDTH);
  const draw = build.random("draw", [BATCH, WIDTH], 5);
  const operands = [along(row, 2, matrix), along(input, 2, matrix), view(mask, [0, 0]), along(draw, 2, matrix)];
  const hidden = build.map("hidden", [BATCH, WIDTH], operands, (body, e, v, m, r) => {
    const mixed = body.flush(body.do("add", body.flush(body.do("mul", e, v)), v));
    const kept = body.do("select", body.do("less", r, body.immediate(0.125)), body.immediate(0), mixed);
    body.clamp(body.flush(body.do("mul", kept, m)), 64);
  });
  const y = build.matmul("y", hidden, weight);
  const error = build.map("error", [BATCH, OUT], [along(y, 2, matrix), along(target, 2, [1])], (body, a, b) => {
    body.flush(body.do("sub", a, b));
  });
  const square = build.map("square", [BATCH, OUT], [along(error, 2, matrix)], (body, e) => {
    body.flush(body.do("mul", e, e));
  });
  const loss = build.total("loss", square);
  const weightGradient = build.matmul("weight.gradient", hidden, error, { aTransposed: true });
  const hiddenGradient = build.matmul("hidden.gradient", error, weight, { bTransposed: true });
  const rowOperands = [along(hiddenGradient, 2, matrix), along(input, 2, matrix)];
  const rowGradient = build.map("row.gradient", [BATCH, WIDTH], rowOperands, (body, g, v) => {
    body.flush(body.do("mul", g, v));
  });
  const embeddingGradient = build.sumByIndex("embedding.gradient", rowGradient, token, VOCABULARY);

  const descend = (body: MapBody, w: Register, g: Register, r: Register): void => {
    body.clamp(body.flush(body.do("sub", w, body.flush(body.do("mul", g, r)))), 64);
  };
  const momentumOperands = [along(momentum, 2, matrix), along(weightGradient, 2, matrix)];
  const nextMomentum = build.map("weight.m.next", [WIDTH, OUT], momentumOperands, (body, m, g) => {
    body.clamp(body.flush(body.do("add", body.flush(body.do("mul", m, body.immediate(0.875))), g)), 1024);
  });
  const spreadOperands = [along(spread, 2, matrix), along(weightGradient, 2, matrix)];
  const nextSpread = build.map("weight.v.next", [WIDTH, OUT], spreadOperands, (body, v, g) => {
    const kept = body.flush(body.do("mul", v, body.immediate(0.5)));
    body.clamp(body.flush(body.do("add", kept, body.do("abs", g))), 1024);
  });
  const weightOperands = [along(weight, 2, matrix), along(nextMomentum, 2, matrix), view(rate, [0, 0])];
  const embeddingOperands = [along(embedding, 2, matrix), along(embeddingGradient, 2, matrix), view(rate, [0, 0])];
  build.update(weight, build.map("weight.next", [WIDTH, OUT], weightOperands, descend));
  build.update(momentum, nextMomentum);
  build.update(spread, nextSpread);
  build.update(embedding, build.map("embedding.next", [VOCABULARY, WIDTH], embeddingOperands, descend));
  return build.build(loss, y);
}

export interface SmallJobOptions {
  readonly steps?: number;
  readonly interval?: number;
  readonly seed?: number;
}

export function smallJob({ steps = 10, interval = 5, seed = 7 }: SmallJobOptions = {}): Job {
  const job = exampleJob(smallProgram(), seed, { samples: 40, steps, interval });
  // Small rates: the run must not diverge.
  return { ...job, schedule: floats(...Array.from(job.schedule, (_, step) => 2 ** -10 / (1 + step))) };
}

/** Weights small enough for the run to converge, zero moments, a mask of ones. */
export function smallInitialState(seed = 7): Tensor[] {
  const scales = [2 ** -5, 0, 0, 2 ** -3, 1];
  return exampleState(smallProgram(), seed).map((tensor, at) => {
    const values = new Float32Array(tensor.words.buffer, tensor.words.byteOffset, tensor.words.length);
    return { ...tensor, words: floats(...Array.from(values, (value) => (at === 4 ? 1 : value * scales[at]! || 0))) };
  });
}
