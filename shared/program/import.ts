/** Typed ONNX model → source graph. Shapes are static: the batch axis takes the size of the task. */
import type { HostTensor, ImportContext, Imported } from "../layers/importer.ts";
import { isHost } from "../layers/importer.ts";
import { constant, field, state } from "../layers/leaf.ts";
import { IMPORTERS, nearestForm } from "../layers/registry.ts";
import { flush } from "../numerics/flush.ts";
import { Dtype } from "./descriptor.ts";
import { ModelError } from "./errors.ts";
import type { ValueId } from "./graph.ts";
import { SourceGraph } from "./graph.ts";
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from "./onnx/model.ts";
import { OnnxType } from "./onnx/model.ts";
import type { SampleField } from "./program.ts";

/** Operator sets whose definitions of the supported operators are the ones implemented here. */
const OPERATOR_SETS = { least: 9, most: 25 };
/** Greatest magnitude of a state word (docs/numerics.md, section 4). */
const MAX_MAGNITUDE = 2 ** 20;

export interface Parameter {
  readonly value: ValueId;
  /** Flushed float32 words. */
  readonly initial: Uint32Array;
}

export interface ImportedModel {
  readonly graph: SourceGraph;
  /** Every float32 initializer that the output depends on, in the order of the file. */
  readonly parameters: readonly Parameter[];
  readonly logits: ValueId;
}

/**
 * Reads the forward model whose one input is the given sample field.
 * @throws ModelError naming the node when the model cannot be trained here.
 */
export function importModel(model: OnnxModel, input: SampleField, batch: number): ImportedModel {
  return new ModelImport(model, input, batch).run();
}

class ModelImport {
  readonly #model: OnnxModel;
  readonly #field: SampleField;
  readonly #batch: number;
  readonly #graph = new SourceGraph();
  readonly #values = new Map<string, Imported>();
  readonly #initials = new Map<ValueId, Uint32Array>();

  constructor(model: OnnxModel, input: SampleField, batch: number) {
    this.#model = model;
    this.#field = input;
    this.#batch = batch;
  }

  run(): ImportedModel {
    this.#checkOperatorSets();
    const { nodes, initializers, outputs } = this.#model.graph;
    for (const tensor of initializers) this.#define(tensor.name, this.#importInitializer(tensor));
    this.#importInput();
    for (const node of nodes) this.#importNode(node);
    if (outputs.length !== 1) {
      throw new ModelError(`it has ${outputs.length} outputs`, "Export a model whose one output are the logits.");
    }
    const logits = this.#values.get(outputs[0]!.name);
    if (logits === undefined || isHost(logits) || this.#graph.node(logits).dtype !== Dtype.float32) {
      throw new ModelError(`no node computes its output "${outputs[0]!.name}"`, "Export the model again.");
    }
    const used = this.#graph.ancestors([logits]);
    const parameters = [...this.#initials].flatMap(([value, initial]) => (used.has(value) ? [{ value, initial }] : []));
    return { graph: this.#graph, parameters, logits };
  }

  #checkOperatorSets(): void {
    for (const { domain, version } of this.#model.operatorSets) {
      if (domain === "" && (version < OPERATOR_SETS.least || version > OPERATOR_SETS.most)) {
        throw new ModelError(
          `it uses operator set ${version}`,
          `Export with an operator set from ${OPERATOR_SETS.least} to ${OPERATOR_SETS.most}.`,
        );
      }
    }
  }

  #define(name: string, value: Imported): void {
    if (this.#values.has(name)) throw new ModelError(`it defines "${name}" twice`, "Export the model again.");
    this.#values.set(name, value);
  }

  #importInitializer(tensor: OnnxTensor): Imported {
    if (tensor.type !== OnnxType.float32) return hostOrThrow(tensor, tensor.name);
    const initial = weightWords(tensor, tensor.name);
    const value = state(this.#graph, tensor.name, tensor.dimensions);
    this.#initials.set(value, initial);
    return value;
  }

  #importInput(): void {
    // Old files list the initializers among the inputs.
    const inputs = this.#model.graph.inputs.filter(({ name }) => !this.#values.has(name));
    const input = inputs[0];
    if (input === undefined || inputs.length > 1) {
      throw new ModelError(`it has ${inputs.length} inputs`, "Export a model whose one input are the tokens.");
    }
    if (input.type !== OnnxType.int64 && input.type !== OnnxType.int32) {
      throw new ModelError(`its input "${input.name}" is not int64 or int32`, "The input are token numbers.");
    }
    this.#checkInputShape(input);
    this.#define(input.name, field(this.#graph, this.#field, this.#batch));
  }

