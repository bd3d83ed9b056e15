/**
 * One ONNX node against independent evaluations. `checkOperator` builds a model of that node alone and requires that
 *
 * - the program it is imported and lowered to is well-formed, with its gradients;
 * - the reference engine gives what ONNX Runtime gives for the node;
 * - the gradients are central differences of the program evaluated in binary64.
 *
 * A new operator is one more row in a table of cases.
 */
import assert from "node:assert/strict";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { differentiate } from "../../../shared/compile/differentiate.ts";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import { SourceGraph, type ValueId } from "../../../shared/graph/graph.ts";
import { lower } from "../../../shared/graph/lower.ts";
import { importModel } from "../../../shared/import/import.ts";
import { requireWellFormed } from "../../../shared/job/validate.ts";
import { elementwise } from "../../../shared/layers/elementwise.ts";
import { constant, field } from "../../../shared/layers/leaf.ts";
import { reshape } from "../../../shared/layers/reshape.ts";
import { sumAxes } from "../../../shared/layers/sum.ts";
import { decodeModel } from "../../../shared/onnx/decode.ts";
import { ELEMENT_ARRAY } from "../../../shared/onnx/elements.ts";
import { encodeModel } from "../../../shared/onnx/encode.ts";
import type { OnnxAttribute, OnnxModel, OnnxTensor } from "../../../shared/onnx/model.ts";
import { OnnxType } from "../../../shared/onnx/model.ts";
import { Dtype, wordCount } from "../../../shared/program/descriptor.ts";
import type { Program, SampleField, Tensor } from "../../../shared/program/program.ts";
import { evaluate64, numbers64 } from "../../helpers/evaluate64.ts";
import { Random } from "../../helpers/random.ts";

/** An input of the node. */
export type CaseInput =
  /** A float32 input of the model, through which gradients are checked. `least` and `most` bound random elements, by default ±1. */
  | {
      readonly kind: "float";
      readonly shape: readonly number[];
      readonly least?: number;
      readonly most?: number;
      readonly values?: readonly number[];
      /** Random elements stay this far from each of these numbers (kinks and poles). */
      readonly avoid?: readonly number[];
    }
  /** A float32 initializer: a parameter. */
  | {
      readonly kind: "parameter";
      readonly shape: readonly number[];
      readonly least?: number;
      readonly most?: number;
      readonly values?: readonly number[];
      readonly avoid?: readonly number[];
    }
  /** An int64 input of the model, elements in [0, below). */
  | {
      readonly kind: "integer";
      readonly shape: readonly number[];
      readonly below: number;
      readonly values?: readonly number[];
    }
  /** A Constant node. */
  | {
      readonly kind: "constant";
      readonly type: OnnxType;
      readonly shape: readonly number[];
      readonly values: readonly number[];
    }
  /** An optional input that is left out. */
  | { readonly kind: "omitted" };

