/** LSTM, GRU and RNN nodes against ONNX Runtime and central differences. */
import { test } from "node:test";
import { OnnxType } from "../../../shared/onnx/model.ts";
import {
  type CaseInput,
  caseName,
  checkOperator,
  constantOf,
  float,
  int,
  type OperatorCase,
  omitted,
  parameter,
  string,
  strings,
} from "./harness.ts";

const [STEPS, BATCH, INPUTS, HIDDEN] = [3, 2, 3, 2];

/** The inputs of a node with `gates` gates and `directions` directions, the first `count` of them. */
function inputs(
  gates: number,
  directions: number,
  count: number,
  changes: Record<number, CaseInput> = {},
): CaseInput[] {
  const state = float([directions, BATCH, HIDDEN]);
  const all = [
    float([STEPS, BATCH, INPUTS]),
    parameter([directions, gates * HIDDEN, INPUTS]),
    parameter([directions, gates * HIDDEN, HIDDEN]),
    parameter([directions, 2 * gates * HIDDEN]),
    omitted,
    state,
    state,
  ];
  return all.slice(0, count).map((input, at) => changes[at] ?? input);
}

const hidden = { hidden_size: int(HIDDEN) };
const reverse = { ...hidden, direction: string("reverse") };
const both = { ...hidden, direction: string("bidirectional") };
const oneStep = float([1, BATCH, INPUTS]);
/** Short, for what has many weights. */
const twoSteps = float([2, 1, INPUTS]);

const LSTM: OperatorCase[] = [
  { inputs: inputs(4, 1, 3), attributes: hidden },
  { inputs: inputs(4, 1, 4), attributes: hidden, outputs: 3 },
  { inputs: inputs(4, 1, 6), attributes: hidden, outputs: 2, note: "from a hidden state" },
  { inputs: inputs(4, 1, 7), attributes: reverse, outputs: 3 },
  { inputs: inputs(4, 1, 7, { 5: omitted }), attributes: hidden, note: "from a cell" },
  { inputs: inputs(4, 2, 4, { 0: twoSteps }), attributes: both, outputs: 3 },
  { inputs: inputs(4, 1, 4, { 0: oneStep }), attributes: hidden, outputs: 3, note: "of one step" },
  {
    inputs: inputs(4, 1, 4),
    attributes: { ...hidden, activations: strings("Sigmoid", "Tanh", "Tanh") },
    note: "default activations by name",
  },
].map((row) => ({ operator: "LSTM", ...row }));

const zeros = constantOf(OnnxType.float32, [1, BATCH, HIDDEN], new Array(BATCH * HIDDEN).fill(0));
const GRU: OperatorCase[] = [0, 1]
  .flatMap((linear) => {
    const how = { linear_before_reset: int(linear) };
    return [
      { inputs: inputs(3, 1, 3), attributes: { ...hidden, ...how } },
      { inputs: inputs(3, 1, 4), attributes: { ...hidden, ...how }, outputs: 2 },
      { inputs: inputs(3, 1, 6), attributes: { ...reverse, ...how }, outputs: 2 },
      { inputs: inputs(3, 2, 4, { 0: twoSteps }), attributes: { ...both, ...how }, outputs: 2 },
      { inputs: inputs(3, 1, 6, { 5: zeros }), attributes: { ...hidden, ...how }, note: "from zeros" },
      { inputs: inputs(3, 1, 4, { 0: oneStep }), attributes: { ...hidden, ...how }, note: "of one step" },
    ];
  })
  .map((row) => ({ operator: "GRU", ...row }));

const relu = (count: number) => ({ activations: strings(...new Array<string>(count).fill("Relu")) });
const RNN: OperatorCase[] = [
  { inputs: inputs(1, 1, 3), attributes: hidden },
  { inputs: inputs(1, 1, 6), attributes: reverse, outputs: 2 },
  { inputs: inputs(1, 2, 4, { 0: twoSteps }), attributes: both, outputs: 2 },
  { inputs: inputs(1, 1, 4, { 0: oneStep }), attributes: hidden, note: "of one step" },
  { inputs: inputs(1, 1, 4), attributes: { ...hidden, ...relu(1) }, outputs: 2 },
  { inputs: inputs(1, 2, 6), attributes: { ...both, ...relu(2) } },
].map((row) => ({ operator: "RNN", ...row }));

for (const row of [...RNN, ...LSTM, ...GRU]) test(caseName(row), () => checkOperator(row));
