/**
 * The source graph: a model as tensors and the layers that make them, between ONNX and the canonical program. Every
 * node makes one tensor of static shape; a node's inputs precede it, so the order of nodes is a topological one.
 */
import type { Dtype } from "../program/descriptor.ts";
import type { View } from "../program/view.ts";
import type { Lowering } from "./lower.ts";
import type { MapBuilder, Register } from "./mapBuilder.ts";

/** Position of a node in its graph, and so the name of the tensor that it makes. */
export type ValueId = number;

/** A tensor's gradient contribution: the tensor, and the value that is its gradient. */
export type Contribution = readonly [tensor: ValueId, gradient: ValueId];

export interface SourceNode {
  /** Human name of the tensor; becomes the name of the canonical operator. */
  readonly name: string;
  /** The layer's name, for messages. */
  readonly layer: string;
  readonly inputs: readonly ValueId[];
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Integer tensors: a bound of the elements, which are not negative. */
  readonly greatest?: number;
  /** float32 tensors: a bound of the magnitudes, where the tensor has one by construction. */
  readonly bound?: number;
  /** Constants all of whose elements are positive, or all negative. */
  readonly sign?: 1 | -1;
  /** float32 tensors whose elements are 0 or 1 and stand for false and true. */
  readonly isTruth?: boolean;
  /** Join nodes: where each input starts along which axis. */
  readonly joined?: { readonly axis: number; readonly starts: readonly number[] };
  /** Transpose nodes: which input axis each output axis is. */
  readonly permutation?: readonly number[];
  /**
   * Adds the nodes that carry the loss's gradient back. `upstream` is the gradient of this tensor (same shape), null when
   * this tensor is the loss itself. Absent: nothing is differentiated through this node.
   */
  readonly gradient?: (upstream: ValueId | null) => readonly Contribution[];
  /** Emits the canonical operators of this node and says where its tensor lies. */
  readonly lower: (lowering: Lowering) => View;
  /**
   * Elementwise nodes: the result from one register for each input. Such nodes can be fused into one Map. Of a constant that is the same
   * number everywhere: the number, which then is an immediate of every Map that reads it.
   */
  readonly expression?: (map: MapBuilder, inputs: readonly Register[]) => Register;
}

export class SourceGraph {
  readonly #nodes: SourceNode[] = [];
  #streams = 0;

  get size(): number {
    return this.#nodes.length;
  }

  add(node: SourceNode): ValueId {
    return this.#nodes.push(node) - 1;
  }

  /** The number of a random stream that nothing else in this graph has. */
  takeStream(): number {
    return this.#streams++;
  }

  node(id: ValueId): SourceNode {
    return this.#nodes[id]!;
  }

  shape(id: ValueId): readonly number[] {
    return this.node(id).shape;
  }

  name(id: ValueId): string {
    return this.node(id).name;
  }

  /** The ids of every node that one of `roots` is computed from, the roots included. */
  ancestors(roots: Iterable<ValueId>): Set<ValueId> {
    const found = new Set<ValueId>();
    const open = [...roots];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (found.has(id)) continue;
      found.add(id);
      open.push(...this.node(id).inputs);
    }
    return found;
  }
}

/** What moving elements about leaves as it is. */
export function elementsOf(graph: SourceGraph, id: ValueId): Pick<SourceNode, "name" | "dtype" | "greatest" | "bound"> {
  const { name, dtype, greatest, bound } = graph.node(id);
  return {
    name,
    dtype,
    ...(greatest === undefined ? {} : { greatest }),
    ...(bound === undefined ? {} : { bound }),
  };
}

/** The shape that two shapes broadcast to by the rules of ONNX (right-aligned, a dimension of 1 stretches), or null. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - (rank - a.length)] ?? 1;
    const right = b[axis - (rank - b.length)] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return null;
    shape.push(left === 1 ? right : left);
  }
  return shape;
}
