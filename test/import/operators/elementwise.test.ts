import { describe, test } from "node:test";
import { OnnxType } from "../../../shared/onnx/model.ts";
import type { OperatorCase } from "./harness.ts";
import {
  caseName,
  checkOperator,
  constantOf,
  float,
  floatAttribute,
  int64s,
  integer,
  parameter,
  scalar,
} from "./harness.ts";

const attribute = floatAttribute;
const wide = { least: -6, most: 6, avoid: [0] };
const bool = (shape: number[], values: number[]) => constantOf(OnnxType.bool, shape, values);

const UNARY: readonly OperatorCase[] = [
  { operator: "Neg", inputs: [float([3, 4])] },
  { operator: "Abs", inputs: [float([3, 4], wide)] },
  { operator: "Sign", inputs: [float([3, 4], wide)], differentiable: false },
  { operator: "Sqrt", inputs: [float([3, 4], { least: 0.1, most: 9 })] },
  { operator: "Sqrt", inputs: [float([3], { values: [0, 1e-12, 1e6] })], differentiable: false },
  { operator: "Exp", inputs: [float([3, 4], { least: -3, most: 3 })], tolerance: 4e-6 },
  { operator: "Exp", inputs: [float([5], { values: [-27, -10, 0, 10, 27] })], tolerance: 4e-6, differentiable: false },
  { operator: "Log", inputs: [float([3, 4], { least: 0.2, most: 9 })], tolerance: 2e-6 },
  {
    operator: "Log",
    inputs: [float([6], { values: [1e-9, 1e-3, 0.75, 1, 3e3, 1e9] })],
    tolerance: 2e-6,
    differentiable: false,
  },
  { operator: "Reciprocal", inputs: [float([3, 4], { least: 0.2, most: 3 })] },
  { operator: "Reciprocal", inputs: [float([3, 4], { least: -3, most: -0.2 })] },
  { operator: "LeakyRelu", inputs: [float([3, 4], wide)] },
  { operator: "LeakyRelu", inputs: [float([3, 4], wide)], attributes: { alpha: attribute(0.2) } },
  { operator: "ThresholdedRelu", inputs: [float([3, 4], { ...wide, avoid: [1] })] },
  {
    operator: "ThresholdedRelu",
    inputs: [float([3, 4], { ...wide, avoid: [2] })],
    attributes: { alpha: attribute(2) },
  },
  { operator: "HardSigmoid", inputs: [float([3, 4], { ...wide, avoid: [-2.5, 2.5] })] },
  {
    operator: "HardSigmoid",
    inputs: [float([3, 4], { ...wide, avoid: [-2, 4 / 3] })],
    attributes: { alpha: attribute(0.3), beta: attribute(0.6) },
  },
  { operator: "HardSwish", inputs: [float([3, 4], { ...wide, avoid: [-3, 3] })] },
  { operator: "Elu", inputs: [float([3, 4], wide)] },
  { operator: "Elu", inputs: [float([3, 4], wide)], attributes: { alpha: attribute(0.5) } },
  { operator: "Selu", inputs: [float([3, 4], wide)], tolerance: 4e-6 },
  { operator: "Celu", inputs: [float([3, 4], wide)] },
  { operator: "Celu", inputs: [float([3, 4], wide)], attributes: { alpha: attribute(2) }, tolerance: 4e-6 },
  { operator: "Softplus", inputs: [float([3, 4], wide)] },
  { operator: "Softplus", inputs: [float([4], { values: [-30, -15, 0, 40] })], differentiable: false },
  { operator: "Softsign", inputs: [float([3, 4], wide)] },
  { operator: "Not", inputs: [bool([3], [1, 0, 1])], differentiable: false },
  { operator: "Clip", inputs: [float([3, 4], { avoid: [-0.5, 0.5] }), scalar(-0.5), scalar(0.5)] },
  { operator: "Clip", inputs: [float([3, 4], { avoid: [0.25] }), { kind: "omitted" }, scalar(0.25)] },
  { operator: "Clip", inputs: [float([3, 4], { avoid: [0.25] }), scalar(0.25)] },
  { operator: "Clip", inputs: [float([3, 4])], differentiable: false },
  {
    operator: "Clip",
    inputs: [float([3, 4]), scalar(0.5), scalar(-0.5)],
    differentiable: false,
    note: "min above max",
  },
  {
    operator: "Clip",
    inputs: [float([3, 4], { avoid: [-0.5, 0.5] })],
    attributes: { min: attribute(-0.5), max: attribute(0.5) },
    operatorSet: 9,
  },
  {
    operator: "Clip",
    inputs: [
      float([3, 4], { avoid: [-0.5, 0.5] }),
      parameter([], { values: [-0.5] }),
      parameter([], { values: [0.5] }),
    ],
  },
];

