/** Typed ONNX model → nodes of a source graph. Shapes are static: the batch axis is as long as the inputs that are given. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { ImportContext, Imported, Importer } from "../layers/importer.ts";
import { isHost } from "../layers/importer.ts";
import { constant, state } from "../layers/leaf.ts";
import { IMPORTERS, nearestForm } from "../layers/registry.ts";
import { reshape } from "../layers/reshape.ts";
import type { HostTensor } from "../onnx/host.ts";
import { hostOf, isFloat } from "../onnx/host.ts";
import type { OnnxModel, OnnxNode, OnnxTensor, OnnxValueInfo } from "../onnx/model.ts";
import { OnnxType } from "../onnx/model.ts";
import { recognise } from "../onnx/recognise/recognise.ts";
import { trainedInitializers } from "../onnx/trained.ts";
import { heldType } from "../onnx/widen.ts";
import { Dtype } from "../program/descriptor.ts";
import { ModelError } from "../program/errors.ts";
import { declaredShape } from "./declaredShape.ts";
import { FOLDS, requiredInputs } from "./fold/fold.ts";
import { nodeContext } from "./nodeContext.ts";
import { constantTensor, weightWords } from "./words.ts";

/** Operator sets whose definitions of the supported operators are the ones implemented here. */
const OPERATOR_SETS = { least: 9, most: 25 };

export interface ImportOptions {
  /**
   * What the model's inputs are, by name: tensors of the inputs' declared shapes, or with the same words in row-major order under any other
   * shape whose first axis is the batch (a sample field [batch, width]).
   */
  readonly inputs: ReadonlyMap<string, ValueId>;
  /** Tensors to use instead of initializers of the model, by the initializers' names: parameters that an earlier import has made. */
  readonly parameters?: ReadonlyMap<string, ValueId>;
  /** Put before the names of new parameters, where a graph holds several models. */
  readonly prefix?: string;
  /** false: as for evaluation, where nothing is dropped and running statistics are used. */
  readonly training?: boolean;
  /**
   * Told of everything that cannot be imported, where by default the first such thing is thrown. What depends on it is passed over; outputs
   * that do are left out.
   */
  readonly onProblem?: (error: ModelError) => void;
}

/** What they give is known whatever they are given. */
const SHAPES = new Set(["Shape", "Size"]);

/** A node depends on something that has been reported. */
class DependsOnProblem extends Error {}

/** A float initializer that has become a state tensor (`onnx/trained.ts`). */
export interface Parameter {
  /** The name in the file, without the prefix. */
  readonly name: string;
  readonly value: ValueId;
  /** Flushed float32 words. */
  readonly initial: Uint32Array;
}

/** What the forward pass itself does to a parameter, which then is none of the optimizer's; `next` null: it stays as it is. */
export interface ForwardUpdate {
  readonly name: string;
  /** The parameter, or what the import was given in its place. */
  readonly value: ValueId;
  readonly next: ValueId | null;
}

export interface ImportedModel {
  /** By name, in the order of the file. Integers are int32, truth values are float32 0 and 1. */
  readonly outputs: ReadonlyMap<string, ValueId>;
  /** Every new state tensor that an output or an update depends on, in the order of the file. */
  readonly parameters: readonly Parameter[];
  readonly updates: readonly ForwardUpdate[];
}

/** The inputs that a model asks for; old files list the initializers among them. */
export function modelInputs({ graph }: OnnxModel): readonly OnnxValueInfo[] {
  const initialized = new Set(graph.initializers.map(({ name }) => name));
  return graph.inputs.filter(({ name }) => !initialized.has(name));
}

/**
 * Reads a forward model into a graph.
 * @throws ModelError naming the node when the model cannot be trained here.
 */
export function importModel(graph: SourceGraph, model: OnnxModel, options: ImportOptions): ImportedModel {
  return new ModelImport(graph, recognise(model), options).run();
}

class ModelImport {
  readonly #graph: SourceGraph;
  readonly #model: OnnxModel;
  readonly #options: ImportOptions;
  readonly #operatorSet: number;
  readonly #trained: ReadonlySet<string>;
  readonly #values = new Map<string, Imported>();
  /** Outputs that their node's importer does not compute, with what is said when one is used. */
  readonly #absent = new Map<string, string>();
  /** Names that stand for nothing, because of a problem that has been reported. */
  readonly #failed = new Set<string>();
  /** Those of them that depend on data or parameters, so that they are no known numbers. */
  readonly #failedData = new Set<string>();
  readonly #parameters: Parameter[] = [];
  /** Names in the file of the parameters and of what was given in their place. */
  readonly #parameterNames = new Map<ValueId, string>();
  readonly #updates = new Map<ValueId, ForwardUpdate>();
  /** Constants of the program by the host tensor that they hold. */
  readonly #constants = new Map<HostTensor, ValueId>();