  #checkInputShape({ name, dimensions }: OnnxValueInfo): void {
    const expected = [this.#batch, this.#field.width];
    const fits =
      dimensions !== null &&
      dimensions.length === expected.length &&
      dimensions.every((dimension, axis) => typeof dimension === "string" || dimension === expected[axis]);
    if (!fits) {
      throw new ModelError(
        `its input "${name}" is [${dimensions ?? "of unknown rank"}], not [${expected}] (batch, context)`,
        "Export with a dynamic batch axis, or with the task's batch size and context.",
      );
    }
  }

  #importNode(node: OnnxNode): void {
    const at = { node: node.name || node.outputs[0] || "unnamed", operator: node.operator };
    const importer = node.domain === "" ? IMPORTERS.get(node.operator) : undefined;
    if (importer === undefined) {
      const operator = node.domain === "" ? node.operator : `${node.domain}.${node.operator}`;
      throw new ModelError(`operator ${operator} is not supported`, nearestForm(node.operator), at);
    }
    if (node.outputs.filter((output) => output !== "").length !== 1) {
      throw new ModelError(`it has ${node.outputs.length} outputs`, "Nodes with one output are supported.", at);
    }
    const error = (problem: string, remedy: string) => new ModelError(problem, remedy, at);
    this.#define(node.outputs[0]!, importer(this.#context(node, error)));
  }

  #context(node: OnnxNode, error: ImportContext["error"]): ImportContext {
    const graph = this.#graph;
    const has = (index: number) => (node.inputs[index] ?? "") !== "";
    const input = (index: number): Imported => {
      const name = node.inputs[index] ?? "";
      const value = this.#values.get(name);
      if (value === undefined) {
        throw error(
          has(index) ? `its input "${name}" is not defined before it` : `it lacks input ${index}`,
          "Export the model again, with its weights inside the file.",
        );
      }
      return value;
    };
    const attribute = <K extends string>(name: string, kind: K) => {
      const value = node.attributes[name];
      if (value === undefined) return null;
      if (value.kind !== kind) throw error(`its attribute ${name} is not of kind ${kind}`, "Export the model again.");
      return value as Extract<typeof value, { kind: K }>;
    };
    return {
      graph,
      has,
      input,
      error,
      tensor: (index, ...dtypes) => {
        const value = input(index);
        const allowed = dtypes.length === 0 ? [Dtype.float32] : dtypes;
        if (isHost(value) || !allowed.includes(graph.node(value).dtype)) {
          const wanted = allowed.map((dtype) => (dtype === Dtype.float32 ? "float32" : "int32")).join(" or ");
          throw error(`its input "${node.inputs[index]}" is not a ${wanted} tensor`, "Check what feeds it.");
        }
        return value;
      },
      integer: (name, absent) => attribute(name, "int")?.value ?? absent,
      float: (name, absent) => attribute(name, "float")?.value ?? absent,
      integers: (index, name) => {
        if (index === null || !has(index)) return attribute(name, "ints")?.value ?? null;
        const value = input(index);
        if (!isHost(value)) throw error(`its ${name} are not constant`, "Export with static shapes.");
        return value.values;
      },
      constantTensor: (name) => {
        const tensor = attribute(name, "tensor")?.value ?? null;
        if (tensor === null) return null;
        if (tensor.type !== OnnxType.float32) return hostOrThrow(tensor, node.outputs[0]!);
        const words = weightWords(tensor, node.outputs[0]!);
        return constant(graph, node.outputs[0]!, { dtype: Dtype.float32, shape: tensor.dimensions, words });
      },
      axis: (axis, rank) => {
        const index = axis < 0 ? axis + rank : axis;
        if (!(index >= 0 && index < rank)) throw error(`axis ${axis} is not one of ${rank}`, "Correct the axis.");
        return index;
      },
    };
  }
}

/** The integers of a constant; other element types cannot take part in a model. */
function hostOrThrow(tensor: OnnxTensor, name: string): HostTensor {
  if (tensor.type !== OnnxType.int64 && tensor.type !== OnnxType.int32) {
    throw new ModelError(`constant "${name}" has element type ${tensor.type}`, "Export the model in float32.");
  }
  return { dimensions: tensor.dimensions, values: Array.from(tensor.data as Int32Array | BigInt64Array, Number) };
}

/** Flushed words of a float32 constant. */
function weightWords(tensor: OnnxTensor, name: string): Uint32Array {
  const values = tensor.data as Float32Array;
  if (values.length === 0) throw new ModelError(`constant "${name}" is empty`, "Export the model again.");
  const bad = values.findIndex((value) => !(Math.abs(value) <= MAX_MAGNITUDE));
  if (bad >= 0) {
    throw new ModelError(
      `word ${bad} of "${name}" is ${values[bad]}`,
      "Weights must be finite numbers of magnitude up to 2^20.",
    );
  }
  return new Uint32Array(values.buffer, values.byteOffset, values.length).map(flush);
}
