/** Writes small ONNX models node by node, for tests. */
import { encodeModel } from "../../shared/onnx/encode.ts";
import type { OnnxAttribute, OnnxNode, OnnxTensor, OnnxValueInfo } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";

export class OnnxBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #inputs: OnnxValueInfo[] = [];
  readonly #outputs: OnnxValueInfo[] = [];

  /** A float32 input. */
  input(name: string, ...dimensions: (number | string)[]): string {
    this.#inputs.push({ name, type: OnnxType.float32, dimensions });
    return name;
  }

  weight(name: string, dimensions: readonly number[], values: readonly number[]): string {
    this.#initializers.push({ name, type: OnnxType.float32, dimensions, data: Float32Array.from(values) });
    return name;
  }

  constant(...values: readonly number[]): string {
    const data = Float32Array.from(values);
    const dimensions = values.length === 1 ? [] : [values.length];
    return this.node("Constant", [], {
      value: { kind: "tensor", value: { name: "", type: OnnxType.float32, dimensions, data } },
    });
  }

  truth(value: boolean): string {
    const data = Uint8Array.of(value ? 1 : 0);
    return this.node("Constant", [], {
      value: { kind: "tensor", value: { name: "", type: OnnxType.bool, dimensions: [], data } },
    });
  }

  /** Returns the output's name. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output = `${operator.toLowerCase()}${this.#nodes.length}`,
  ): string {
    this.#nodes.push({ name: output, operator, domain: "", inputs, outputs: [output], attributes });
    return output;
  }

  output(name: string, ...dimensions: (number | string)[]): void {
    this.#outputs.push({ name, type: OnnxType.float32, dimensions });
  }

  bytes(): Uint8Array {
    return encodeModel({
      irVersion: 8,
      producer: "test",
      operatorSets: [{ domain: "", version: 17 }],
      graph: {
        name: "test",
        nodes: this.#nodes,
        initializers: this.#initializers,
        inputs: this.#inputs,
        outputs: this.#outputs,
      },
    });
  }
}

export const SWAP: Readonly<Record<string, OnnxAttribute>> = { perm: { kind: "ints", value: [1, 0] } };
