/**
 * Low-rank adapters (Hu et al. 2021): beside each chosen product x · W comes s · (x · Aᵀ) · Bᵀ with A [rank, inputs], B [outputs, rank] and
 * s = alpha / rank. A starts uniform in ±1/√inputs, as PyTorch's Linear does, B from zero: at first the adapters change nothing.
 * The model is rewritten before it is read, so everything else about it stays as it is.
 */

import { modelInputs } from "../import/import.ts";
import { initialWords } from "../numerics/philox.ts";
import type { OnnxModel, OnnxNode, OnnxTensor } from "../onnx/model.ts";
import { OnnxType } from "../onnx/model.ts";
import { ModelError, SettingError } from "../program/errors.ts";
import type { LoraSettings } from "../task/settings.ts";
import { matchesGlob } from "./glob.ts";

export interface AdaptedModel {
  readonly model: OnnxModel;
  /** Names of the adapters' parameters, in the order of the file. */
  readonly adapters: readonly string[];
}

/** A product with a weight that an adapter can stand beside. */
interface Product {
  readonly node: OnnxNode;
  /** Name of the weight's initializer. */
  readonly weight: string;
  /** Name of the layer around the weight. */
  readonly layer: string;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * @param seed of the adapters' first values.
 * @throws SettingError when a target matches no weight.
 */
export function withAdapters(model: OnnxModel, settings: LoraSettings, seed: bigint): AdaptedModel {
  const products = productsOf(model);
  const isTarget = ({ weight, layer, node }: Product, patterns: readonly string[]): boolean =>
    [weight, layer, node.name].some((name) => name !== "" && matchesGlob(name, patterns));
  const idle = settings.targets.find((pattern) => !products.some((product) => isTarget(product, [pattern])));
  if (idle !== undefined) {
    const names = [...new Set(products.map(({ weight }) => weight))].join(", ") || "none at all";
    throw new SettingError("lora.targets", `"${idle}" matches no weight of a MatMul or Gemm`, `There are ${names}.`);
  }
  const chosen = new Map(
    products.filter((product) => isTarget(product, settings.targets)).map((each) => [each.node, each]),
  );
  const initializers = new Map<string, OnnxTensor>();
  const nodes = model.graph.nodes.flatMap((node) => {
    const product = chosen.get(node);
    if (product === undefined) return [node];
    for (const tensor of adapterTensors(product, settings.rank, seed, initializers.size)) {
      if (!initializers.has(tensor.name)) initializers.set(tensor.name, tensor);
    }
    return adapted(product, settings);
  });
  const taken = model.graph.initializers.find(({ name }) => initializers.has(name));
  if (taken !== undefined) {
    throw new ModelError(
      `it has "${taken.name}" already`,
      "A model that contains adapters is trained by `train` with their names, without `lora`.",
    );
  }
  const graph = { ...model.graph, nodes, initializers: [...model.graph.initializers, ...initializers.values()] };
  return { model: { ...model, graph }, adapters: [...initializers.keys()] };
}

const names = (layer: string): [a: string, b: string] => [`${layer}.lora_A.weight`, `${layer}.lora_B.weight`];

function productsOf(model: OnnxModel): Product[] {
  const { nodes, initializers } = model.graph;
  const inputs = new Set(modelInputs(model).map(({ name }) => name));
  const weights = new Map(initializers.map((tensor) => [tensor.name, tensor]));
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  return nodes.flatMap((node): Product[] => {
    if (node.domain !== "" || (node.operator !== "MatMul" && node.operator !== "Gemm")) return [];
    if (flag(node, "transA")) return [];
    // Exporters write a Linear layer's transpose as a node of its own.
    let isTransposed = node.operator === "Gemm" && flag(node, "transB");
    let name = node.inputs[1] ?? "";
    for (let from = producers.get(name); from !== undefined && !inputs.has(name); from = producers.get(name)) {
      if (from.operator === "Transpose") isTransposed = !isTransposed;
      else if (from.operator !== "Identity") return [];
      name = from.inputs[0] ?? "";
    }
    const weight = weights.get(name);
    if (weight === undefined || weight.type !== OnnxType.float32 || weight.dimensions.length !== 2) return [];
    const [rows, columns] = weight.dimensions as [number, number];
    const [inputCount, outputCount] = isTransposed ? [columns, rows] : [rows, columns];
    return [{ node, weight: name, layer: layerOf(name, node), inputs: inputCount, outputs: outputCount }];
  });
}

/** `fc1` of `fc1.weight`. TorchScript makes up names of weights that it has folded; then the node's path says more: `/fc1/MatMul`. */
function layerOf(weight: string, { name }: OnnxNode): string {
  const path = name
    .split("/")
    .filter((part) => part !== "")
    .slice(0, -1)
    .join(".");
  return weight.startsWith("onnx::") && path !== "" ? path : weight.replace(/(.)\.weight$/, "$1");
}

function flag(node: OnnxNode, name: string): boolean {
  const attribute = node.attributes[name];
  return attribute?.kind === "int" && attribute.value !== 0;
}

function adapterTensors({ layer, inputs, outputs }: Product, rank: number, seed: bigint, index: number): OnnxTensor[] {
  const [a, b] = names(layer);
  const bound = 1 / Math.sqrt(inputs);
  // The upper 24 bits are a float32 without rounding.
  const uniform = (word: number): number => bound * ((word >>> 8) * 2 ** -23 - 1);
  const data = Float32Array.from(initialWords(seed, index, rank * inputs), uniform);
  return [
    { name: a, type: OnnxType.float32, dimensions: [rank, inputs], data },
    { name: b, type: OnnxType.float32, dimensions: [outputs, rank], data: new Float32Array(outputs * rank) },
  ];
}

/** The product under another name, the adapter, and their sum under the product's name. */
function adapted({ node, layer }: Product, { rank, alpha }: LoraSettings): OnnxNode[] {
  const [output] = node.outputs as [string];
  const [a, b] = names(layer);
  const made = (part: string): string => `${output}.lora.${part}`;
  const append = (operator: string, part: string, inputs: string[], attributes: OnnxNode["attributes"] = {}) => ({
    name: made(part),
    operator,
    domain: "",
    inputs,
    outputs: [part === "sum" ? output : made(part)],
    attributes,
  });
  const swap: OnnxNode["attributes"] = { perm: { kind: "ints", value: [1, 0] } };
  const scale: OnnxTensor = {
    name: "",
    type: OnnxType.float32,
    dimensions: [],
    data: Float32Array.of(alpha / rank),
  };
  return [
    { ...node, outputs: [made("base")] },
    append("Transpose", "A", [a], swap),
    append("MatMul", "down", [node.inputs[0]!, made("A")]),
    append("Transpose", "B", [b], swap),
    append("MatMul", "up", [made("down"), made("B")]),
    append("Constant", "scale", [], { value: { kind: "tensor", value: scale } }),
    append("Mul", "scaled", [made("up"), made("scale")]),
    append("Add", "sum", [made("base"), made("scaled")]),
  ];
}
