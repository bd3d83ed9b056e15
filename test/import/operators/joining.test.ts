import { describe, test } from "node:test";
import { OnnxType } from "../../../shared/onnx/model.ts";
import type { OperatorCase } from "./harness.ts";
import {
  caseName,
  checkOperator,
  constantOf,
  float,
  floatAttribute,
  int,
  int64s,
  integer,
  ints,
  omitted,
  scalar,
  string,
} from "./harness.ts";

const CASES: readonly OperatorCase[] = [
  { operator: "Concat", inputs: [float([2, 3]), float([2, 1]), float([2, 4])], attributes: { axis: int(1) } },
  { operator: "Concat", inputs: [float([2, 3, 2]), float([1, 3, 2])], attributes: { axis: int(-3) } },
  { operator: "Concat", inputs: [float([4])], attributes: { axis: int(0) }, note: "of one" },
  {
    operator: "Concat",
    inputs: Array.from({ length: 20 }, (_, i) => float([2, 1 + (i % 3)])),
    attributes: { axis: int(1) },
    note: "of more than one Join takes",
  },
  {
    operator: "Concat",
    inputs: [float([2, 2]), constantOf(OnnxType.float32, [2, 1], [0.5, -3])],
    attributes: { axis: int(1) },
    note: "with a constant",
  },
  {
    operator: "Concat",
    inputs: [integer([2, 3], 9), integer([2, 2], 5)],
    attributes: { axis: int(1) },
    differentiable: false,
  },
  { operator: "Split", inputs: [float([6, 2])], outputs: 3, operatorSet: 13 },
  {
    operator: "Split",
    inputs: [float([2, 7])],
    outputs: 3,
    attributes: { axis: int(1), num_outputs: int(3) },
    operatorSet: 18,
  },
  { operator: "Split", inputs: [float([2, 6]), int64s(1, 2, 3)], outputs: 3, attributes: { axis: int(-1) } },
  {
    operator: "Split",
    inputs: [float([2, 6])],
    outputs: 2,
    attributes: { axis: int(1), split: ints(5, 1) },
    operatorSet: 11,
  },
  { operator: "Slice", inputs: [float([5, 4]), int64s(1), int64s(4)] },
  { operator: "Slice", inputs: [float([5, 4]), int64s(-3, 1), int64s(2 ** 60, -1), int64s(0, -1)] },
  { operator: "Slice", inputs: [float([3, 8]), int64s(1), int64s(8), int64s(1), int64s(3)] },
  { operator: "Slice", inputs: [float([3, 7, 2]), int64s(0), int64s(100), int64s(1), int64s(2)] },
  { operator: "Slice", inputs: [float([3, 5]), int64s(-1), int64s(-(2 ** 60)), int64s(1), int64s(-1)], note: "a flip" },
  { operator: "Slice", inputs: [float([2, 9]), int64s(7), int64s(0), int64s(1), int64s(-3)] },
  { operator: "Slice", inputs: [float([4, 3])], attributes: { starts: ints(1), ends: ints(3) }, operatorSet: 9 },
  {
    operator: "Slice",
    inputs: [integer([4, 6], 9), int64s(5), int64s(-7), int64s(1), int64s(-2)],
    differentiable: false,
  },
  { operator: "Pad", inputs: [float([2, 3]), int64s(0, 1, 0, 2)] },
  { operator: "Pad", inputs: [float([1, 2, 3, 3]), int64s(0, 0, 1, 1, 0, 0, 1, 2)] },
  { operator: "Pad", inputs: [float([2, 3]), int64s(1, 0, 0, 2), scalar(-1.5)] },
  { operator: "Pad", inputs: [float([2, 5]), int64s(0, -1, 1, -2)], note: "that cuts off" },
  { operator: "Pad", inputs: [float([2, 5]), int64s(2, 1), omitted, int64s(-1)], operatorSet: 18 },
  {
    operator: "Pad",
    inputs: [float([2, 3])],
    attributes: { pads: ints(0, 1, 0, 0), value: floatAttribute(2) },
    operatorSet: 10,
  },
  { operator: "Pad", inputs: [float([2, 4]), int64s(0, 3, 0, 2)], attributes: { mode: string("reflect") } },
  { operator: "Pad", inputs: [float([2, 3]), int64s(1, 2, 0, 4)], attributes: { mode: string("edge") } },
];

describe("operators that join and cut tensors", () => {
  for (const row of CASES) test(caseName(row), () => checkOperator(row));
});
