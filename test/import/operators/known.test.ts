/** Operators on numbers that are known while the model is read, and those that pick elements. */
import { describe, test } from "node:test";
import type { OnnxAttribute } from "../../../shared/onnx/model.ts";
import { OnnxType } from "../../../shared/onnx/model.ts";
import { Random } from "../../helpers/random.ts";
import type { CaseInput, OperatorCase } from "./harness.ts";
import {
  caseName,
  checkOperator,
  constantOf,
  float,
  int,
  int64s,
  integer,
  ints,
  omitted,
  parameter,
} from "./harness.ts";

const { float32, int64, int32, bool, uint8, float64 } = OnnxType;

/** Fixed numbers of a shape: real ones in ±3, or integers in ±4. */
function known(shape: number[], type: OnnxType = float32, seed = 1): CaseInput {
  const random = new Random(seed);
  const count = shape.reduce((product, length) => product * length, 1);
  const values = Array.from({ length: count }, () =>
    type === bool
      ? random.below(2)
      : type === float32 || type === float64
        ? Math.fround(6 * random.unit() - 3)
        : random.between(-4, 4),
  );
  return constantOf(type, shape, values);
}
const numbers = (type: OnnxType, ...values: number[]) => constantOf(type, [values.length], values);
const single = (type: OnnxType, value: number) => constantOf(type, [], [value]);
const tensor = (type: OnnxType, values: number[]): OnnxAttribute => {
  const data =
    type === int64
      ? BigInt64Array.from(values, BigInt)
      : type === bool
        ? Uint8Array.from(values)
        : Float32Array.from(values);
  return { kind: "tensor", value: { name: "", type, dimensions: [values.length], data } };
};