  constructor(graph: SourceGraph, model: OnnxModel, options: ImportOptions) {
    this.#graph = graph;
    this.#model = model;
    this.#options = options;
    this.#trained = trainedInitializers(model);
    this.#operatorSet = model.operatorSets.find(({ domain }) => domain === "")?.version ?? OPERATOR_SETS.most;
  }

  run(): ImportedModel {
    this.#attempt([], () => this.#requireOperatorSet());
    const { nodes, initializers } = this.#model.graph;
    for (const tensor of initializers) {
      const { name } = tensor;
      this.#attempt([name], () => this.#define(name, this.#importInitializer(tensor)), this.#trained.has(name));
    }
    for (const input of modelInputs(this.#model)) {
      this.#attempt([input.name], () => this.#define(input.name, this.#importInput(input)), true);
    }
    for (const node of nodes) {
      const isKnown = SHAPES.has(node.operator) || !node.inputs.some((name) => this.#isData(name));
      this.#attempt(node.outputs, () => this.#importNode(node), !isKnown);
    }
    const outputs = this.#outputs();
    const updates = [...this.#updates.values()];
    const used = this.#graph.ancestors([
      ...outputs.values(),
      ...updates.flatMap(({ value, next }) => (next === null ? [] : [value, next])),
    ]);
    return { outputs, parameters: this.#parameters.filter(({ value }) => used.has(value)), updates };
  }

  #requireOperatorSet(): void {
    if (this.#operatorSet < OPERATOR_SETS.least || this.#operatorSet > OPERATOR_SETS.most) {
      throw new ModelError(
        `it uses operator set ${this.#operatorSet}`,
        `Export with an operator set from ${OPERATOR_SETS.least} to ${OPERATOR_SETS.most}.`,
      );
    }
  }

  /** Whether a name stands, or would stand, for what depends on data or parameters. */
  #isData(name: string): boolean {
    const value = this.#values.get(name);
    return value === undefined ? this.#failedData.has(name) : !isHost(value);
  }

