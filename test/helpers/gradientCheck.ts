/** Compares the gradients that a layer adds with central differences, both in binary64 on the lowered program. */
import assert from "node:assert/strict";
import { differentiate } from "../../shared/compile/differentiate.ts";
import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import { lower } from "../../shared/graph/lower.ts";
import { constant, state } from "../../shared/layers/leaf.ts";
import { reshape } from "../../shared/layers/reshape.ts";
import { softmaxCrossEntropy } from "../../shared/layers/softmaxCrossEntropy.ts";
import { Dtype, wordCount } from "../../shared/program/descriptor.ts";
import type { Program } from "../../shared/program/program.ts";
import { evaluate64 } from "./evaluate64.ts";
import { ints } from "./operators.ts";
import { Random } from "./random.ts";

const STEP = 1e-3;
/** The polynomials for exp and log are off by up to 1e-7, which a difference quotient divides by the step. */
const TOLERANCE = 2e-4;

/**
 * Builds a graph on state tensors of the given shapes; `build` returns a tensor whose last axis is taken as class logits.
 * Returns the lowered program, in which each state tensor's next value is its gradient.
 */
export function gradientProgram(shapes: readonly (readonly number[])[], build: Build): Program {
  return programs(shapes, build).withGradients;
}

type Build = (graph: SourceGraph, leaves: readonly ValueId[]) => ValueId;

/** The program with the gradients, and one that computes the loss alone. */
function programs(
  shapes: readonly (readonly number[])[],
  build: Build,
): { readonly withGradients: Program; readonly lossOnly: Program } {
  const graph = new SourceGraph();
  const leaves = shapes.map((shape, i) => state(graph, `x${i}`, shape));
  const output = build(graph, leaves);
  const shape = graph.shape(output);
  const [rows, classes] = [wordCount(shape.slice(0, -1)), shape.at(-1)!];
  const logits = reshape(graph, output, [rows, classes]);
  const targets = ints(...Array.from({ length: rows }, (_, row) => (row * 5 + 1) % classes));
  const target = constant(graph, "target", { dtype: Dtype.int32, shape: [rows, 1], words: targets });
  const loss = softmaxCrossEntropy(graph, logits, target, "loss");
  const gradients = differentiate(graph, loss, leaves);
  const fields = [{ name: "unused", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: 0 }];
  const lowered = (state: { value: ValueId; next: ValueId | null }[]) =>
    lower({ graph, state, loss, logits, fields, scheduleColumns: [] });
  return {
    withGradients: lowered(leaves.map((value, i) => ({ value, next: gradients[i]! }))),
    lossOnly: lowered(leaves.map((value) => ({ value, next: null }))),
  };
}

export function checkGradients(shapes: readonly (readonly number[])[], build: Build, seed = 1): Program {
  const { withGradients: program, lossOnly } = programs(shapes, build);
  const random = new Random(seed);
  const inputs = shapes.map((shape) => Float64Array.from({ length: wordCount(shape) }, () => 2 * random.unit() - 1));
  const outputs = evaluate64(program, { state: inputs, sources: {} });
  const loss = () => evaluate64(lossOnly, { state: inputs, sources: {} })[lossOnly.loss]![0]!;
  for (const [p, input] of inputs.entries()) {
    const gradient = outputs[program.state[p]!.source!]!;
    for (const i of input.keys()) {
      const before = input[i]!;
      input[i] = before + STEP;
      const above = loss();
      input[i] = before - STEP;
      const below = loss();
      input[i] = before;
      const quotient = (above - below) / (2 * STEP);
      assert.ok(
        Math.abs(gradient[i]! - quotient) < TOLERANCE,
        `gradient of x${p}[${i}] is ${gradient[i]}, the difference quotient ${quotient}`,
      );
    }
    assert.ok(
      gradient.some((g) => Math.abs(g) > 10 * TOLERANCE),
      `the check of x${p} tells something`,
    );
  }
  return program;
}