const BROADCAST: [number[], number[]][] = [
  [[2, 3], [3]],
  [
    [2, 1],
    [2, 1, 3],
  ],
];
const FOLDED: OperatorCase[] = [
  ...[
    "Neg",
    "Abs",
    "Sign",
    "Ceil",
    "Floor",
    "Round",
    "Sin",
    "Cos",
    "Tan",
    "Atan",
    "Exp",
    "Tanh",
    "Relu",
    "Reciprocal",
  ].map((operator): OperatorCase => ({ operator, inputs: [known([2, 3])] })),
  { operator: "Round", inputs: [numbers(float32, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5)], note: "ties" },
  ...["Acos", "Asin"].map((operator): OperatorCase => ({ operator, inputs: [numbers(float32, -1, -0.3, 0, 0.7, 1)] })),
  ...["Sqrt", "Log"].map((operator): OperatorCase => ({ operator, inputs: [numbers(float32, 0.25, 1, 7)] })),
  ...["Neg", "Abs", "Sign"].map((operator): OperatorCase => ({ operator, inputs: [known([5], int64)] })),
  { operator: "Not", inputs: [known([5], bool)] },
  ...BROADCAST.flatMap(([a, b]) =>
    [
      "Add",
      "Sub",
      "Mul",
      "Div",
      "Max",
      "Min",
      "Sum",
      "Mean",
      "Equal",
      "Less",
      "LessOrEqual",
      "Greater",
      "GreaterOrEqual",
    ].map((operator): OperatorCase => ({ operator, inputs: [known(a), known(b, float32, 2)] })),
  ),
  ...["Add", "Sub", "Mul", "Max", "Min", "Equal", "Less", "Greater"].map(
    (operator): OperatorCase => ({ operator, inputs: [known([3, 4], int64), known([4], int64, 2)] }),
  ),
  ...["And", "Or", "Xor"].map(
    (operator): OperatorCase => ({ operator, inputs: [known([3, 4], bool), known([4], bool, 2)] }),
  ),
  { operator: "Div", inputs: [numbers(int64, 7, -7, 7, -7), numbers(int64, 2, 2, -2, -2)] },
  { operator: "Mod", inputs: [numbers(int64, 7, -7, 7, -7, 6), numbers(int64, 3, 3, -3, -3, 3)] },
  {
    operator: "Mod",
    inputs: [numbers(int64, 7, -7, 7, -7), numbers(int64, 3, 3, -3, -3)],
    attributes: { fmod: int(1) },
  },
  { operator: "Mod", inputs: [numbers(float32, 7.5, -7.5), numbers(float32, 2, 2)], attributes: { fmod: int(1) } },
  { operator: "Pow", inputs: [numbers(float32, 2, 3, 0.5), numbers(float32, 0.3, -2, 10)] },
  { operator: "Pow", inputs: [numbers(int64, 2, 3), numbers(int64, 10, 2)] },
  { operator: "Where", inputs: [known([3, 1], bool), known([4]), known([3, 4], float32, 2)] },
  { operator: "Clip", inputs: [known([6]), single(float32, -1), single(float32, 1)] },
  { operator: "Cast", inputs: [numbers(float32, 1.7, -1.7, 0)], attributes: { to: int(int64) } },
  { operator: "Cast", inputs: [numbers(float32, 1.7, -1.7, 0)], attributes: { to: int(bool) } },
  { operator: "Cast", inputs: [numbers(int64, 1, -2, 300)], attributes: { to: int(uint8) } },
  { operator: "Cast", inputs: [numbers(int64, 1, -2, 300)], attributes: { to: int(float32) } },
  { operator: "Cast", inputs: [numbers(float64, 0.1, 2 ** 19)], attributes: { to: int(float32) } },
  { operator: "Reshape", inputs: [known([2, 6]), int64s(0, 3, -1)] },
  { operator: "Transpose", inputs: [known([2, 3, 2])], attributes: { perm: ints(1, 2, 0) } },
  { operator: "Transpose", inputs: [known([2, 3, 2])] },
  { operator: "Concat", inputs: [known([2, 3]), known([2, 1])], attributes: { axis: int(-1) } },
  { operator: "Concat", inputs: [known([2], int64), known([3], int64)], attributes: { axis: int(0) } },
  { operator: "Slice", inputs: [known([5, 4]), int64s(1, -1), int64s(4, -5), int64s(0, 1), int64s(2, -1)] },
  { operator: "Slice", inputs: [known([5, 4]), int64s(-3), int64s(9223372036854775000), int64s(0)] },
  { operator: "Slice", inputs: [known([5]), int64s(-1), int64s(-9223372036854775000), int64s(0), int64s(-2)] },
  { operator: "Split", inputs: [known([7, 2]), int64s(2, 5)], attributes: { axis: int(0) }, outputs: 2 },
  {
    operator: "Split",
    inputs: [known([7, 2])],
    attributes: { axis: int(0), num_outputs: int(3) },
    outputs: 3,
    operatorSet: 18,
  },
  {
    operator: "Gather",
    inputs: [known([3, 4, 2]), constantOf(int64, [2, 2], [0, -1, 3, 2])],
    attributes: { axis: int(1) },
  },
  { operator: "Gather", inputs: [known([3], int64), single(int64, -1)] },
  {
    operator: "GatherElements",
    inputs: [known([3, 2]), constantOf(int64, [2, 2], [0, -1, 2, 1])],
    attributes: { axis: int(0) },
  },
  { operator: "Expand", inputs: [known([3, 1]), int64s(2, 1, 4)] },
  { operator: "Tile", inputs: [known([2, 3]), int64s(2, 3)] },
  { operator: "Squeeze", inputs: [known([1, 3, 1]), int64s(-1)] },
  { operator: "Squeeze", inputs: [known([1, 3, 1])] },
  { operator: "Unsqueeze", inputs: [known([2, 3]), int64s(0, -1)] },
  { operator: "Flatten", inputs: [known([2, 3, 2])], attributes: { axis: int(2) } },
  { operator: "ConstantOfShape", inputs: [int64s(2, 3)] },
  { operator: "ConstantOfShape", inputs: [int64s(2, 3)], attributes: { value: tensor(int64, [7]) } },
  { operator: "Range", inputs: [single(int64, 2), single(int64, 11), single(int64, 3)] },
  { operator: "Range", inputs: [single(float32, 1), single(float32, -1), single(float32, -0.3)] },
  { operator: "Trilu", inputs: [known([4, 5])] },
  { operator: "Trilu", inputs: [known([2, 4, 4]), single(int64, -1)], attributes: { upper: int(0) } },
  { operator: "Trilu", inputs: [known([4, 4]), single(int64, 1)], attributes: { upper: int(1) } },
  { operator: "EyeLike", inputs: [known([3, 4])], attributes: { k: int(1) } },
  { operator: "NonZero", inputs: [known([3, 4], int64)] },
  { operator: "OneHot", inputs: [numbers(int64, 1, -1, 3), single(int64, 4), numbers(float32, 0.5, 2)] },
  {
    operator: "OneHot",
    inputs: [known([2, 2], int64), single(int64, 5), numbers(float32, 0, 1)],
    attributes: { axis: int(1) },
  },
  { operator: "ScatterND", inputs: [known([4, 3]), constantOf(int64, [2, 1], [2, 0]), known([2, 3], float32, 5)] },
  { operator: "ScatterND", inputs: [known([4, 3]), constantOf(int64, [2, 2], [2, 0, 1, 2]), known([2], float32, 5)] },
  { operator: "Shape", inputs: [known([4, 3, 2])], attributes: { start: int(-2) } },
  { operator: "Size", inputs: [known([4, 3, 2])] },
  { operator: "CumSum", inputs: [known([3, 4]), single(int32, 1)] },
  { operator: "CumSum", inputs: [known([2, 3, 4]), single(int32, 1)], attributes: { exclusive: int(1) } },
  { operator: "CumSum", inputs: [known([2, 3, 4]), single(int32, 1)], attributes: { reverse: int(1) } },
  { operator: "CumSum", inputs: [known([3, 4]), single(int32, 0)], attributes: { exclusive: int(1), reverse: int(1) } },
  { operator: "MatMul", inputs: [known([2, 3, 4]), known([4, 2], float32, 2)] },
  { operator: "MatMul", inputs: [known([4]), known([3, 4, 2], float32, 2)] },
  { operator: "MatMul", inputs: [known([3, 4]), known([4], float32, 2)] },
  { operator: "ReduceProd", inputs: [known([3, 4])], attributes: { axes: ints(1), keepdims: int(0) } },
  { operator: "ReduceSum", inputs: [known([3, 4]), int64s(0)] },
  { operator: "ReduceSum", inputs: [known([3, 4])], attributes: { noop_with_empty_axes: int(1) } },
  { operator: "ReduceMean", inputs: [known([3, 4])] },
  { operator: "ReduceMax", inputs: [known([3, 4])], attributes: { axes: ints(-1) } },
  { operator: "ReduceMin", inputs: [known([3, 4])], attributes: { axes: ints(0), keepdims: int(0) } },
  { operator: "Identity", inputs: [known([3, 4])] },
];

