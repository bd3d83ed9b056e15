/**
 * A builder of ONNX graphs that shares: asking twice for the same node gives the same value, so every realisation may ask for what it
 * needs (a quantised copy, a transposed view) and each is computed once. Nodes are pure, so sharing never changes a bit.
 */
import {
  type OnnxAttribute,
  type OnnxData,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  OnnxType,
  type OnnxValueInfo,
} from "../../onnx/model.ts";

/** A tensor in the graph. */
export interface Value {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

export type Attributes = Readonly<Record<string, OnnxAttribute>>;

export const integer = (value: number): OnnxAttribute => ({ kind: "int", value });
export const integers = (value: readonly number[]): OnnxAttribute => ({ kind: "ints", value });
export const text = (value: string): OnnxAttribute => ({ kind: "string", value });

export class GraphBuilder {
  readonly #nodes: OnnxNode[] = [];
  readonly #inputs: OnnxValueInfo[] = [];
  readonly #outputs = new Map<string, OnnxValueInfo>();
  readonly #initializers: OnnxTensor[] = [];
  /** Node or initializer by everything that defines it. */
  readonly #known = new Map<string, Value>();
  /** Nodes by the value that they compute. */
  readonly #makers = new Map<string, { readonly operator: string; readonly inputs: readonly Value[] }>();
  #scope = "";

  /** Prefix of the names of the nodes that follow: the operator that first needs them. */
  enter(scope: string): void {
    this.#scope = scope;
  }

  input(name: string, type: OnnxType, shape: readonly number[]): Value {
    this.#inputs.push({ name, type, dimensions: shape });
    return { name, type, shape };
  }

  /** A constant that is told apart by its name alone. */
  initializer(name: string, type: OnnxType, shape: readonly number[], data: OnnxData): Value {
    this.#initializers.push({ name, type, dimensions: shape, data });
    return { name, type, shape };
  }

  /** A small constant, shared with all that have the same elements. */
  constant(type: OnnxType, shape: readonly number[], data: OnnxData): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = `constant ${type} [${shape}] ${bytes}`;
    const name = `constant_${this.#initializers.length}`;
    return this.#share(key, () => this.initializer(name, type, shape, data));
  }

  float(value: number): Value {
    return this.constant(OnnxType.float32, [], Float32Array.of(value));
  }

  /** One-dimensional int64: shapes, axes. */
  integers(values: readonly number[]): Value {
    return this.constant(OnnxType.int64, [values.length], BigInt64Array.from(values, BigInt));
  }

  node(
    operator: string,
    inputs: readonly Value[],
    type: OnnxType,
    shape: readonly number[],
    attributes: Attributes = {},
  ): Value {
    const names = inputs.map((input) => input.name);
    const key = `${operator} ${JSON.stringify([names, attributes])}`;
    return this.#share(key, () => {
      const name = `${this.#scope}/${operator}_${this.#nodes.length}`;
      this.#nodes.push({ name, operator, domain: "", inputs: names, outputs: [name], attributes });
      this.#makers.set(name, { operator, inputs });
      return { name, type, shape };
    });
  }

  /** The node that computes a value; none for inputs and constants. */
  makerOf(value: Value): { readonly operator: string; readonly inputs: readonly Value[] } | undefined {
    return this.#makers.get(value.name);
  }

  /** Makes a value a graph output and returns the name under which it is fetched; repeated calls give the same one. */
  output(value: Value): string {
    const computed = this.#makers.has(value.name) ? value : this.node("Identity", [value], value.type, value.shape);
    this.#outputs.set(computed.name, { name: computed.name, type: computed.type, dimensions: computed.shape });
    return computed.name;
  }

  /** The graph of the outputs: what none of them needs is left out, except inputs. */
  build(name: string): OnnxGraph {
    const needed = new Set(this.#outputs.keys());
    const nodes = this.#nodes.toReversed().filter((node) => {
      const isNeeded = node.outputs.some((output) => needed.has(output));
      if (isNeeded) for (const input of node.inputs) needed.add(input);
      return isNeeded;
    });
    return {
      name,
      nodes: nodes.reverse(),
      initializers: this.#initializers.filter((initializer) => needed.has(initializer.name)),
      inputs: this.#inputs,
      outputs: [...this.#outputs.values()],
    };
  }

  #share(key: string, make: () => Value): Value {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.#known.set(key, value);
    return value;
  }
}
