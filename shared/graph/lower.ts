/**
 * Source graph → canonical program. Nodes are lowered on demand from what the step must produce, so what nothing needs
 * is left out, and chains of elementwise nodes become one Map (docs/numerics.md, section 2).
 */
import { ceilLog2 } from "../numerics/log2.ts";
import type { Operand, Operator, Reference } from "../program/descriptor.ts";
import { Dtype, sameShape, wordCount } from "../program/descriptor.ts";
import type { NamedOperator, Program, SampleField, StateRole, StateTensor, Tensor } from "../program/program.ts";
import type { View } from "../program/view.ts";
import { broadcastStrides, operandOf, reshapeView, transposeView, wholeView } from "../program/view.ts";
import type { SourceGraph, ValueId } from "./graph.ts";
import type { MapParts, Register } from "./mapBuilder.ts";
import { MapBuilder } from "./mapBuilder.ts";

/** A state tensor, and the value that replaces it after the step, or null. */
export interface StateEntry {
  readonly value: ValueId;
  readonly next: ValueId | null;
  readonly role?: StateRole;
}

/** 2^-40, the least that Peak gives in mode 1. */
const LEAST_PEAK = 2 ** -40;

/** What a step computes, in terms of a source graph. */
export interface StepGraph {
  readonly graph: SourceGraph;
  /** State tensors in program order (`leaf.ts` state nodes). */
  readonly state: readonly StateEntry[];
  /** Words of the state nodes that are no state of this step: constants of the program. */
  readonly constants?: ReadonlyMap<ValueId, Uint32Array>;
  readonly loss: ValueId;
  readonly logits: ValueId;
  readonly fields: readonly SampleField[];
  readonly scheduleColumns: readonly string[];
}

export function lower(step: StepGraph): Program {
  return new Lowering(step).program();
}

/** The canonical program under construction: what a node's `lower` works on. */
export class Lowering {
  readonly #step: StepGraph;
  readonly #graph: SourceGraph;
  readonly #operators: NamedOperator[] = [];
  readonly #constants: Tensor[] = [];
  /** Constants by their dtype, shape and digest. */
  readonly #constantOf = new Map<string, readonly View[]>();
  readonly #views = new Map<ValueId, View>();
  readonly #peaks = new Map<string, View>();
  /** What the outputs of operators that only copy words are copies of. */
  readonly #originals = new Map<number, View>();
  readonly #names = new Set<string>();
  readonly #stateIndex: ReadonlyMap<ValueId, number>;
  readonly #roots: ReadonlySet<ValueId>;
  /** How many live nodes read a value. */
  readonly #readers = new Map<ValueId, number>();

  constructor(step: StepGraph) {
    this.#step = step;
    this.#graph = step.graph;
    this.#stateIndex = new Map(step.state.map(({ value }, index) => [value, index]));
    const updates = step.state.flatMap(({ next }) => (next === null ? [] : [next]));
    this.#roots = new Set([step.logits, step.loss, ...updates]);
    for (const id of this.#graph.ancestors(this.#roots)) {
      for (const input of this.#graph.node(id).inputs) this.#readers.set(input, (this.#readers.get(input) ?? 0) + 1);
    }
  }

  program(): Program {
    const logits = this.#whole(this.#step.logits);
    const loss = this.#whole(this.#step.loss);
    const state = this.#step.state.map(({ value, next, role }): StateTensor => {
      const { name, dtype, shape } = this.#graph.node(value);
      const source = next === null ? null : this.#whole(next);
      return { name, dtype, shape, source, ...(role === undefined ? {} : { role }) };
    });
    return {
      operators: this.#operators,
      state,
      constants: this.#constants,
      sample: {
        words: Math.max(...this.#step.fields.map(({ offset, width }) => offset + width)),
        fields: this.#step.fields,
      },
      scheduleColumns: this.#step.scheduleColumns,
      loss,
      logits,
    };
  }

  /** Where the tensor of a source node lies; lowers the node at its first use. */
  view(id: ValueId): View {
    const known = this.#views.get(id);
    if (known !== undefined) return known;
    const view = this.#graph.node(id).lower(this);
    this.#views.set(id, view);
    return view;
  }

