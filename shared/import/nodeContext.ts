/** What an importer sees of one node: its attributes and inputs, checked as they are asked for. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { ImportContext, Imported } from "../layers/importer.ts";
import { isHost } from "../layers/importer.ts";
import type { HostTensor } from "../onnx/host.ts";
import { hostOf } from "../onnx/host.ts";
import type { OnnxNode } from "../onnx/model.ts";
import { Dtype } from "../program/descriptor.ts";
import { ModelError } from "../program/errors.ts";

/** What an import has read so far. */
export interface Scope {
  readonly graph: SourceGraph;
  readonly operatorSet: number;
  readonly training: boolean;
  value(name: string): Imported | undefined;
  /** Why a name stands for nothing, where that is known. */
  absence(name: string): string | undefined;
  /** Known numbers as a constant of the program. */
  constant(host: HostTensor, name: string): ValueId;
  /** false when the value is no parameter. */
  stateUpdate(value: ValueId, next: ValueId | null): boolean;
}

/** @param at where the node is, for messages. */
export function nodeContext(node: OnnxNode, at: { node: string; operator: string }, scope: Scope): ImportContext {
  const { graph } = scope;
  const error = (problem: string, remedy: string) => new ModelError(problem, remedy, at);
  const has = (index: number) => (node.inputs[index] ?? "") !== "";
  const input = (index: number): Imported => {
    const name = node.inputs[index] ?? "";
    const value = scope.value(name);
    if (value !== undefined) return value;
    const absent = scope.absence(name);
    if (absent !== undefined) throw error(`its input "${name}" is ${absent}`, "Leave it out of the model.");
    throw error(
      has(index) ? `its input "${name}" is not defined before it` : `it lacks input ${index}`,
      "Export the model again, with its weights inside the file.",
    );
  };
  const attribute = <K extends string>(name: string, kind: K) => {
    const value = node.attributes[name];
    if (value === undefined) return null;
    if (value.kind !== kind) throw error(`its attribute ${name} is not of kind ${kind}`, "Export the model again.");
    return value as Extract<typeof value, { kind: K }>;
  };
  const list = (index: number | null, name: string, kind: "ints" | "floats"): readonly number[] | null => {
    if (index === null || !has(index)) return attribute(name, kind)?.value ?? null;
    const value = input(index);
    if (!isHost(value)) throw error(`its ${name} are not constant`, "Export with static shapes.");
    return [...value.values];
  };
  return {
    graph,
    name: at.node,
    operatorSet: scope.operatorSet,
    training: scope.training,
    inputCount: node.inputs.length,
    outputCount: node.outputs.length,
    has,
    wants: (output) => (node.outputs[output] ?? "") !== "",
    input,
    error,
    tensor: (index, ...dtypes) => {
      const value = input(index);
      const allowed = dtypes.length === 0 ? [Dtype.float32] : dtypes;
      const tensor = isHost(value) ? scope.constant(value, node.inputs[index]!) : value;
      if (!allowed.includes(graph.node(tensor).dtype)) {
        const wanted = allowed.map((dtype) => (dtype === Dtype.float32 ? "float32" : "int32")).join(" or ");
        throw error(`its input "${node.inputs[index]}" is not a ${wanted} tensor`, "Check what feeds it.");
      }
      return tensor;
    },
    host: (index) => {
      const value = has(index) ? input(index) : null;
      return value !== null && isHost(value) ? value : null;
    },
    integer: (name, absent) => attribute(name, "int")?.value ?? absent,
    float: (name, absent) => attribute(name, "float")?.value ?? absent,
    string: (name, absent) => attribute(name, "string")?.value ?? absent,
    strings: (name) => attribute(name, "strings")?.value ?? null,
    integers: (index, name) => list(index, name, "ints"),
    floats: (index, name) => list(index, name, "floats"),
    constantTensor: (name) => {
      const tensor = attribute(name, "tensor")?.value ?? null;
      return tensor === null ? null : hostOf(tensor);
    },
    axis: (axis, rank) => {
      const index = axis < 0 ? axis + rank : axis;
      if (!(index >= 0 && index < rank)) throw error(`axis ${axis} is not one of ${rank}`, "Correct the axis.");
      return index;
    },
    stateUpdate: (value, next) => {
      if (!scope.stateUpdate(value, next)) {
        throw error(`"${graph.name(value)}" is replaced after each step and is no initializer`, "Store it as one.");
      }
    },
  };
}