export interface OperatorCase extends Precision {
  readonly operator: string;
  readonly inputs: readonly CaseInput[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Version of the operator set; by default 17. */
  readonly operatorSet?: number;
  /** Outputs that the node names; by default 1. */
  readonly outputs?: number;
  /** What tells this case from others of the operator, for the test's name. */
  readonly note?: string;
}

/** How closely a program must agree. */
export interface Precision {
  /** Greatest error of an element, relative where it is above 1; by default 2e-6. */
  readonly tolerance?: number;
  /** false where the node has no gradient by its nature (comparisons, integers). */
  readonly differentiable?: boolean;
  /** Greatest error of a gradient, as `tolerance`; by default 1e-4. */
  readonly gradientTolerance?: number;
  /** Gradients are checked at every n-th element; by default at each. */
  readonly gradientStride?: number;
}

export const float = (shape: readonly number[], rest: Partial<CaseInput & { kind: "float" }> = {}): CaseInput => ({
  kind: "float",
  shape,
  ...rest,
});
export const parameter = (
  shape: readonly number[],
  rest: Partial<CaseInput & { kind: "parameter" }> = {},
): CaseInput => ({ kind: "parameter", shape, ...rest });
export const integer = (shape: readonly number[], below: number, values?: readonly number[]): CaseInput => ({
  kind: "integer",
  shape,
  below,
  ...(values === undefined ? {} : { values }),
});
export const omitted: CaseInput = { kind: "omitted" };
export function constantOf(type: OnnxType, shape: readonly number[], values: readonly number[]): CaseInput {
  return { kind: "constant", type, shape, values };
}
/** A list of int64, such as axes or a shape. */
export const int64s = (...values: number[]): CaseInput => constantOf(OnnxType.int64, [values.length], values);
/** A float32 scalar. */
export const scalar = (value: number): CaseInput => constantOf(OnnxType.float32, [], [value]);

export const int = (value: number): OnnxAttribute => ({ kind: "int", value });
export const ints = (...value: number[]): OnnxAttribute => ({ kind: "ints", value });
export const floatAttribute = (value: number): OnnxAttribute => ({ kind: "float", value });
export const string = (value: string): OnnxAttribute => ({ kind: "string", value });
export const strings = (...value: string[]): OnnxAttribute => ({ kind: "strings", value });

const DEFAULT_TOLERANCE = 2e-6;
const DEFAULT_GRADIENT_TOLERANCE = 1e-4;
const STEP = 1e-3;
/** Distance from a number to avoid. */
const DISTANCE = 0.05;

export function caseName({ operator, note, attributes, inputs, operatorSet }: OperatorCase): string {
  const shapes = inputs.map((input) => (input.kind === "omitted" ? "–" : `[${input.shape}]`)).join(" ");
  const said = Object.entries(attributes ?? {}).map(([name, attribute]) =>
    "value" in attribute && attribute.kind !== "tensor" ? `${name}=${attribute.value}` : name,
  );
  const set = operatorSet === undefined ? [] : [`opset ${operatorSet}`];
  return [operator, shapes, ...said, ...set, ...(note === undefined ? [] : [`(${note})`])].join(" ");
}

/** @param seed of the random elements. */
export async function checkOperator(row: OperatorCase, seed = 1): Promise<void> {
  const named = new Map(row.inputs.map((input, i) => [`x${i}`, input]));
  const values = elementsOf(named, seed);
  const model = modelOf(row, values);
  await compareModel(model, encodeModel(model), named, values, row);
}

/** A whole model, given as bytes: the same as `checkOperator` for its inputs, which are named; its parameters are the file's. */
export async function checkModel(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, CaseInput>>,
  precision: Precision = {},
  seed = 1,
): Promise<void> {
  const named = new Map(Object.entries(inputs));
  await compareModel(decodeModel(bytes), bytes, named, elementsOf(named, seed), precision);
}

type NamedInputs = ReadonlyMap<string, CaseInput>;
type Values = ReadonlyMap<string, Float64Array>;

async function compareModel(
  model: OnnxModel,
  bytes: Uint8Array,
  named: NamedInputs,
  values: Values,
  precision: Precision,
): Promise<void> {
  const expected = await nativeOutputs(bytes, model, named, values);
  const imported = importCase(model, named, values);
  assert.equal(imported.outputs.length, expected.length);
  const isDifferentiable = precision.differentiable ?? true;
  for (const [index, output] of imported.outputs.entries()) {
    const program = programOf(imported, output, isDifferentiable);
    requireWellFormed(program);
    await compareForward(program, imported, precision, values, expected[index]!);
    if (isDifferentiable) compareGradients(program, imported, precision, values);
  }
}

interface ImportedCase {
  readonly graph: SourceGraph;
  readonly outputs: readonly ValueId[];
  readonly outputShapes: readonly (readonly number[])[];
  readonly fields: readonly SampleField[];
  /** Each float input and parameter, with its elements. */
  readonly leaves: readonly { readonly value: ValueId; readonly elements: Float64Array }[];
}

function elementsOf(named: NamedInputs, seed: number): Values {
  const random = new Random(seed);
  const values = new Map<string, Float64Array>();
  for (const [name, input] of named) {
    if (input.kind === "omitted") continue;
    if (input.values !== undefined) values.set(name, Float64Array.from(input.values));
    else
      values.set(
        name,
        Float64Array.from({ length: wordCount(input.shape) }, () => randomElement(input, random)),
      );
  }
  return values;
}

function randomElement(input: Exclude<CaseInput, { kind: "omitted" }>, random: Random): number {
  if (input.kind === "integer") return random.below(input.below);
  if (input.kind === "constant") throw new RangeError("a constant has values");
  const { least = -1, most = 1, avoid = [] } = input;
  for (;;) {
    const value = Math.fround(least + (most - least) * random.unit());
    if (avoid.every((pole) => Math.abs(value - pole) > DISTANCE)) return value;
  }
}

function tensorOf(name: string, type: OnnxType, dimensions: readonly number[], values: ArrayLike<number>): OnnxTensor {
  const data =
    type === OnnxType.int64
      ? BigInt64Array.from(Array.from(values), BigInt)
      : (ELEMENT_ARRAY[type] as unknown as { from(values: ArrayLike<number>): OnnxTensor["data"] }).from(values);
  return { name, type, dimensions, data };
}

function modelOf(row: OperatorCase, values: Values): OnnxModel {
  const names = row.inputs.map((input, i) => (input.kind === "omitted" ? "" : `x${i}`));
  const outputs = Array.from({ length: row.outputs ?? 1 }, (_, i) => `y${i}`);
  const constants = row.inputs.flatMap((input, i) =>
    input.kind !== "constant"
      ? []
      : [
          {
            name: "",
            operator: "Constant",
            domain: "",
            inputs: [],
            outputs: [`x${i}`],
            attributes: {
              value: { kind: "tensor", value: tensorOf("", input.type, input.shape, values.get(`x${i}`)!) },
            } as const,
          },
        ],
  );
  const node = {
    name: "node",
    operator: row.operator,
    domain: "",
    inputs: names,
    outputs,
    attributes: row.attributes ?? {},
  };
  return {
    irVersion: 8,
    producer: "",
    operatorSets: [{ domain: "", version: row.operatorSet ?? 17 }],
    graph: {
      name: "case",
      nodes: [...constants, node],
      initializers: row.inputs.flatMap((input, i) =>
        input.kind === "parameter" ? [tensorOf(`x${i}`, OnnxType.float32, input.shape, values.get(`x${i}`)!)] : [],
      ),
      inputs: row.inputs.flatMap((input, i) =>
        input.kind === "float" || input.kind === "integer"
          ? [
              {
                name: `x${i}`,
                type: input.kind === "float" ? OnnxType.float32 : OnnxType.int64,
                dimensions: input.shape,
              },
            ]
          : [],
      ),
      // No type and no shape: ONNX Runtime infers them.
      outputs: outputs.map((name) => ({ name, type: 0, dimensions: null })),
    },
  };
}

interface NativeOutput {
  readonly dimensions: readonly number[];
  readonly values: readonly number[];
}

async function nativeOutputs(
  bytes: Uint8Array,
  model: OnnxModel,
  named: NamedInputs,
  values: Values,
): Promise<NativeOutput[]> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds: Record<string, OrtTensor> = {};
  for (const [name, input] of named) {
    const elements = values.get(name)!;
    if (input.kind === "float") feeds[name] = new OrtTensor("float32", Float32Array.from(elements), input.shape);
    if (input.kind === "integer")
      feeds[name] = new OrtTensor("int64", BigInt64Array.from([...elements], BigInt), input.shape);
  }
  const results = await session.run(feeds);
  await session.release();
  return model.graph.outputs.map(({ name }) => {
    const { dims, data } = results[name]!;
    return { dimensions: dims, values: Array.from(data as ArrayLike<number | bigint>, Number) };
  });
}