  /** The tensor of a state node: state, or a constant where the step takes it for one. */
  state(id: ValueId): View {
    const { dtype, shape, name } = this.#graph.node(id);
    const index = this.#stateIndex.get(id);
    if (index !== undefined) return wholeView({ kind: "state", index }, dtype, shape);
    const words = this.#step.constants?.get(id);
    if (words === undefined) throw new RangeError(`${name} is neither state nor constant`);
    return this.#addConstant({ dtype, shape, words });
  }

  /** Appends an operator; the name is made unique. */
  emit(name: string, operator: Operator): View {
    let unique = name;
    for (let suffix = 2; this.#names.has(unique); suffix++) unique = `${name}.${suffix}`;
    this.#names.add(unique);
    const index = this.#operators.push({ name: unique, operator }) - 1;
    return wholeView({ kind: "operator", index }, operator.dtype, operator.shape);
  }

  /** Says that every word of `copy`, an operator's output, is zero or a word of the tensor behind `original`. */
  copies(copy: View, original: View): View {
    const { kind, index } = original.reference;
    this.#originals.set(
      copy.reference.index,
      (kind === "operator" ? this.#originals.get(index) : undefined) ?? original,
    );
    return copy;
  }

  /** A constant tensor; equal ones are stored once. */
  constant(tensor: Tensor): View {
    const key = `${tensor.dtype}|${tensor.shape}|${digestOf(tensor.words)}`;
    const alike = this.#constantOf.get(key) ?? [];
    const known = alike.find(({ reference }) => sameWords(this.#constants[reference.index]!.words, tensor.words));
    if (known !== undefined) return known;
    const view = this.#addConstant(tensor);
    this.#constantOf.set(key, [...alike, view]);
    return view;
  }

  #addConstant(tensor: Tensor): View {
    return wholeView({ kind: "constant", index: this.#constants.push(tensor) - 1 }, tensor.dtype, tensor.shape);
  }

  /**
   * The power of two that bounds the whole tensor behind a view, shape [1]. There is one for each tensor, whatever reads it,
   * so that an engine can quantise the tensor once for the forward and the backward pass. A copy has the peak of its original.
   */
  peak(view: View): View {
    const original = this.#originals.get(view.reference.kind === "operator" ? view.reference.index : -1) ?? view;
    const key = `${original.reference.kind}${original.reference.index}`;
    const known = this.#peaks.get(key);
    if (known !== undefined) return known;
    const { reference, dtype, count } = original;
    const peak =
      reference.kind === "constant"
        ? this.#constantPeak(reference.index)
        : this.emit(`${this.#nameOf(reference)}.peak`, {
            family: "peak",
            dtype: Dtype.float32,
            shape: [1],
            length: count,
            mode: 1,
            operands: [{ reference, dtype, count, offset: 0, strides: [0, 1] }],
          });
    this.#peaks.set(key, peak);
    return peak;
  }

  /** What Peak would give for a constant, known now. */
  #constantPeak(index: number): View {
    const { words } = this.#constants[index]!;
    const values = new Float32Array(words.buffer, words.byteOffset, words.length);
    const greatest = values.reduce((most, value) => Math.max(most, Math.abs(value)), LEAST_PEAK);
    const peak = Float32Array.of(2 ** ceilLog2(greatest));
    return this.constant({ dtype: Dtype.float32, shape: [1], words: new Uint32Array(peak.buffer) });
  }

  /** The elements of a view under another shape; copies them when no strides express it. */
  reshape(view: View, shape: readonly number[]): View {
    return reshapeView(view, shape) ?? reshapeView(this.#copy(view), shape)!;
  }

  /**
   * Emits one Map for an elementwise node, together with the elementwise nodes before it that nothing else reads. The output lies in
   * memory as the first whole operand does, so that a tensor that is kept transposed stays so from layer to layer.
   */
  elementwise(id: ValueId): View {
    const { name, shape } = this.#graph.node(id);
    let parts = this.#expression(id, true);
    // A Map has operands: what is computed from single numbers alone reads them as constants.
    if (parts === null || parts.operands.length === 0) parts = this.#expression(id, false);
    if (parts === null) throw new RangeError(`the expression of ${name} exceeds the limits of a Map`);
    const axes = [...shape.keys()];
    const order = this.#roots.has(id) ? axes : memoryOrder(shape, parts.operands);
    const permuted = (list: readonly number[]) => order.map((axis) => list[axis]!);
    const operands = parts.operands.map((operand) => ({ ...operand, strides: permuted(operand.strides) }));
    const output = this.emit(name, {
      family: "map",
      dtype: Dtype.float32,
      shape: permuted(shape),
      ...parts,
      operands,
    });
    return transposeView(
      output,
      axes.map((axis) => order.indexOf(axis)),
    );
  }

  #expression(root: ValueId, fuse: boolean): MapParts | null {
    const map = new MapBuilder();
    const { shape } = this.#graph.node(root);
    const evaluate = (id: ValueId): Register => {
      const node = this.#graph.node(id);
      const registers = node.inputs.map((input) =>
        fuse && this.#fusible(input, shape)
          ? evaluate(input)
          : map.operand(operandOf(this.view(input), broadcastStrides(this.view(input), shape))),
      );
      return node.expression!(map, registers);
    };
    return map.finish(evaluate(root));
  }

  #fusible(id: ValueId, shape: readonly number[]): boolean {
    const node = this.#graph.node(id);
    if (node.expression !== undefined && node.inputs.length === 0) return true;
    return (
      node.expression !== undefined &&
      this.#readers.get(id) === 1 &&
      !this.#roots.has(id) &&
      !this.#views.has(id) &&
      sameShape(node.shape, shape)
    );
  }

  #copy(view: View): View {
    const { shape, strides, reference, dtype } = view;
    const name = `${this.#nameOf(reference)}.copy`;
    // A Map gives float32.
    if (dtype === Dtype.int32) {
      const ranges = [{ start: 0, extent: shape[0]! }];
      return this.emit(name, { family: "join", dtype, shape, axis: 0, operands: [operandOf(view, strides)], ranges });
    }
    const copy = this.emit(name, {
      family: "map",
      dtype: Dtype.float32,
      shape,
      operands: [operandOf(view, strides)],
      immediates: [],
      instructions: [],
    });
    return this.copies(copy, view);
  }

  /** The operator that holds exactly the tensor of a node, in order; for what the program names as its results. */
  #whole(id: ValueId): number {
    const view = this.view(id);
    const whole = wholeView(view.reference, view.dtype, view.shape);
    const exact =
      view.reference.kind === "operator" &&
      view.offset === 0 &&
      view.count === wordCount(view.shape) &&
      whole.strides.every((stride, axis) => stride === view.strides[axis]);
    return (exact ? view : this.#copy(view)).reference.index;
  }

  #nameOf({ kind, index }: Reference): string {
    if (kind === "operator") return this.#operators[index]!.name;
    if (kind === "state") return this.#graph.node(this.#step.state[index]!.value).name;
    return `constant${index}`;
  }
}

/** The axes by descending stride of the first operand that moves along all of them; as they are where there is none. */
function memoryOrder(shape: readonly number[], operands: readonly Operand[]): number[] {
  const axes = [...shape.keys()];
  const long = axes.filter((axis) => shape[axis]! > 1);
  const whole = operands.find(({ strides }) => long.every((axis) => strides[axis] !== 0));
  if (whole === undefined) return axes;
  const sorted = long.toSorted((a, b) => whole.strides[b]! - whole.strides[a]! || a - b);
  const next = sorted.values();
  return axes.map((axis) => (shape[axis]! > 1 ? next.next().value! : axis));
}

/** Tells most tensors apart (FNV-1a over words). */
function digestOf(words: Uint32Array): number {
  let digest = 0x811c9dc5;
  for (const word of words) digest = Math.imul(digest ^ word, 0x01000193);
  return digest;
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((word, at) => word === b[at]);
}
