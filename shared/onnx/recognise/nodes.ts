/** The nodes of a model as patterns are looked for in it: by what they make, and what is constant among their inputs. */
import type { OnnxGraph, OnnxNode, OnnxTensor } from "../model.ts";

export class NodeIndex {
  readonly #producers = new Map<string, OnnxNode>();
  readonly #constants = new Map<string, OnnxTensor>();

  constructor({ nodes, initializers }: OnnxGraph) {
    for (const tensor of initializers) this.#constants.set(tensor.name, tensor);
    for (const node of nodes) {
      for (const output of node.outputs) this.#producers.set(output, node);
      const value = node.operator === "Constant" ? node.attributes.value : undefined;
      if (value?.kind === "tensor") this.#constants.set(node.outputs[0]!, value.value);
    }
  }

  /** The node that makes a value, when it is of one of these operators of ai.onnx and this is its first output. */
  producer(name: string, ...operators: readonly string[]): OnnxNode | null {
    const node = this.#producers.get(name);
    const fits = node?.domain === "" && node.outputs[0] === name && operators.includes(node.operator);
    return fits ? node : null;
  }

  /** The one number of a constant; null when it is computed or has more. */
  scalar(name: string): number | null {
    const tensor = this.#constants.get(name);
    return tensor?.data.length === 1 ? Number(tensor.data[0]) : null;
  }

  /** The shape of a constant or an initializer, null for what is computed. */
  constantShape(name: string): readonly number[] | null {
    const same = this.producer(name, "Identity");
    return this.#constants.get(same?.inputs[0] ?? name)?.dimensions ?? null;
  }

  /** Integers of an attribute, or of a constant input where later operator sets have one. */
  integers(node: OnnxNode, attribute: string, input: number): readonly number[] | null {
    const said = node.attributes[attribute];
    if (said?.kind === "ints") return said.value;
    const tensor = this.#constants.get(node.inputs[input] ?? "");
    return tensor === undefined ? null : Array.from(tensor.data as ArrayLike<number | bigint>, Number);
  }
}

/** A node that does what several did: the same output, and the nodes that it does not need. */
export interface Replacement {
  readonly node: OnnxNode;
  readonly covered: readonly OnnxNode[];
}
