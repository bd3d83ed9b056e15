/** The example's forward model as ONNX: embedding → flatten → Linear → Tanh → Linear → Tanh → Linear, as PyTorch would write it. */
import { initialWords } from "../../shared/numerics/philox.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";

export interface MlpSizes {
  /** Characters that the model sees. */
  readonly context: number;
  readonly vocabulary: number;
  /** Numbers for a character. */
  readonly embedding: number;
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
}

/** The shapes of the model's parameters, in the order of the file. */
export function mlpParameters({ context, vocabulary, embedding, hidden }: MlpSizes): Map<string, number[]> {
  const widths = [context * embedding, ...hidden, vocabulary];
  return new Map([
    ["embedding.weight", [vocabulary, embedding]],
    ...widths.slice(1).flatMap((width, layer): [string, number[]][] => [
      [`fc${layer + 1}.weight`, [width, widths[layer]!]],
      [`fc${layer + 1}.bias`, [width]],
    ]),
  ]);
}

/** The model with the given weights: int64 tokens [batch, context] → logits [batch, vocabulary]. */
export function mlpModel(sizes: MlpSizes, weights: ReadonlyMap<string, Float32Array>): OnnxModel {
  const initializers = [...mlpParameters(sizes)].map(
    ([name, dimensions]): OnnxTensor => ({ name, type: OnnxType.float32, dimensions, data: weights.get(name)! }),
  );
  const nodes: OnnxNode[] = [];
  const append = (operator: string, inputs: string[], attributes: OnnxNode["attributes"] = {}): string => {
    const output = `${operator.toLowerCase()}${nodes.length}`;
    nodes.push({ name: output, operator, domain: "", inputs, outputs: [output], attributes });
    return output;
  };
  let value = append("Flatten", [append("Gather", ["embedding.weight", "tokens"])]);
  for (const layer of sizes.hidden.keys()) {
    value = append("Tanh", [append("Gemm", [value, `fc${layer + 1}.weight`, `fc${layer + 1}.bias`], TRANSPOSED)]);
  }
  const last = sizes.hidden.length + 1;
  const logits = append("Gemm", [value, `fc${last}.weight`, `fc${last}.bias`], TRANSPOSED);
  return {
    irVersion: 8,
    producer: "touchstone",
    operatorSets: [{ domain: "", version: 17 }],
    graph: {
      name: "solidity-mlp",
      nodes,
      initializers,
      inputs: [{ name: "tokens", type: OnnxType.int64, dimensions: ["batch", sizes.context] }],
      outputs: [{ name: logits, type: OnnxType.float32, dimensions: ["batch", sizes.vocabulary] }],
    },
  };
}

const TRANSPOSED: OnnxNode["attributes"] = { transB: { kind: "int", value: 1 } };

/**
 * Uniform initial weights from a seed, the same on every machine: ±1/2 for the embedding, ±√(3 / inputs) for weights (variance
 * 1 / inputs), 0 for biases.
 */
export function mlpWeights(sizes: MlpSizes, seed: bigint): Map<string, Float32Array> {
  return new Map(
    [...mlpParameters(sizes)].map(([name, shape], index) => {
      const bound = name === "embedding.weight" ? 0.5 : shape.length === 1 ? 0 : Math.sqrt(3 / shape[1]!);
      const count = shape.reduce((a, b) => a * b);
      // The upper 24 bits are a float32 without rounding.
      const uniform = (word: number) => bound * ((word >>> 8) * 2 ** -23 - 1);
      return [name, Float32Array.from(initialWords(seed, index, count), uniform)];
    }),
  );
}
