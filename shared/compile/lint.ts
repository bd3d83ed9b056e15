/** Everything that stands between a model and its training, not only the first of it. */

import { SourceGraph, type ValueId } from "../graph/graph.ts";
import { lower, type StateEntry, type StepGraph } from "../graph/lower.ts";
import { type ImportedModel, importModel, modelInputs } from "../import/import.ts";
import { validate } from "../job/validate.ts";
import { elementwise } from "../layers/elementwise.ts";
import { expand } from "../layers/expand.ts";
import { constant, field } from "../layers/leaf.ts";
import { reshape } from "../layers/reshape.ts";
import { sumAxes } from "../layers/sum.ts";
import { isFloat } from "../onnx/host.ts";
import type { OnnxModel, OnnxValueInfo } from "../onnx/model.ts";
import { trainedInitializers } from "../onnx/trained.ts";
import { heldType } from "../onnx/widen.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { ModelError } from "../program/errors.ts";
import type { SampleField } from "../program/program.ts";
import { differentiate } from "./differentiate.ts";
import { inferenceWarnings, softmaxOutputs } from "./modelWarnings.ts";
import { isUserStep, stepParts } from "./userStep.ts";

export interface LintFinding {
  /** The node in the file, and its operator; null for what concerns the model as a whole. */
  readonly node: string | null;
  readonly operator: string | null;
  readonly problem: string;
  readonly remedy: string | null;
}

/** A tensor of the model, with its length along each axis. */
export interface LintTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface LintReport {
  readonly findings: readonly LintFinding[];
  /** What can be trained and is probably not meant. */
  readonly warnings: readonly string[];
  readonly nodes: number;
  /** How many nodes each operator has, as written in the file. */
  readonly operators: Readonly<Record<string, number>>;
  readonly inputs: readonly LintTensor[];
  /** Those that could be imported. */
  readonly outputs: readonly LintTensor[];
  /** What an optimizer would train. Where something cannot be imported, all initializers that look like it. */
  readonly parameters: readonly LintTensor[];
  /** Running statistics, which the forward pass itself moves. */
  readonly statistics: readonly LintTensor[];
}

export interface LintOptions {
  /** Length of the batch axis where the model leaves it open; by default 4. */
  readonly batch?: number;
  /** Length of every other axis that it leaves open; by default 8. */
  readonly length?: number;
}

/** Greatest magnitude of data (docs/numerics.md, section 4). */
const MAX_MAGNITUDE = 2 ** 20;

/**
 * Reads the whole model and tells what cannot be imported; where everything can, whether each parameter can be trained, and whether the
 * program of forward and backward pass is well-formed. A file that is a whole step (outputs `NAME.next`) is checked as one.
 */
export function lintModel(model: OnnxModel, { batch = 4, length = 8 }: LintOptions = {}): LintReport {
  const findings: LintFinding[] = [];
  const graph = new SourceGraph();
  const fields: SampleField[] = [];
  const inputs = new Map<string, ValueId>();
  for (const input of modelInputs(model)) {
    const shape = (input.dimensions ?? []).map((size, axis) =>
      typeof size === "number" ? size : axis === 0 ? batch : length,
    );
    inputs.set(input.name, dataInput(graph, fields, input, shape));
  }
  const imported = attempt(findings, () =>
    importModel(graph, model, { inputs, onProblem: (error) => findings.push(findingOf(error)) }),
  );
  let state: readonly StateEntry[] | null = null;
  if (imported !== null && findings.length === 0)
    attempt(findings, () => {
      const step = isUserStep(model) ? stepParts(graph, imported) : trainingParts(graph, imported);
      state = step.state;
      checkStep({ graph, ...step }, fields, findings);
    });
  const operators: Record<string, number> = {};
  for (const { operator, domain } of model.graph.nodes) {
    const name = domain === "" ? operator : `${domain}.${operator}`;
    operators[name] = (operators[name] ?? 0) + 1;
  }
  const shapes = (values: Iterable<readonly [string, ValueId]>) =>
    Array.from(values, ([name, value]) => ({ name, shape: graph.shape(value) }));
  const known = state as readonly StateEntry[] | null;
  return {
    findings,
    warnings: isUserStep(model) ? [] : [...inferenceWarnings(model), ...softmaxRemarks(model)],
    nodes: model.graph.nodes.length,
    operators,
    inputs: shapes(inputs),
    outputs: shapes(imported?.outputs ?? []),
    ...(imported === null || known === null ? initializersOf(model) : tensorsOf(graph, imported, known)),
  };
}

type Tensors = Pick<LintReport, "parameters" | "statistics">;

/** What a step moves, by who moves it. */
function tensorsOf(graph: SourceGraph, { parameters, updates }: ImportedModel, state: readonly StateEntry[]): Tensors {
  const trained = new Set(state.flatMap(({ value, next }) => (next === null ? [] : [value])));
  const running = new Set(updates.flatMap(({ value, next }) => (next === null || trained.has(value) ? [] : [value])));
  const tensors = (values: ReadonlySet<ValueId>): LintTensor[] =>
    parameters.filter(({ value }) => values.has(value)).map(({ name, value }) => ({ name, shape: graph.shape(value) }));
  return { parameters: tensors(trained), statistics: tensors(running) };
}

