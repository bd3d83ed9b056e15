/**
 * The example's forward model as ONNX: a GPT as it is usually written. Embedding and learned positions; blocks of layer normalisation, causal
 * self-attention, layer normalisation and two linear layers with a GELU between them; a last normalisation, and the table of tokens
 * once more as the head.
 */
import { initialWords } from "../../shared/numerics/philox.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";

export interface GptSizes {
  /** Characters that the model sees. */
  readonly context: number;
  readonly vocabulary: number;
  /** Numbers for a position; a multiple of the heads. */
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
}

/** Numbers between the two linear layers of a block, for each of its width. */
const EXPANSION = 4;

/** How a parameter starts: uniform with this standard deviation, or one number. */
type Start = { readonly deviation: number } | { readonly value: number };

interface Parameter {
  readonly shape: readonly number[];
  readonly start: Start;
}

/** The model's parameters in the order of the file; weights are [out, in]. */
export function gptParameters({ context, vocabulary, width, layers }: GptSizes): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  const tensor = (name: string, shape: readonly number[], deviation: number) =>
    found.set(name, { shape, start: { deviation } });
  const norm = (name: string, value = 1) => {
    found.set(`${name}.weight`, { shape: [width], start: { value } });
    found.set(`${name}.bias`, { shape: [width], start: { value: 0 } });
  };
  const linear = (name: string, inputs: number, outputs: number, share = 1) => {
    tensor(`${name}.weight`, [outputs, inputs], share / Math.sqrt(inputs));
    found.set(`${name}.bias`, { shape: [outputs], start: { value: 0 } });
  };
  // What adds to the residual stream starts smaller the more of them there are.
  const share = 1 / Math.sqrt(2 * layers);
  tensor("token.weight", [vocabulary, width], 0.3);
  tensor("position.weight", [context, width], 0.3);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    norm(`${block}.norm1`);
    linear(`${block}.qkv`, width, 3 * width);
    linear(`${block}.attended`, width, width, share);
    norm(`${block}.norm2`);
    linear(`${block}.up`, width, EXPANSION * width);
    linear(`${block}.down`, EXPANSION * width, width, share);
  }
  // Small, so that a head of great embeddings begins with nearly even guesses.
  norm("norm", 0.2);
  return found;
}

/** The model with the given weights: int64 tokens [batch, context] → logits [batch, context, vocabulary]. */
export function gptModel(sizes: GptSizes, weights: ReadonlyMap<string, Float32Array>): OnnxModel {
  const { context, vocabulary, width, heads, layers } = sizes;
  const initializers = [...gptParameters(sizes)].map(
    ([name, { shape }]): OnnxTensor => ({ name, type: OnnxType.float32, dimensions: shape, data: weights.get(name)! }),
  );
  const nodes: OnnxNode[] = [];
  const append = (operator: string, inputs: string[], attributes: OnnxNode["attributes"] = {}, count = 1): string[] => {
    const name = `${operator.toLowerCase()}${nodes.length}`;
    const outputs = count === 1 ? [name] : Array.from({ length: count }, (_, at) => `${name}.${at}`);
    nodes.push({ name, operator, domain: "", inputs, outputs, attributes });
    return outputs;
  };
  const one = (operator: string, inputs: string[], attributes: OnnxNode["attributes"] = {}): string =>
    append(operator, inputs, attributes)[0]!;
  const constant = (type: OnnxType, dimensions: number[], data: OnnxTensor["data"]): string =>
    one("Constant", [], { value: { kind: "tensor", value: { name: "", type, dimensions, data } } });
  const shape = (...dimensions: number[]): string =>
    constant(OnnxType.int64, [dimensions.length], BigInt64Array.from(dimensions, BigInt));
  const transposed = (value: string, ...permutation: number[]): string =>
    one("Transpose", [value], { perm: { kind: "ints", value: permutation } });
  const linear = (value: string, name: string): string =>
    one("Add", [one("MatMul", [value, transposed(`${name}.weight`, 1, 0)]), `${name}.bias`]);
  const norm = (value: string, name: string): string =>
    one("LayerNormalization", [value, `${name}.weight`, `${name}.bias`], { axis: { kind: "int", value: -1 } });

  const size = width / heads;
  const future = Float32Array.from({ length: context * context }, (_, at) =>
    at % context > Math.floor(at / context) ? Number.NEGATIVE_INFINITY : 0,
  );
  const mask = constant(OnnxType.float32, [context, context], future);
  const factor = constant(OnnxType.float32, [], Float32Array.of(1 / Math.sqrt(size)));
  const split = shape(0, 0, heads, size);
  const together = shape(0, 0, width);
  const attention = (value: string, block: string): string => {
    const parts = append("Split", [linear(value, `${block}.qkv`)], { axis: { kind: "int", value: -1 } }, 3);
    const [q, k, v] = parts.map((part) => one("Reshape", [part, split])) as [string, string, string];
    const products = one("MatMul", [transposed(q, 0, 2, 1, 3), transposed(k, 0, 2, 3, 1)]);
    const scores = one("Add", [one("Mul", [products, factor]), mask]);
    const shares = one("Softmax", [scores], { axis: { kind: "int", value: -1 } });
    const mixed = transposed(one("MatMul", [shares, transposed(v, 0, 2, 1, 3)]), 0, 2, 1, 3);
    return linear(one("Reshape", [mixed, together]), `${block}.attended`);
  };

  let value = one("Add", [one("Gather", ["token.weight", "tokens"]), "position.weight"]);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    value = one("Add", [value, attention(norm(value, `${block}.norm1`), block)]);
    const expanded = one("Gelu", [linear(norm(value, `${block}.norm2`), `${block}.up`)]);
    value = one("Add", [value, linear(expanded, `${block}.down`)]);
  }
  const logits = one("MatMul", [norm(value, "norm"), transposed("token.weight", 1, 0)]);
  return {
    irVersion: 9,
    producer: "touchstone",
    operatorSets: [{ domain: "", version: 20 }],
    graph: {
      name: "gpt",
      nodes,
      initializers,
      inputs: [{ name: "tokens", type: OnnxType.int64, dimensions: ["batch", context] }],
      outputs: [{ name: logits, type: OnnxType.float32, dimensions: ["batch", context, vocabulary] }],
    },
  };
}

/** Initial weights from a seed, the same on every machine. */
export function gptWeights(sizes: GptSizes, seed: bigint): Map<string, Float32Array> {
  return new Map(
    [...gptParameters(sizes)].map(([name, { shape, start }], index) => {
      const count = shape.reduce((a, b) => a * b);
      if ("value" in start) return [name, new Float32Array(count).fill(start.value)];
      const bound = start.deviation * Math.sqrt(3);
      // The upper 24 bits are a float32 without rounding.
      const uniform = (word: number) => bound * ((word >>> 8) * 2 ** -23 - 1);
      return [name, Float32Array.from(initialWords(seed, index, count), uniform)];
    }),
  );
}