function importCase(model: OnnxModel, named: NamedInputs, values: Values): ImportedCase {
  const graph = new SourceGraph();
  const inputs = new Map<string, ValueId>();
  const fields: SampleField[] = [];
  const leaves: { value: ValueId; elements: Float64Array }[] = [];
  for (const [name, input] of named) {
    if (input.kind === "float") {
      const value = stateLeaf(graph, name, input.shape);
      leaves.push({ value, elements: values.get(name)! });
      inputs.set(name, value);
    } else if (input.kind === "integer") {
      const width = wordCount(input.shape.slice(1));
      const offset = fields.reduce((words, each) => words + each.width, 0);
      const bounds = { minimum: 0, maximum: input.below - 1 };
      const said: SampleField = { name, dtype: Dtype.int32, offset, width, ...bounds };
      fields.push(said);
      inputs.set(name, reshape(graph, field(graph, said, input.shape[0] ?? 1), input.shape));
    }
  }
  const imported = importModel(graph, model, { inputs });
  for (const { value, initial } of imported.parameters) {
    leaves.push({ value, elements: Float64Array.from(new Float32Array(initial.buffer)) });
  }
  const outputs = [...imported.outputs.values()];
  return {
    graph,
    fields:
      fields.length > 0 ? fields : [{ name: "none", dtype: Dtype.int32, offset: 0, width: 1, minimum: 0, maximum: 0 }],
    leaves,
    outputs,
    outputShapes: outputs.map((value) => [...graph.shape(value)]),
  };
}

function stateLeaf(graph: SourceGraph, name: string, shape: readonly number[]): ValueId {
  const id: ValueId = graph.add({
    name,
    layer: "state",
    inputs: [],
    dtype: Dtype.float32,
    shape,
    lower: (lowering) => lowering.state(id),
  });
  return id;
}

/** Weights of the sum that serves as the loss: fixed, different for every element, none small. */
function weightsOf(count: number): Float32Array {
  const random = new Random(count);
  return Float32Array.from({ length: count }, () => (random.chance(0.5) ? 1 : -1) * (0.5 + random.unit() / 2));
}

