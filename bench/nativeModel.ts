/**
 * The example network's training step in ONNX Runtime's own operators: forward, backward and AdamW in plain float32, as one
 * would write it without caring for reproducible bits.
 */
import { GraphBuilder, integer, text, type Value } from "../shared/engine/realise/graph.ts";
import { cast, elementwise, reshape, zeros } from "../shared/engine/realise/nodes.ts";
import { encodeModel } from "../shared/program/onnx/encode.ts";
import { OnnxType } from "../shared/program/onnx/model.ts";
import type { MlpTraining } from "./mlpTraining.ts";

export interface NativeModel {
  readonly model: Uint8Array;
  /** State inputs: parameters, then first, then second moments; and the outputs that replace them. */
  readonly state: readonly { readonly input: string; readonly output: string; readonly shape: readonly number[] }[];
  readonly inputs: { readonly tokens: string; readonly targets: string; readonly scalars: readonly string[] };
  readonly loss: string;
}

export function nativeModel({ batch, context, parameters, optimizer }: MlpTraining): NativeModel {
  const graph = new GraphBuilder();
  const tokens = graph.input("tokens", OnnxType.int32, [batch, context]);
  const targets = graph.input("targets", OnnxType.int32, [batch, 1]);
  const scalars = ["rate", "correction1", "correction2"].map((name) => graph.input(name, OnnxType.float32, []));
  const inputsOf = (suffix: string) =>
    parameters.map(({ name, shape }) => graph.input(`${name}${suffix}`, OnnxType.float32, shape));
  const [values, firsts, seconds] = [inputsOf(""), inputsOf(".m"), inputsOf(".v")];
  const [embedding, ...layers] = values as [Value, ...Value[]];
  const weights = layers.filter((_, i) => i % 2 === 0);
  const biases = layers.filter((_, i) => i % 2 === 1);

  const width = embedding.shape[1]!;
  const looked = graph.node("Gather", [embedding, tokens], OnnxType.float32, [batch, context, width]);
  const activations = [reshape(graph, looked, [batch, context * width])];
  for (const [layer, weight] of weights.entries()) {
    const last = layer === weights.length - 1;
    const linear = gemm(graph, [activations[layer]!, weight, biases[layer]!], [batch, weight.shape[0]!], 0, 1);
    activations.push(last ? linear : elementwise(graph, "Tanh", [linear]));
  }

  const logits = activations.pop()!;
  const probabilities = graph.node("Softmax", [logits], OnnxType.float32, logits.shape, { axis: integer(1) });
  const ofTarget = graph.node("GatherElements", [probabilities, targets], OnnxType.float32, [batch, 1], {
    axis: integer(1),
  });
  const logarithms = elementwise(graph, "Log", [ofTarget]);
  const mean = graph.node("ReduceMean", [logarithms], OnnxType.float32, [], { keepdims: integer(0) });
  const loss = elementwise(graph, "Neg", [mean]);

  const classes = logits.shape[1]!;
  const depth = graph.constant(OnnxType.int64, [], BigInt64Array.of(BigInt(classes)));
  const ends = graph.constant(OnnxType.float32, [2], Float32Array.of(0, 1));
  const wideTargets = cast(graph, reshape(graph, targets, [batch]), OnnxType.int64);
  const oneHot = graph.node("OneHot", [wideTargets, depth, ends], OnnxType.float32, [batch, classes]);
  let gradient = multiply(graph, elementwise(graph, "Sub", [probabilities, oneHot]), graph.float(1 / batch));
  const gradients: Value[] = [];
  for (let layer = weights.length - 1; layer >= 0; layer--) {
    const [weight, input] = [weights[layer]!, activations[layer]!];
    const ofWeight = gemm(graph, [gradient, input], weight.shape, 1, 0);
    const ofBias = graph.node("ReduceSum", [gradient, graph.integers([0])], OnnxType.float32, [weight.shape[0]!], {
      keepdims: integer(0),
    });
    gradients.unshift(ofWeight, ofBias);
    gradient = graph.node("MatMul", [gradient, weight], OnnxType.float32, input.shape);
    if (layer > 0) {
      const slope = elementwise(graph, "Sub", [graph.float(1), multiply(graph, input, input)]);
      gradient = multiply(graph, gradient, slope);
    }
  }
  gradients.unshift(embeddingGradient(graph, embedding, tokens, gradient));

  const updates = values.map((value, p) =>
    adamw(graph, optimizer, scalars as [Value, Value, Value], value, firsts[p]!, seconds[p]!, gradients[p]!),
  );
  const state = [values, firsts, seconds].flatMap((inputs, part) =>
    inputs.map(({ name, shape }, p) => ({ input: name, output: graph.output(updates[p]![part]!), shape })),
  );
  return {
    state,
    inputs: { tokens: tokens.name, targets: targets.name, scalars: scalars.map(({ name }) => name) },
    loss: graph.output(loss),
    model: encodeModel({
      irVersion: 8,
      producer: "touchstone bench",
      operatorSets: [{ domain: "", version: 18 }],
      graph: graph.build("native step"),
    }),
  };
}

const multiply = (graph: GraphBuilder, a: Value, b: Value) => elementwise(graph, "Mul", [a, b]);
const add = (graph: GraphBuilder, a: Value, b: Value) => elementwise(graph, "Add", [a, b]);

function gemm(graph: GraphBuilder, inputs: Value[], shape: readonly number[], transA: 0 | 1, transB: 0 | 1): Value {
  return graph.node("Gemm", inputs, OnnxType.float32, shape, { transA: integer(transA), transB: integer(transB) });
}

function embeddingGradient(graph: GraphBuilder, embedding: Value, tokens: Value, gradient: Value): Value {
  const [rows, width] = embedding.shape as [number, number];
  const positions = tokens.shape[0]! * tokens.shape[1]!;
  const wide = cast(graph, reshape(graph, tokens, [positions, 1]), OnnxType.int64);
  const updates = reshape(graph, gradient, [positions, width]);
  return graph.node(
    "ScatterND",
    [zeros(graph, OnnxType.float32, [rows, width]), wide, updates],
    OnnxType.float32,
    [rows, width],
    { reduction: text("add") },
  );
}

/** The parameter and its moments after the step; decay applies to rank 2 and above. */
function adamw(
  graph: GraphBuilder,
  { beta1, beta2, epsilon, weightDecay }: MlpTraining["optimizer"],
  [rate, correction1, correction2]: readonly [Value, Value, Value],
  value: Value,
  first: Value,
  second: Value,
  gradient: Value,
): readonly [Value, Value, Value] {
  const scale = (x: Value, factor: number) => multiply(graph, x, graph.float(factor));
  const nextFirst = add(graph, scale(first, beta1), scale(gradient, 1 - beta1));
  const nextSecond = add(graph, scale(second, beta2), scale(multiply(graph, gradient, gradient), 1 - beta2));
  const root = elementwise(graph, "Sqrt", [multiply(graph, nextSecond, correction2)]);
  const direction = elementwise(graph, "Div", [nextFirst, add(graph, root, graph.float(epsilon))]);
  const change = multiply(graph, direction, multiply(graph, rate, correction1));
  const keep = elementwise(graph, "Sub", [graph.float(1), scale(rate, weightDecay)]);
  const kept = value.shape.length >= 2 ? multiply(graph, value, keep) : value;
  return [elementwise(graph, "Sub", [kept, change]), nextFirst, nextSecond];
}