  /**
   * Does something that should define the given names; a problem is reported, where somebody wants to be told.
   * @param isData whether they depend on data or parameters.
   */
  #attempt(names: readonly string[], action: () => void, isData = false): void {
    const { onProblem } = this.#options;
    if (onProblem === undefined) {
      action();
      return;
    }
    try {
      action();
    } catch (error) {
      for (const name of names) this.#failed.add(name);
      if (isData) for (const name of names) this.#failedData.add(name);
      if (error instanceof ModelError) onProblem(error);
      // Layers throw RangeErrors where their importers should have checked.
      else if (error instanceof RangeError) onProblem(new ModelError(error.message, "Correct the shapes."));
      else if (!(error instanceof DependsOnProblem)) throw error;
    }
  }

  #outputs(): Map<string, ValueId> {
    const outputs = new Map<string, ValueId>();
    for (const { name } of this.#model.graph.outputs) {
      if (this.#failed.has(name)) continue;
      this.#attempt([name], () => {
        const value = this.#values.get(name);
        if (value === undefined) {
          throw new ModelError(`no node computes its output "${name}"`, "Export the model again.");
        }
        if (outputs.has(name)) throw new ModelError(`it has the output "${name}" twice`, "Export the model again.");
        outputs.set(name, isHost(value) ? this.#constant(value, name) : value);
      });
    }
    return outputs;
  }

  #define(name: string, value: Imported): void {
    if (this.#values.has(name)) throw new ModelError(`it defines "${name}" twice`, "Export the model again.");
    this.#values.set(name, value);
  }

  #importInitializer(tensor: OnnxTensor): Imported {
    const { name, dimensions } = tensor;
    if (!this.#trained.has(name)) return hostOf(tensor);
    const given = this.#options.parameters?.get(name);
    if (given !== undefined) {
      if (`${this.#graph.shape(given)}` !== `${dimensions}`) {
        throw new RangeError(`"${name}" is [${dimensions}], what is given for it [${this.#graph.shape(given)}]`);
      }
      this.#parameterNames.set(given, name);
      return given;
    }
    const initial = weightWords(tensor);
    const value = state(this.#graph, `${this.#options.prefix ?? ""}${name}`, dimensions);
    this.#parameters.push({ name, value, initial });
    this.#parameterNames.set(value, name);
    return value;
  }

  #importInput({ name, type, dimensions }: OnnxValueInfo): Imported {
    const given = this.#options.inputs.get(name);
    if (given === undefined) {
      throw new ModelError(
        `its input "${name}" is not among those given: ${[...this.#options.inputs.keys()].join(", ") || "none"}`,
        "Name a sample field after each of its inputs.",
      );
    }
    const { dtype, shape } = this.#graph.node(given);
    const held = heldType(type);
    if (held === null || held === OnnxType.bool) {
      throw new ModelError(
        `its input "${name}" has element type ${type}`,
        "Inputs are integers or float numbers: cast to truth values inside the model.",
      );
    }
    const isInteger = !isFloat(held);
    if (isInteger !== (dtype === Dtype.int32)) {
      throw new ModelError(
        `its input "${name}" takes ${isInteger ? "integers" : "float32 numbers"} and is given ${isInteger ? "float32 numbers" : "integers"}`,
        "Give the sample field the input's type.",
      );
    }
    const declared = declaredShape(dimensions, shape);
    if (declared === null) {
      throw new ModelError(
        `its input "${name}" is [${dimensions ?? "of unknown rank"}], not [${shape}]`,
        "Export with a dynamic batch axis, or with the task's batch size; the other axes must have as many elements as the sample field.",
      );
    }
    return reshape(this.#graph, given, declared);
  }

  #importNode(node: OnnxNode): void {
    const at = { node: node.name || node.outputs[0] || "unnamed", operator: node.operator };
    const context = this.#context(node, at);
    // An operator that is not supported is told even where its inputs are in doubt; of known numbers more are.
    if (node.inputs.some((name) => this.#failed.has(name))) {
      const isData = node.inputs.some((name) => this.#isData(name));
      if (node.domain !== "" || isData || !FOLDS.has(node.operator)) this.#importerOf(node, at);
      throw new DependsOnProblem();
    }
    const imported = named(context, () => this.#fold(node, context) ?? this.#importerOf(node, at)(context));
    const values: readonly Imported[] = Array.isArray(imported) ? imported : [imported as Imported];
    for (const [index, name] of node.outputs.entries()) {
      if (name === "") continue;
      const value = values[index];
      if (value !== undefined) this.#define(name, value);
      else this.#absent.set(name, `output ${index} of node "${at.node}" (${at.operator}), which is not supported`);
    }
  }

  /** What a node gives whose inputs are all known numbers; null where they are not, or where its operator has to be imported. */
  #fold({ domain, operator, inputs }: OnnxNode, context: ImportContext): HostTensor | readonly HostTensor[] | null {
    const fold = domain === "" ? FOLDS.get(operator) : undefined;
    if (fold === undefined) return null;
    const count = Math.max(inputs.length, requiredInputs(operator));
    const values = Array.from({ length: count }, (_, index) =>
      index >= requiredInputs(operator) && !context.has(index) ? null : context.input(index),
    );
    return values.every((value) => value === null || isHost(value)) ? fold(context, values) : null;
  }

  #importerOf({ domain, operator }: OnnxNode, at: { node: string; operator: string }): Importer {
    const importer = domain === "" ? IMPORTERS.get(operator) : undefined;
    if (importer !== undefined) return importer;
    const named = domain === "" ? operator : `${domain}.${operator}`;
    const problem =
      domain === "" && FOLDS.has(operator)
        ? `operator ${operator} is supported where all its inputs are constant`
        : `operator ${named} is not supported`;
    throw new ModelError(problem, nearestForm(operator), at);
  }

  #context(node: OnnxNode, at: { node: string; operator: string }): ImportContext {
    return nodeContext(node, at, {
      graph: this.#graph,
      operatorSet: this.#operatorSet,
      training: this.#options.training ?? true,
      value: (name) => this.#values.get(name),
      absence: (name) => this.#absent.get(name),
      constant: (host, name) => this.#constant(host, name),
      stateUpdate: (value, next) => {
        const name = this.#parameterNames.get(value);
        if (name !== undefined) this.#updates.set(value, { name, value, next });
        return name !== undefined;
      },
    });
  }

  /** Known numbers as a constant of the program. */
  #constant(host: HostTensor, name: string): ValueId {
    const known = this.#constants.get(host) ?? constant(this.#graph, name, constantTensor(host, name));
    this.#constants.set(host, known);
    return known;
  }
}

/** Does something for a node; what it throws without saying where names the node. */
function named<T>(context: ImportContext, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof ModelError && error.node === null) throw context.error(error.problem, error.remedy ?? "");
    // Layers throw RangeErrors where their importers should have checked.
    if (error instanceof RangeError) throw context.error(error.message, "Correct the shapes.");
    throw error;
  }
}
