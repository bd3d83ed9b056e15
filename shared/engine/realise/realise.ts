/**
 * A canonical program as one plain ONNX model for each step (docs/numerics.md, section 5): state, batch and schedule in; new state, loss, guard
 * and, in the traced variant, every operator's output out. Run it with graph optimisations disabled.
 */

import { encodeModel } from "../../onnx/encode.ts";
import { type ComputedOperator, Dtype, isComputed } from "../../program/descriptor.ts";
import type { Program, Tensor } from "../../program/program.ts";
import { type Arithmetic, FLOAT64 } from "./arithmetic.ts";
import { type Context, ONNX_TYPE } from "./context.ts";
import { realiseDot } from "./dot.ts";
import { UnrealisableError } from "./errors.ts";
import { realiseGather } from "./gather.ts";
import { GraphBuilder, type Value } from "./graph.ts";
import { Guard } from "./guard.ts";
import { realiseJoin } from "./join.ts";
import { realiseMap } from "./map.ts";
import { cast, elementwise, reshape } from "./nodes.ts";
import { realisePeak } from "./peak.ts";
import { realiseSum } from "./sum.ts";
import { realiseSumByIndex } from "./sumByIndex.ts";

/** IR and operator set that ONNX Runtime 1.14 and later run. */
const IR_VERSION = 8;
const OPERATOR_SET = 18;

/** A graph input and what is fed to it. */
export interface Feed {
  readonly name: string;
  readonly from: "state" | "operator";
  readonly index: number;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A graph output that becomes a tensor. */
export interface Fetch {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface RealisedStep {
  /** ModelProto bytes. */
  readonly model: Uint8Array<ArrayBuffer>;
  readonly feeds: readonly Feed[];
  /** The new value of each state tensor, null where it stays as it is. */
  readonly state: readonly (Fetch | null)[];
  readonly loss: string;
  /** What `readGuard` judges. */
  readonly guard: { readonly maximum: string; readonly sum: string };
  /** Every operator's output, null where it is an input of the step; empty unless traced. */
  readonly outputs: readonly (Fetch | null)[];
}

export interface RealiseOptions {
  /** Whether every operator's output is an output of the graph. */
  readonly traced: boolean;
  /** Default: float64. */
  readonly arithmetic?: Arithmetic;
}

/** @throws UnrealisableError when an operator cannot be run by an engine; a valid program always can. */
export function realise(program: Program, options: RealiseOptions): RealisedStep {
  const { arithmetic = FLOAT64 } = options;
  const graph = new GraphBuilder();
  const guard = new Guard();
  const feeds: Feed[] = [];
  const feed = (from: Feed["from"], index: number, name: string, dtype: Dtype, shape: readonly number[]): Value => {
    const input = graph.input(`${from}_${index}:${name}`, ONNX_TYPE[dtype], shape);
    feeds.push({ name: input.name, from, index, dtype, shape });
    return input;
  };
  const once = (make: (index: number) => Value) => {
    const made = new Map<number, Value>();
    return (index: number): Value => {
      const value = made.get(index) ?? make(index);
      made.set(index, value);
      return value;
    };
  };

  const outputs: Value[] = [];
  const stateInput = once((index) => {
    const { name, dtype, shape } = program.state[index]!;
    return feed("state", index, name, dtype, shape);
  });
  const constant = once((index) => constantValue(graph, index, program.constants[index]!));
  const context: Context = {
    graph,
    program,
    resolve: ({ kind, index }) => {
      const value = kind === "operator" ? outputs[index] : kind === "state" ? stateInput(index) : constant(index);
      if (value === undefined) throw new UnrealisableError(`${kind} ${index} does not precede it`);
      return value;
    },
  };

  for (const [index, { name, operator }] of program.operators.entries()) {
    graph.enter(name);
    const output = isComputed(operator)
      ? realiseNamed(context, guard, name, operator, {
          ...arithmetic,
          dot: arithmetic.dotAt?.get(index) ?? arithmetic.dot,
        })
      : feed("operator", index, name, operator.dtype, operator.shape);
    outputs.push(reshape(graph, output, operator.shape));
  }

  graph.enter("state");
  const state = program.state.map((tensor, index): Fetch | null => {
    const after = tensor.source === null ? stateInput(index) : reshape(graph, outputs[tensor.source]!, tensor.shape);
    guard.include(graph, magnitudes(graph, after));
    if (tensor.source === null) return null;
    return { name: graph.output(after), dtype: tensor.dtype, shape: tensor.shape };
  });
  const loss = outputs[program.loss]!;
  guard.include(graph, magnitudes(graph, loss));
  const { maximum, sum } = guard.values(graph);

  return {
    feeds,
    state,
    loss: graph.output(loss),
    guard: { maximum: graph.output(maximum), sum: graph.output(sum) },
    outputs: options.traced ? traceOutputs(graph, program, outputs) : [],
    model: encodeModel({
      irVersion: IR_VERSION,
      producer: "touchstone",
      operatorSets: [{ domain: "", version: OPERATOR_SET }],
      graph: graph.build(options.traced ? "traced step" : "step"),
    }),
  };
}

function traceOutputs(graph: GraphBuilder, program: Program, outputs: readonly Value[]): (Fetch | null)[] {
  return program.operators.map(({ operator }, index) => {
    if (!isComputed(operator)) return null;
    return { name: graph.output(outputs[index]!), dtype: operator.dtype, shape: operator.shape };
  });
}

function constantValue(graph: GraphBuilder, index: number, { dtype, shape, words }: Tensor): Value {
  const copy = words.slice();
  const data = dtype === Dtype.float32 ? new Float32Array(copy.buffer) : new Int32Array(copy.buffer);
  if (dtype === Dtype.float32 && !data.every(Number.isFinite)) {
    throw new UnrealisableError(`constant ${index} holds a word that is not finite`);
  }
  return graph.initializer(`constant_of_program_${index}`, ONNX_TYPE[dtype], shape, data);
}

function magnitudes(graph: GraphBuilder, value: Value): Value {
  return elementwise(graph, "Abs", [cast(graph, value, ONNX_TYPE[Dtype.float32])]);
}

function realiseNamed(
  context: Context,
  guard: Guard,
  name: string,
  operator: ComputedOperator,
  { dot, sum, root }: Arithmetic,
): Value {
  try {
    switch (operator.family) {
      case "map":
        return realiseMap(context, operator, root);
      case "dot":
        return realiseDot(context, operator, dot);
      case "sum":
        return realiseSum(context, operator, sum);
      case "sumByIndex":
        return realiseSumByIndex(context, operator, sum);
      case "gather":
        return realiseGather(context, operator);
      case "join":
        return realiseJoin(context, operator);
      case "peak": {
        const { magnitudes, maxima, output } = realisePeak(context, operator);
        guard.include(context.graph, magnitudes, maxima);
        return output;
      }
    }
  } catch (error) {
    if (error instanceof UnrealisableError) throw new UnrealisableError(error.problem, name);
    throw error;
  }
}