/** What the file alone tells: the initializers that are parameters and that some node reads. */
function initializersOf(model: OnnxModel): Tensors {
  const { nodes, initializers } = model.graph;
  const statistics = new Set(
    nodes.flatMap(({ operator, inputs }) => (operator === "BatchNormalization" ? inputs.slice(3, 5) : [])),
  );
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const trained = trainedInitializers(model);
  const tensors = initializers
    .filter(({ name }) => trained.has(name) && read.has(name))
    .map(({ name, dimensions }) => ({ name, shape: dimensions }));
  return {
    parameters: tensors.filter(({ name }) => !statistics.has(name)),
    statistics: tensors.filter(({ name }) => statistics.has(name)),
  };
}

/** The loss is not known here. */
function softmaxRemarks(model: OnnxModel): string[] {
  return Array.from(
    softmaxOutputs(model),
    ([name, { operator }]) =>
      `its output "${name}" is a ${operator}: for the loss softmaxCrossEntropy, which takes the softmax itself, return the logits`,
  );
}

function attempt<T>(findings: LintFinding[], action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (error instanceof ModelError) findings.push(findingOf(error));
    // Layers throw RangeErrors where their importers should have checked.
    else if (error instanceof RangeError)
      findings.push(findingOf(new ModelError(error.message, "Correct the shapes.")));
    else throw error;
    return null;
  }
}

function findingOf(error: ModelError): LintFinding {
  const { node, operator, problem, remedy } = error;
  return { node, operator, problem, remedy: remedy ?? null };
}

/** An input as data of its shape; tokens are 0, which every table has. */
function dataInput(
  graph: SourceGraph,
  fields: SampleField[],
  { name, type }: OnnxValueInfo,
  shape: readonly number[],
): ValueId {
  const held = heldType(type);
  const isReal = held !== null && isFloat(held);
  const offset = fields.reduce((words, { width }) => words + width, 0);
  const said: SampleField = {
    name,
    dtype: isReal ? Dtype.float32 : Dtype.int32,
    offset,
    width: wordCount(shape.slice(1)),
    minimum: isReal ? -MAX_MAGNITUDE : 0,
    maximum: isReal ? MAX_MAGNITUDE : 0,
  };
  fields.push(said);
  return reshape(graph, field(graph, said, shape[0] ?? 1), shape);
}

/** A step that computes the gradient of the sum of all float outputs for every parameter. */
function trainingParts(
  graph: SourceGraph,
  { outputs, parameters, updates }: ImportedModel,
): Pick<StepGraph, "state" | "loss" | "logits"> {
  const moved = new Set(updates.map(({ value }) => value));
  const trained = parameters.filter(({ value }) => !moved.has(value));
  const predictions = [...outputs.values()].filter((value) => graph.node(value).dtype === Dtype.float32);
  if (trained.length === 0) throw new ModelError("it has no parameter", "Keep the weights as initializers.");
  if (predictions.length === 0) throw new ModelError("it has no float32 output", "Return what the loss compares.");
  const loss = sumOf(graph, predictions);
  const gradients = differentiate(
    graph,
    loss,
    trained.map(({ value }) => value),
  );
  const flushed = (value: ValueId): ValueId =>
    elementwise(graph, `${graph.name(value)}.next`, "flush", [value], (map, [x]) => map.flush(x!));
  const state = parameters.map(({ value }) => {
    const gradient = gradients[trained.findIndex((each) => each.value === value)] ?? null;
    return { value, next: gradient === null ? null : flushed(gradient) };
  });
  return { state, loss, logits: predictions[0]! };
}

/** Analyses the program of a step. */
function checkStep(
  step: Omit<StepGraph, "fields" | "scheduleColumns">,
  fields: readonly SampleField[],
  findings: LintFinding[],
): void {
  const samples =
    fields.length > 0 ? fields : [{ name: "none", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: 0 }];
  const program = lower({ ...step, fields: samples, scheduleColumns: [] });
  for (const { message } of validate(program)) {
    findings.push({
      node: null,
      operator: null,
      problem: message,
      remedy: "The rules are in docs/numerics.md, section 4.",
    });
  }
}

function sumOf(graph: SourceGraph, values: readonly ValueId[]): ValueId {
  const totals = values.map((value) => {
    const flat = reshape(graph, value, [wordCount(graph.shape(value))]);
    return sumAxes(graph, flat, 0, 1, `${graph.name(value)}.total`);
  });
  const one = constant(graph, "one", { dtype: Dtype.float32, shape: [], words: Uint32Array.of(0x3f800000) });
  return elementwise(
    graph,
    "loss",
    "sum",
    totals,
    (map, registers) => registers.reduce((sum, total) => map.add(sum, total)),
    () => values.map((value) => [value, expand(graph, one, graph.shape(value))] as const),
  );
}