const PICKED: readonly OperatorCase[] = [
  { operator: "Gather", inputs: [float([3, 4, 2]), int64s(1)], attributes: { axis: int(1) } },
  { operator: "Gather", inputs: [float([3, 4, 2]), single(int64, -1)], attributes: { axis: int(1) } },
  { operator: "Gather", inputs: [float([3, 4, 2]), int64s(0, 2)], attributes: { axis: int(1) }, note: "spaced" },
  { operator: "Gather", inputs: [float([3, 4]), int64s(2, 0, 0, -1)], attributes: { axis: int(1) }, note: "repeated" },
  { operator: "Gather", inputs: [float([3, 4]), constantOf(int64, [2, 2], [2, 0, 1, -1])] },
  { operator: "Gather", inputs: [parameter([5, 3]), integer([2, 2], 5)], attributes: { axis: int(0) } },
  { operator: "Gather", inputs: [parameter([5]), integer([2, 2], 5)] },
  { operator: "Gather", inputs: [parameter([3, 5]), integer([4], 5)], attributes: { axis: int(1) } },
  { operator: "Gather", inputs: [parameter([2, 5, 3]), integer([2, 2], 5)], attributes: { axis: int(-2) } },
  {
    operator: "Gather",
    inputs: [integer([3, 4], 9), int64s(3, 1)],
    attributes: { axis: int(1) },
    differentiable: false,
  },
  { operator: "GatherElements", inputs: [float([3, 4]), integer([3, 2], 4)], attributes: { axis: int(1) } },
  { operator: "GatherElements", inputs: [float([3, 4]), integer([2, 4], 3)], attributes: { axis: int(0) } },
  {
    operator: "GatherElements",
    inputs: [float([2, 3]), constantOf(int64, [2, 1], [-1, 0])],
    attributes: { axis: int(1) },
  },
  { operator: "Cast", inputs: [integer([2, 3], 9)], attributes: { to: int(float32) }, differentiable: false },
  { operator: "Cast", inputs: [integer([2, 3], 3)], attributes: { to: int(bool) }, differentiable: false },
  { operator: "Cast", inputs: [float([2, 3])], attributes: { to: int(float32) } },
  { operator: "Where", inputs: [known([3, 1], bool), float([4]), single(float32, -4)] },
  { operator: "Clip", inputs: [float([2, 3]), omitted, omitted], differentiable: false },
  { operator: "Where", inputs: [constantOf(bool, [3, 1], [1, 1, 1]), float([4]), single(float32, -4)], note: "always" },
  { operator: "Where", inputs: [constantOf(bool, [3, 1], [0, 0, 0]), single(float32, -4), float([4])], note: "never" },
  { operator: "Trilu", inputs: [float([2, 3, 4])] },
  { operator: "Trilu", inputs: [float([4, 3]), single(int64, -1)], attributes: { upper: int(0) } },
  {
    operator: "OneHot",
    inputs: [integer([2, 3], 5), single(int64, 5), numbers(float32, 0.5, 2)],
    differentiable: false,
  },
  {
    operator: "OneHot",
    inputs: [integer([2, 3], 5), single(int64, 4), numbers(float32, 0, 1)],
    attributes: { axis: int(1) },
    differentiable: false,
  },
  { operator: "IsNaN", inputs: [float([2, 3])], differentiable: false },
  { operator: "IsInf", inputs: [float([2, 3])], differentiable: false },
];

describe("operators on known numbers are computed while the model is read", () => {
  for (const row of FOLDED) test(caseName(row), () => checkOperator({ differentiable: false, ...row }));
});

describe("operators that pick elements", () => {
  for (const row of PICKED) test(caseName(row), () => checkOperator(row));
});
