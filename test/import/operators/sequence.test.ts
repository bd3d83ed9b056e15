/** What transformers are made of, against ONNX Runtime and central differences. */
import { test } from "node:test";
import {
  caseName,
  checkOperator,
  float,
  floatAttribute,
  int,
  int64s,
  ints,
  type OperatorCase,
  parameter,
  string,
} from "./harness.ts";

/** Numbers from -1 to 1 in disorder, no two near each other for a difference quotient. */
const spread = (count: number) => Array.from({ length: count }, (_, i) => (((i * 77) % count) * 2) / count - 1);

const ACTIVATIONS: OperatorCase[] = [
  { operator: "Erf", inputs: [float([3, 5], { least: -3, most: 3 })] },
  { operator: "Sigmoid", inputs: [float([3, 5], { least: -6, most: 6 })] },
  { operator: "Gelu", inputs: [float([3, 5], { least: -4, most: 4 })], operatorSet: 20 },
  {
    operator: "Gelu",
    inputs: [float([3, 5], { least: -4, most: 4 })],
    attributes: { approximate: string("tanh") },
    operatorSet: 20,
  },
];

const SOFTMAX: OperatorCase[] = ["Softmax", "LogSoftmax"].flatMap((operator): OperatorCase[] => [
  { operator, inputs: [float([4, 7], { least: -5, most: 5 })] },
  { operator, inputs: [float([2, 3, 4])], attributes: { axis: int(1) } },
  { operator, inputs: [float([3, 2, 4])], attributes: { axis: int(-3) } },
  { operator, inputs: [float([2, 3, 4])], operatorSet: 11, note: "from the second axis on" },
  { operator, inputs: [float([2, 3, 4])], attributes: { axis: int(2) }, operatorSet: 11 },
  { operator, inputs: [float([1, 1])], differentiable: false, note: "of one element" },
  { operator, inputs: [float([2, 67], { least: -9, most: 9 })], note: "an axis that takes three comparisons" },
  {
    operator,
    inputs: [float([2, 3], { values: [500, 501, 499, -70000, -70001, -69999] })],
    differentiable: false,
    note: "far from zero",
  },
]);

const NORMS: OperatorCase[] = [
  { operator: "LayerNormalization", inputs: [float([3, 8]), parameter([8]), parameter([8])] },
  {
    operator: "LayerNormalization",
    inputs: [float([2, 3, 8], { least: 90, most: 100 }), parameter([8])],
    tolerance: 1e-5,
    note: "where the mean is great",
  },
  {
    operator: "LayerNormalization",
    inputs: [float([2, 3, 4]), parameter([3, 4]), parameter([3, 4])],
    attributes: { axis: int(1), epsilon: floatAttribute(0.1) },
  },
  {
    operator: "LayerNormalization",
    inputs: [float([2, 6], { least: -1e-3, most: 1e-3 }), parameter([6]), parameter([6])],
    differentiable: false,
    note: "of small numbers",
  },
  { operator: "RMSNormalization", inputs: [float([3, 8]), parameter([8])], operatorSet: 23 },
  {
    operator: "RMSNormalization",
    inputs: [float([2, 3, 4]), parameter([3, 4])],
    attributes: { axis: int(-2), epsilon: floatAttribute(1e-6) },
    operatorSet: 23,
  },
];

const REDUCTIONS: OperatorCase[] = [
  "ReduceSum",
  "ReduceMean",
  "ReduceMax",
  "ReduceMin",
  "ReduceL1",
  "ReduceL2",
  "ReduceSumSquare",
  "ReduceLogSumExp",
].flatMap((operator): OperatorCase[] => {
  const recent = operator === "ReduceSum" ? 13 : 18;
  return [
    { operator, inputs: [float([2, 3, 4])], operatorSet: recent, note: "over everything" },
    { operator, inputs: [float([2, 3, 4]), int64s(1)], operatorSet: recent },
    { operator, inputs: [float([2, 3, 4]), int64s(-1, 0)], attributes: { keepdims: int(0) }, operatorSet: recent },
    { operator, inputs: [float([2, 3, 2, 4]), int64s(2, 3)], attributes: { keepdims: int(0) }, operatorSet: recent },
    { operator, inputs: [float([2, 3, 4])], attributes: { axes: ints(0, 1), keepdims: int(1) }, operatorSet: 11 },
    { operator, inputs: [float([2, 3])], attributes: { noop_with_empty_axes: int(1) }, operatorSet: recent },
    { operator, inputs: [float([3, 1, 4]), int64s(1)], attributes: { keepdims: int(0) }, operatorSet: recent },
    { operator, inputs: [float([2, 100], { values: spread(200) }), int64s(1)], operatorSet: recent },
  ];
});

const PRODUCTS: OperatorCase[] = (
  [
    [
      [2, 3],
      [3, 4],
    ],
    [
      [2, 2, 3],
      [3, 4],
    ],
    [
      [2, 2, 3],
      [2, 3, 4],
    ],
    [
      [2, 1, 2, 3],
      [4, 3, 2],
    ],
    [
      [2, 3],
      [5, 3, 2],
    ],
    [
      [3, 1, 2, 3],
      [1, 2, 3, 2],
    ],
    [[3], [3, 4]],
    [[2, 3], [3]],
    [[3], [3]],
    [[3], [2, 3, 4]],
    [[2, 2, 3], [3]],
  ] as const
).map((shapes) => ({ operator: "MatMul", inputs: shapes.map((shape) => float(shape)) }));

const EINSUMS: OperatorCase[] = (
  [
    ["ij,jk->ik", [2, 3], [3, 4]],
    ["bhid,bhjd->bhij", [2, 2, 3, 4], [2, 2, 2, 4]],
    ["bhij,bhjd -> bihd", [2, 2, 3, 4], [2, 2, 4, 2]],
    ["bthd,hde->bte", [2, 3, 2, 4], [2, 4, 3]],
    ["i,j->ij", [3], [4]],
    ["bd,d", [3, 4], [4]],
    ["bi,bi->b", [3, 4], [3, 4]],
    ["bij,bj->bi", [3, 2, 4], [3, 4]],
    ["ijk,jl->il", [2, 3, 4], [3, 2]],
    ["ijk->kji", [2, 3, 4]],
    ["ijk->j", [2, 3, 4]],
  ] as const
).map(([equation, ...shapes]) => ({
  operator: "Einsum",
  inputs: shapes.map((shape) => float(shape)),
  attributes: { equation: string(equation) },
}));

for (const row of [...EINSUMS, ...PRODUCTS, ...ACTIVATIONS, ...SOFTMAX, ...NORMS, ...REDUCTIONS])
  test(caseName(row), () => checkOperator(row));
