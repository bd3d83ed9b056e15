/** LSTM, GRU and RNN nodes: both directions, initial states, either layout, with the default activations. */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { add } from "./add.ts";
import { gru } from "./gru.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { concat } from "./join.ts";
import { lstm } from "./lstm.ts";
import { reshape } from "./reshape.ts";
import { rnn } from "./rnn.ts";
import { slice } from "./slice.ts";
import { transpose } from "./transpose.ts";

/** What a node says, with the direction as the first axis of everything that has one. */
interface RecurrentNode {
  readonly graph: SourceGraph;
  readonly name: string;
  /** [steps, batch, inputs] */
  readonly input: ValueId;
  readonly hidden: number;
  /** Which directions run backwards. */
  readonly reverse: readonly boolean[];
  /** The part of direction d of an input; null when the node has not got it. */
  part(index: number, d: number): ValueId | null;
  /** The same of an initial state, [batch, hidden]. */
  initial(index: number, d: number): ValueId | null;
}

const DIRECTIONS: ReadonlyMap<string, readonly boolean[]> = new Map([
  ["forward", [false]],
  ["reverse", [true]],
  ["bidirectional", [false, true]],
]);

function activationsOf(context: ImportContext): readonly string[] | null {
  return context.strings("activations")?.map((name) => name.toLowerCase()) ?? null;
}

function readNode(context: ImportContext, gates: number, activations: readonly string[]): RecurrentNode {
  const { graph } = context;
  const reverse = DIRECTIONS.get(context.string("direction", "forward"));
  if (reverse === undefined) throw context.error("its direction is none", "Use forward, reverse or bidirectional.");
  const usual = reverse.flatMap(() => activations);
  const named = activationsOf(context) ?? usual;
  if (`${named}` !== `${usual}`) {
    throw context.error(`its activations are ${named.join(", ")}`, `Use ${activations.join(", ")}.`);
  }
  for (const [index, what] of [
    [4, "lengths of its own for each sequence"],
    [7, "peephole weights"],
  ] as const) {
    if (context.has(index)) throw context.error(`it has ${what}`, "Leave them out; pad sequences to one length.");
  }
  if (!Number.isNaN(context.float("clip", Number.NaN)) || context.integer("input_forget", 0) !== 0) {
    throw context.error("it clips, or couples its gates", "Leave clip and input_forget out.");
  }
  const batchFirst = context.integer("layout", 0) === 1;
  const given = context.tensor(0);
  const input = batchFirst ? transpose(graph, given, [1, 0, 2]) : given;
  const [, batch, inputs] = graph.shape(input) as [number, number, number];
  const recurrentShape = graph.shape(context.tensor(2));
  const hidden = recurrentShape.at(-1)!;
  const expect = (index: number, ...shape: number[]) => {
    if (!context.has(index) || `${graph.shape(context.tensor(index))}` === `${shape}`) return;
    throw context.error(
      `input ${index} is [${graph.shape(context.tensor(index))}], not [${shape}]`,
      "Export it again.",
    );
  };
  expect(1, reverse.length, gates * hidden, inputs);
  expect(2, reverse.length, gates * hidden, hidden);
  expect(3, reverse.length, 2 * gates * hidden);
  const stateShape = batchFirst ? [batch, reverse.length, hidden] : [reverse.length, batch, hidden];
  for (const index of [5, 6]) expect(index, ...stateShape);
  const pick = (value: ValueId, axis: number, d: number) => {
    const kept = graph.shape(value).toSpliced(axis, 1);
    return reshape(graph, slice(graph, value, axis, d, 1, 1, `${graph.name(value)}.${d}`), kept);
  };
  return {
    graph,
    name: layerName(graph, context.tensor(1)),
    input,
    hidden,
    reverse,
    part: (index, d) => (context.has(index) ? pick(context.tensor(index), 0, d) : null),
    initial: (index, d) => {
      if (!context.has(index)) return null;
      // Zeros that an exporter writes are no state at all.
      if (context.host(index)?.values.every((value) => value === 0) === true) return null;
      return pick(context.tensor(index), batchFirst ? 1 : 0, d);
    },
  };
}