const POWERS = [-3, -2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 7].map((exponent): OperatorCase => {
  const inputs = [float([2, 3], { least: 0.4, most: 2 }), scalar(exponent)];
  return { operator: "Pow", inputs, note: `exponent ${exponent}`, gradientTolerance: 1e-3 };
});
const SIGNED_POWERS = [-3, -2, 2, 3, 6].map((exponent): OperatorCase => {
  const inputs = [float([2, 3], { least: -1.5, most: -0.5 }), constantOf(OnnxType.int64, [1], [exponent])];
  return { operator: "Pow", inputs, note: `exponent ${exponent}`, gradientTolerance: 1e-3 };
});

const SHAPES: readonly (readonly [number[], number[]])[] = [
  [
    [3, 4],
    [3, 4],
  ],
  [[3, 4], [4]],
  [
    [3, 1],
    [2, 1, 4],
  ],
  [[], [2, 3]],
];
const far = { least: 0.5, most: 2 };
const BINARY = SHAPES.flatMap(([a, b]): OperatorCase[] => [
  { operator: "Add", inputs: [float(a), parameter(b)] },
  { operator: "Sub", inputs: [float(a), parameter(b)] },
  { operator: "Mul", inputs: [float(a), parameter(b)] },
  { operator: "Div", inputs: [float(a), float(b, far)] },
  { operator: "Div", inputs: [float(a, far), float(b, { least: -2, most: -0.5 })] },
  { operator: "Max", inputs: [float(a, { least: 0.1 }), float(b, { most: -0.1 })] },
  { operator: "Min", inputs: [float(a, { least: 0.1 }), float(b, { most: -0.1 })] },
  { operator: "Where", inputs: [bool([4], [1, 0, 0, 1]), float([3, 4]), float([1])] },
  { operator: "Equal", inputs: [float(a), float(b)], differentiable: false },
  { operator: "Less", inputs: [float(a), float(b)], differentiable: false },
  { operator: "LessOrEqual", inputs: [float(a), float(b)], differentiable: false },
  { operator: "Greater", inputs: [float(a), float(b)], differentiable: false },
  { operator: "GreaterOrEqual", inputs: [float(a), float(b)], differentiable: false },
]);

const OTHERS: readonly OperatorCase[] = [
  { operator: "Add", inputs: [float([2, 3]), scalar(0.3)] },
  { operator: "Sub", inputs: [scalar(0.3), float([2, 3])] },
  { operator: "Mul", inputs: [float([2, 3]), scalar(-7.5)] },
  { operator: "Mul", inputs: [float([2, 3]), scalar(0.125)] },
  { operator: "Mul", inputs: [float([2, 2]), constantOf(OnnxType.float32, [2], [3, -0.5])] },
  { operator: "Div", inputs: [float([2, 3]), scalar(3)], tolerance: 0, note: "exact" },
  { operator: "Div", inputs: [float([2, 3]), scalar(-0.7)], tolerance: 0, note: "exact" },
  { operator: "Div", inputs: [float([2, 2]), constantOf(OnnxType.float32, [2], [3, -0.5])] },
  { operator: "Div", inputs: [scalar(2), float([2, 3], far)] },
  { operator: "Equal", inputs: [integer([2, 3], 3), integer([3], 3)], differentiable: false },
  { operator: "Less", inputs: [integer([2, 3], 9), int64s(3)], differentiable: false },
  { operator: "PRelu", inputs: [float([2, 3], wide), parameter([3])] },
  { operator: "PRelu", inputs: [float([2, 3, 2], wide), parameter([3, 1])] },
  { operator: "PRelu", inputs: [float([2, 3], wide), parameter([1])] },
  { operator: "Sum", inputs: [float([2, 3]), float([3]), float([2, 1])] },
  { operator: "Sum", inputs: [float([2, 3])] },
  { operator: "Mean", inputs: [float([2, 3]), float([3]), float([2, 1])] },
  { operator: "Max", inputs: [float([2], { values: [1, -1] }), float([2], { values: [0, 0] }), scalar(0.5)] },
  { operator: "Min", inputs: [float([2, 3])] },
  { operator: "Expand", inputs: [float([3, 1]), int64s(2, 1, 4)] },
  { operator: "Expand", inputs: [float([3, 2]), int64s(1)] },
  { operator: "Tile", inputs: [float([2, 3]), int64s(2, 3)] },
  { operator: "Tile", inputs: [float([2, 3]), int64s(1, 2)] },
  { operator: "Tile", inputs: [float([2, 1, 3]), int64s(1, 4, 1)] },
];

describe("operators on one element of each input", () => {
  for (const row of [...UNARY, ...POWERS, ...SIGNED_POWERS, ...BINARY, ...OTHERS]) {
    test(caseName(row), () => checkOperator(row));
  }
});