/** The program with the given output as its logits, a weighted sum of it as its loss, and the gradients as next states. */
function programOf({ graph, fields, leaves }: ImportedCase, output: ValueId, differentiable: boolean): Program {
  const shape = graph.shape(output);
  const logits = elementwise(
    graph,
    "out",
    "identity",
    [output],
    (_, [x]) => x!,
    (upstream) => [[output, upstream!]],
  );
  const weights = weightsOf(wordCount(shape));
  const factor = constant(graph, "weights", { dtype: Dtype.float32, shape, words: new Uint32Array(weights.buffer) });
  const weighted = elementwise(graph, "weighted", "weighted", [logits, factor], (map, [x, w]) =>
    map.flush(map.mul(x!, w!)),
  );
  const total = sumAxes(graph, reshape(graph, weighted, [wordCount(shape)]), 0, 1, "total");
  const loss = elementwise(
    graph,
    "loss",
    "identity",
    [total],
    (_, [x]) => x!,
    () => [[logits, elementwise(graph, "weights.copy", "identity", [factor], (_, [w]) => w!)]],
  );
  const used = differentiable
    ? differentiate(
        graph,
        loss,
        leaves.map(({ value }) => value),
      )
    : [];
  const state = leaves.map(({ value }, i) => {
    const gradient = used[i] ?? null;
    const next =
      gradient === null
        ? null
        : elementwise(graph, `${graph.name(value)}.next`, "flush", [gradient], (map, [x]) => map.flush(x!));
    return { value, next };
  });
  // A program has state.
  const held = state.length > 0 ? state : [{ value: stateLeaf(graph, "held", [1]), next: null }];
  return lower({ graph, state: held, loss, logits, fields, scheduleColumns: [] });
}

function words(values: Float64Array): Uint32Array {
  return new Uint32Array(Float32Array.from(values).buffer);
}

async function compareForward(
  program: Program,
  { leaves }: ImportedCase,
  precision: Precision,
  values: Values,
  expected: NativeOutput,
): Promise<void> {
  const state = program.state.map(({ dtype, shape }, p): Tensor => {
    const leaf = leaves[p];
    return { dtype, shape, words: leaf === undefined ? new Uint32Array(1) : words(leaf.elements) };
  });
  const batches = new Map<number, Tensor>();
  for (const [at, { name, operator }] of program.operators.entries()) {
    if (operator.family !== "batch") continue;
    const { dtype, shape } = operator;
    batches.set(at, { dtype, shape, words: Uint32Array.from(values.get(name)!) });
  }
  const trace = await new ReferenceEngine(program).trace({ state, batches, schedule: new Map() });
  const actual = numbers64(trace.outputs[program.logits!]!);
  const { shape } = program.operators[program.logits!]!.operator;
  assert.deepEqual([...shape], [...expected.dimensions], "the shape of the output");
  const tolerance = precision.tolerance ?? DEFAULT_TOLERANCE;
  for (const [i, value] of expected.values.entries()) {
    const error = Math.abs(actual[i]! - value);
    assert.ok(
      error <= tolerance * Math.max(1, Math.abs(value)),
      `element ${i} is ${actual[i]}, in ONNX Runtime ${value}`,
    );
  }
}

function compareGradients(program: Program, { leaves }: ImportedCase, precision: Precision, values: Values): void {
  const state = program.state.map((_, p) => Float64Array.from(leaves[p]?.elements ?? [0]));
  const sources: Record<string, readonly number[]> = {};
  for (const { name, operator } of program.operators)
    if (operator.family === "batch") sources[name] = [...values.get(name)!];
  const outputs = evaluate64(program, { state, sources });
  const loss = (): number => evaluate64(program, { state, sources })[program.loss]![0]!;
  const tolerance = precision.gradientTolerance ?? DEFAULT_GRADIENT_TOLERANCE;
  for (const [p, tensor] of program.state.entries()) {
    const gradient = tensor.source === null ? null : outputs[tensor.source]!;
    const elements = state[p]!;
    for (let i = 0; i < elements.length; i += precision.gradientStride ?? 1) {
      const before = elements[i]!;
      elements[i] = before + STEP;
      const above = loss();
      elements[i] = before - STEP;
      const below = loss();
      elements[i] = before;
      const quotient = (above - below) / (2 * STEP);
      const actual = gradient?.[i] ?? 0;
      assert.ok(
        Math.abs(actual - quotient) <= tolerance * Math.max(1, Math.abs(quotient)),
        `gradient of ${tensor.name}[${i}] is ${actual}, the difference quotient ${quotient}`,
      );
    }
  }
}