/** The outputs of a node from those of its directions: all states, the last ones, and what else there is one of in each direction. */
function outputs(context: ImportContext, node: RecurrentNode, states: readonly ValueId[], rest: readonly ValueId[][]) {
  const { graph, name, reverse } = node;
  const batchFirst = context.integer("layout", 0) === 1;
  const [steps, batch, hidden] = graph.shape(states[0]!) as [number, number, number];
  const stacked = (values: readonly ValueId[], axis: number, shape: readonly number[], what: string) =>
    concat(
      graph,
      values.map((value) => reshape(graph, value, shape.with(axis, 1))),
      axis,
      what,
    );
  const all = stacked(states, 1, [steps, reverse.length, batch, hidden], `${name}.out`);
  const last = states.map((value, d) => slice(graph, value, 0, reverse[d]! ? 0 : steps - 1, 1, 1, `${name}.last`));
  const finals = [last, ...rest].map((values) => stacked(values, 0, [reverse.length, batch, hidden], `${name}.final`));
  if (!batchFirst) return [all, ...finals];
  return [transpose(graph, all, [2, 0, 1, 3]), ...finals.map((value) => transpose(graph, value, [1, 0, 2]))];
}

const directionName = (name: string, isReverse: boolean) => (isReverse ? `${name}.reverse` : name);

/** The biases of the input's part and of the recurrent one, which are added anyway. */
function wholeBias(graph: SourceGraph, both: ValueId | null, length: number, name: string): ValueId | null {
  if (both === null) return null;
  const half = (first: number) => slice(graph, both, 0, first, length, 1, `${name}.bias`);
  return add(graph, half(0), half(length), `${name}.bias`);
}

export const importLstm: Importer = (context) => {
  const node = readNode(context, 4, ["sigmoid", "tanh", "tanh"]);
  const { graph, input, hidden, reverse } = node;
  const givesCell = context.wants(2);
  const states: ValueId[] = [];
  const cells: ValueId[] = [];
  const steps = graph.shape(input)[0]!;
  for (const [d, isReverse] of reverse.entries()) {
    const name = directionName(node.name, isReverse);
    const bias = wholeBias(graph, node.part(3, d), 4 * hidden, name);
    const joined = lstm(
      graph,
      {
        input,
        weight: node.part(1, d)!,
        recurrent: node.part(2, d)!,
        bias,
        hidden: node.initial(5, d),
        cell: node.initial(6, d),
      },
      { reverse: isReverse, givesCell },
      name,
    );
    states.push(slice(graph, joined, 0, 0, steps, 1, `${name}.states`));
    if (givesCell) cells.push(slice(graph, joined, 0, steps, 1, 1, `${name}.lastCell`));
  }
  return outputs(context, node, states, givesCell ? [cells] : []);
};

export const importRnn: Importer = (context) => {
  const activation = activationsOf(context)?.[0] === "relu" ? "relu" : "tanh";
  const node = readNode(context, 1, [activation]);
  const { graph, input, hidden, reverse } = node;
  const states = reverse.map((isReverse, d) => {
    const name = directionName(node.name, isReverse);
    return rnn(
      graph,
      {
        input,
        weight: node.part(1, d)!,
        recurrent: node.part(2, d)!,
        bias: wholeBias(graph, node.part(3, d), hidden, name),
        hidden: node.initial(5, d),
      },
      { reverse: isReverse, activation },
      name,
    );
  });
  return outputs(context, node, states, []);
};

export const importGru: Importer = (context) => {
  const node = readNode(context, 3, ["sigmoid", "tanh"]);
  const { graph, input, hidden, reverse } = node;
  const linearBeforeReset = context.integer("linear_before_reset", 0) !== 0;
  const states = reverse.map((isReverse, d) => {
    const name = directionName(node.name, isReverse);
    const both = node.part(3, d);
    const half = (first: number) =>
      both === null ? null : slice(graph, both, 0, first, 3 * hidden, 1, `${name}.bias`);
    return gru(
      graph,
      {
        input,
        weight: node.part(1, d)!,
        recurrent: node.part(2, d)!,
        inputBias: half(0),
        recurrentBias: half(3 * hidden),
        hidden: node.initial(5, d),
      },
      { reverse: isReverse, linearBeforeReset },
      name,
    );
  });
  return outputs(context, node, states, []);
};
