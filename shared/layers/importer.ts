/** What an importer sees of one ONNX node, and what it gives back. */
import type { Dtype } from "../program/descriptor.ts";
import type { ModelError } from "../program/errors.ts";
import type { SourceGraph, ValueId } from "../program/graph.ts";

/** Integers that are known while the model is read: shapes, axes and what is computed from them. */
export interface HostTensor {
  readonly dimensions: readonly number[];
  readonly values: readonly number[];
}

/** What an ONNX value is: a tensor of the source graph, or integers known now. */
export type Imported = ValueId | HostTensor;

export interface ImportContext {
  readonly graph: SourceGraph;
  /** Whether the node has this input (an optional one can be left out). */
  has(input: number): boolean;
  /** @throws ModelError when the input is missing. */
  input(index: number): Imported;
  /** An input that must be a tensor of the given dtypes (by default float32). @throws ModelError */
  tensor(index: number, ...dtypes: Dtype[]): ValueId;
  integer(attribute: string, absent: number): number;
  float(attribute: string, absent: number): number;
  /** A list of integers: from a constant input where later operator sets have one, else from the attribute; null when absent. */
  integers(input: number | null, attribute: string): readonly number[] | null;
  /** The value of an attribute that is a tensor, under the node's output name; null when absent. */
  constantTensor(attribute: string): Imported | null;
  /** A possibly negative axis as an index below `rank`. @throws ModelError */
  axis(axis: number, rank: number): number;
  /** The error that names this node. */
  error(problem: string, remedy: string): ModelError;
}

export type Importer = (context: ImportContext) => Imported;

export function isHost(value: Imported): value is HostTensor {
  return typeof value !== "number";
}

/** `fc1` of the tensor `fc1.weight`: what the layer around a parameter is called. */
export function layerName(graph: SourceGraph, parameter: ValueId): string {
  return graph.name(parameter).replace(/(.)\.[^.]*$/, "$1");
}
