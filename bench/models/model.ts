/** What a measured network is, and a builder for its forward pass as ONNX. */
import { initialWords } from "../../shared/numerics/philox.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { type OnnxAttribute, type OnnxNode, type OnnxTensor, OnnxType } from "../../shared/onnx/model.ts";

/** What the other contenders build the network from. */
export type Architecture =
  | { readonly kind: "mlp"; readonly context: number; readonly hidden: number }
  | { readonly kind: "cnn"; readonly side: number }
  | { readonly kind: "gpt"; readonly layers: number; readonly heads: number; readonly context: number };

const SEED = 1n;

/** A number in [0, 1) from a random word. */
export function unit(word: number): number {
  return (word >>> 8) * 2 ** -24;
}

/** A forward model under construction. */
export class Forward {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];

  node(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    const output = `${operator}${this.#nodes.length}`;
    this.#nodes.push({ name: output, operator, domain: "", inputs, outputs: [output], attributes });
    return output;
  }

  /** A parameter with values in ±`bound`, or all `fill`. */
  parameter(name: string, dimensions: readonly number[], init: { bound: number } | { fill: number }): string {
    const count = dimensions.reduce((n, d) => n * d, 1);
    const data =
      "fill" in init
        ? new Float32Array(count).fill(init.fill)
        : Float32Array.from(
            initialWords(SEED, this.#initializers.length, count),
            (word) => (unit(word) * 2 - 1) * init.bound,
          );
    this.#initializers.push({ name, type: OnnxType.float32, dimensions, data });
    return name;
  }

  constant(dimensions: readonly number[], data: Float32Array | BigInt64Array): string {
    const output = `constant${this.#nodes.length}`;
    const type = data instanceof Float32Array ? OnnxType.float32 : OnnxType.int64;
    const value: OnnxTensor = { name: output, type, dimensions, data };
    const attributes = { value: { kind: "tensor", value } } as const;
    this.#nodes.push({ name: output, operator: "Constant", domain: "", inputs: [], outputs: [output], attributes });
    return output;
  }

  integers(...values: number[]): string {
    return this.constant([values.length], BigInt64Array.from(values, BigInt));
  }

  /** x · Wᵀ + b with parameters `name.weight` [to, from] and `name.bias`. */
  linear(name: string, x: string, from: number, to: number): string {
    const bound = 1 / Math.sqrt(from);
    const weight = this.parameter(`${name}.weight`, [to, from], { bound });
    const bias = this.parameter(`${name}.bias`, [to], { bound });
    const transposed = this.node("Transpose", [weight], { perm: { kind: "ints", value: [1, 0] } });
    return this.node("Add", [this.node("MatMul", [x, transposed]), bias]);
  }

  encode(
    name: string,
    input: { readonly type: OnnxType; readonly dimensions: readonly (number | string)[] },
    output: string,
    shape: readonly (number | string)[],
  ): Uint8Array {
    return encodeModel({
      irVersion: 8,
      producer: "touchstone bench",
      operatorSets: [{ domain: "", version: 20 }],
      graph: {
        name,
        nodes: this.#nodes,
        initializers: this.#initializers,
        inputs: [{ name: "input", ...input }],
        outputs: [{ name: output, type: OnnxType.float32, dimensions: shape }],
      },
    });
  }
}
