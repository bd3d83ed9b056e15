/** What convolutional networks are made of, over the space of their attributes, against ONNX Runtime and central differences. */
import { test } from "node:test";
import { OnnxType } from "../../../shared/onnx/model.ts";
import {
  caseName,
  checkOperator,
  constantOf,
  float,
  floatAttribute,
  int,
  int64s,
  ints,
  type OperatorCase,
  omitted,
  parameter,
  string,
} from "./harness.ts";

/** Numbers from -1 to 1 in disorder, no two near each other for a difference quotient. */
const apart = (count: number) => Array.from({ length: count }, (_, i) => (((i * 77) % count) * 2) / count - 1);
const image = (...shape: number[]) => float(shape, { values: apart(shape.reduce((a, b) => a * b)) });

const CONVOLUTIONS: OperatorCase[] = [
  { operator: "Conv", inputs: [float([2, 2, 4, 5]), parameter([3, 2, 3, 2]), parameter([3])] },
  {
    operator: "Conv",
    inputs: [float([1, 2, 4, 5]), parameter([2, 2, 3, 3])],
    attributes: { kernel_shape: ints(3, 3), pads: ints(1, 0, 2, 1), strides: ints(2, 3) },
  },
  {
    operator: "Conv",
    inputs: [float([2, 4, 5, 4]), parameter([2, 2, 2, 2]), parameter([2])],
    attributes: { group: int(2), dilations: ints(2, 3) },
  },
  { operator: "Conv", inputs: [float([1, 3, 3, 3]), parameter([6, 1, 2, 2])], attributes: { group: int(3) } },
  { operator: "Conv", inputs: [float([2, 3, 4, 4]), parameter([2, 3, 1, 1])], attributes: { strides: ints(2, 2) } },
  {
    operator: "Conv",
    inputs: [float([2, 3, 7]), parameter([2, 3, 3]), parameter([2])],
    attributes: { pads: ints(1, 2) },
  },
  {
    operator: "Conv",
    inputs: [float([1, 2, 8]), parameter([2, 2, 2])],
    attributes: { strides: ints(2), dilations: ints(3), auto_pad: string("VALID") },
  },
  ...["SAME_UPPER", "SAME_LOWER"].flatMap((mode): OperatorCase[] => [
    {
      operator: "Conv",
      inputs: [float([1, 1, 4, 5]), parameter([1, 1, 2, 3])],
      attributes: { auto_pad: string(mode), strides: ints(1, 2) },
    },
    { operator: "Conv", inputs: [float([1, 1, 7]), parameter([1, 1, 4])], attributes: { auto_pad: string(mode) } },
  ]),
  { operator: "ConvTranspose", inputs: [float([2, 2, 3, 2]), parameter([2, 3, 3, 2]), parameter([3])] },
  {
    operator: "ConvTranspose",
    inputs: [float([1, 2, 3, 3]), parameter([2, 2, 4, 4])],
    attributes: { strides: ints(2, 2), pads: ints(1, 1, 1, 1) },
    note: "a GAN's layer",
  },
  {
    operator: "ConvTranspose",
    inputs: [float([1, 4, 2, 3]), parameter([4, 1, 2, 3]), parameter([2])],
    attributes: { strides: ints(2, 3), output_padding: ints(1, 2), group: int(2), dilations: ints(2, 1) },
  },
  {
    operator: "ConvTranspose",
    inputs: [float([1, 1, 4]), parameter([1, 2, 3])],
    attributes: { strides: ints(2), pads: ints(1, 0) },
  },
  ...["SAME_UPPER", "SAME_LOWER"].map(
    (mode): OperatorCase => ({
      operator: "ConvTranspose",
      inputs: [float([1, 1, 3, 2]), parameter([1, 1, 3, 4])],
      attributes: { strides: ints(2, 3), auto_pad: string(mode) },
    }),
  ),
  ...["NOTSET", "SAME_UPPER"].map(
    (mode): OperatorCase => ({
      operator: "ConvTranspose",
      inputs: [float([1, 1, 3, 3]), parameter([1, 1, 3, 3])],
      attributes: { strides: ints(2, 2), output_shape: ints(6, 6), auto_pad: string(mode) },
    }),
  ),
];

