/** What an importer sees of one ONNX node, and what it gives back. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { HostTensor } from "../onnx/host.ts";
import type { Dtype } from "../program/descriptor.ts";
import type { ModelError } from "../program/errors.ts";

/** What an ONNX value is: a tensor of the source graph, or numbers known now. */
export type Imported = ValueId | HostTensor;

export interface ImportContext {
  readonly graph: SourceGraph;
  /** The node's name, or its first output's; for tensors that no parameter gives a name. */
  readonly name: string;
  /** Version of the ai.onnx operator set, where an operator's meaning depends on it. */
  readonly operatorSet: number;
  /** Whether the model is imported for training steps; otherwise nothing is dropped, and running statistics are used. */
  readonly training: boolean;
  /** Inputs that the node lists, omitted ones included. */
  readonly inputCount: number;
  /** Whether the node has this input (an optional one can be left out). */
  has(input: number): boolean;
  /** Outputs that the node lists, omitted ones included. */
  readonly outputCount: number;
  /** Whether the node names this output. */
  wants(output: number): boolean;
  /** @throws ModelError when the input is missing. */
  input(index: number): Imported;
  /**
   * An input that must be a tensor of the given dtypes (by default float32). Numbers known now become a constant of the program, where
   * magnitudes beyond 2^20 (infinities included) become 2^20. @throws ModelError
   */
  tensor(index: number, ...dtypes: Dtype[]): ValueId;
  /** The numbers of an input that are known now; null when it is absent or computed. */
  host(index: number): HostTensor | null;
  integer(attribute: string, absent: number): number;
  float(attribute: string, absent: number): number;
  string(attribute: string, absent: string): string;
  strings(attribute: string): readonly string[] | null;
  /** A list of integers: from a constant input where later operator sets have one, else from the attribute; null when absent. */
  integers(input: number | null, attribute: string): readonly number[] | null;
  /** As `integers`, of any numbers. */
  floats(input: number | null, attribute: string): readonly number[] | null;
  /** The value of an attribute that is a tensor; null when absent. */
  constantTensor(attribute: string): HostTensor | null;
  /** A possibly negative axis as an index below `rank`. @throws ModelError */
  axis(axis: number, rank: number): number;
  /**
   * Says that the forward pass itself decides what the given parameter (an input of the node that is an initializer) becomes after the step,
   * so that no optimizer touches it: running statistics. With null it stays as it is. @throws ModelError when it is no parameter.
   */
  stateUpdate(value: ValueId, next: ValueId | null): void;
  /** The error that names this node. */
  error(problem: string, remedy: string): ModelError;
}

/** Gives the node's output, or the first of its outputs in their order; a value that is left out must not be used by the model. */
export type Importer = (context: ImportContext) => Imported | readonly Imported[];

export function isHost(value: Imported): value is HostTensor {
  return typeof value !== "number";
}

/** `fc1` of the tensor `fc1.weight`: what the layer around a parameter is called. */
export function layerName(graph: SourceGraph, parameter: ValueId): string {
  return graph.name(parameter).replace(/(.)\.[^.]*$/, "$1");
}