const POOLS: OperatorCase[] = ["MaxPool", "AveragePool"].flatMap((operator): OperatorCase[] => [
  { operator, inputs: [image(2, 2, 4, 6)], attributes: { kernel_shape: ints(2, 2), strides: ints(2, 2) } },
  { operator, inputs: [image(1, 2, 5, 5)], attributes: { kernel_shape: ints(2, 3) } },
  {
    operator,
    inputs: [image(1, 2, 5, 6)],
    attributes: { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(1, 1, 1, 1) },
  },
  {
    operator,
    inputs: [image(1, 1, 6, 5)],
    attributes: { kernel_shape: ints(3, 2), strides: ints(2, 2), pads: ints(0, 1, 0, 0), ceil_mode: int(1) },
  },
  {
    operator,
    inputs: [image(1, 1, 6, 7)],
    attributes: { kernel_shape: ints(2, 3), dilations: ints(3, 2), strides: ints(1, 1) },
    operatorSet: 19,
  },
  { operator, inputs: [image(2, 2, 7)], attributes: { kernel_shape: ints(3), strides: ints(2), pads: ints(1, 1) } },
  ...["SAME_UPPER", "SAME_LOWER"].map(
    (mode): OperatorCase => ({
      operator,
      inputs: [image(1, 1, 5, 4)],
      attributes: { kernel_shape: ints(2, 3), strides: ints(2, 2), auto_pad: string(mode) },
    }),
  ),
]);

const PADDED_AVERAGES: OperatorCase[] = [ints(1, 1, 1, 1), ints(0, 1, 1, 0)].map((pads) => ({
  operator: "AveragePool",
  inputs: [image(1, 1, 4, 5)],
  attributes: { kernel_shape: ints(3, 2), strides: ints(2, 2), pads, count_include_pad: int(1) },
}));

const STATISTICS: OperatorCase[] = [
  { operator: "GlobalAveragePool", inputs: [float([2, 3, 2, 4])] },
  { operator: "GlobalAveragePool", inputs: [float([2, 3, 5])] },
  { operator: "InstanceNormalization", inputs: [float([2, 3, 2, 4]), parameter([3]), parameter([3])] },
  {
    operator: "InstanceNormalization",
    inputs: [float([2, 2, 5], { least: 40, most: 44 }), parameter([2]), parameter([2])],
    attributes: { epsilon: floatAttribute(0.01) },
    tolerance: 2e-5,
    note: "where the mean is great",
  },
  ...[
    [3, 2, 2, 4],
    [2, 3, 5],
    [4, 3],
  ].flatMap((shape): OperatorCase[] => {
    const channels = [shape[1]!];
    const running = [parameter(channels), parameter(channels, { least: 0.5, most: 2 })];
    const inputs = [float(shape), parameter(channels), parameter(channels), ...running];
    const epsilon = floatAttribute(1e-3);
    return [
      {
        operator: "BatchNormalization",
        inputs,
        attributes: { training_mode: int(1), momentum: floatAttribute(0.7), epsilon },
        outputs: 3,
        differentiable: false,
      },
      {
        operator: "BatchNormalization",
        inputs,
        attributes: { epsilon },
        differentiable: false,
        note: "with statistics that stay",
      },
    ];
  }),
];

const scales = (...values: number[]) => constantOf(OnnxType.float32, [values.length], values);

const PIXELS: OperatorCase[] = [
  ...["DCR", "CRD"].map(
    (mode): OperatorCase => ({
      operator: "DepthToSpace",
      inputs: [float([2, 8, 2, 3])],
      attributes: { blocksize: int(2), mode: string(mode) },
    }),
  ),
  { operator: "SpaceToDepth", inputs: [float([2, 2, 4, 6])], attributes: { blocksize: int(2) } },
  ...["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"].flatMap((way): OperatorCase[] =>
    ["round_prefer_floor", "floor", "ceil", "round_prefer_ceil"].map((nearest) => ({
      operator: "Resize",
      inputs: [float([1, 2, 3, 4]), omitted, scales(1, 1, 2, 2)],
      attributes: { coordinate_transformation_mode: string(way), nearest_mode: string(nearest) },
    })),
  ),
  { operator: "Resize", inputs: [float([2, 1, 4, 5]), omitted, omitted, int64s(2, 1, 3, 8)] },
  {
    operator: "Resize",
    inputs: [float([2, 2, 3]), omitted, scales(1, 1, 3)],
    attributes: { coordinate_transformation_mode: string("asymmetric"), nearest_mode: string("floor") },
  },
  { operator: "GlobalMaxPool", inputs: [image(2, 2, 3, 4)] },
  { operator: "GlobalMaxPool", inputs: [image(2, 3, 5)] },
  ...[
    [2, 4, 2, 3],
    [3, 6, 5],
  ].map(
    (shape): OperatorCase => ({
      operator: "GroupNormalization",
      inputs: [float(shape), parameter([shape[1]!]), parameter([shape[1]!])],
      attributes: { num_groups: int(2) },
      operatorSet: 21,
    }),
  ),
];

for (const row of [...PIXELS, ...CONVOLUTIONS, ...POOLS, ...PADDED_AVERAGES, ...STATISTICS]) {
  // A grid of 20 bits a side.
  test(caseName(row), () => checkOperator({ tolerance: 5e-6, ...row }));
}
