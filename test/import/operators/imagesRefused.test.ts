/** Nodes of convolutional networks that are refused, each with what is wrong and the node's name. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceGraph } from "../../../shared/graph/graph.ts";
import { importModel } from "../../../shared/import/import.ts";
import { state } from "../../../shared/layers/leaf.ts";
import { type OnnxNode, OnnxType } from "../../../shared/onnx/model.ts";
import { ModelError } from "../../../shared/program/errors.ts";
import { floatAttribute, int, ints, string } from "./harness.ts";

interface Refused {
  readonly operator: string;
  /** Of the image, then of the parameters. */
  readonly shapes: readonly (readonly number[])[];
  readonly attributes?: OnnxNode["attributes"];
  readonly outputs?: number;
  readonly message: RegExp;
}

const IMAGE = [2, 4, 5, 5];
const WEIGHT = [6, 4, 3, 3];

const CASES: readonly Refused[] = [
  {
    operator: "Conv",
    shapes: [
      [2, 4, 5, 5, 5],
      [6, 4, 3, 3, 3],
    ],
    message: /3 spatial axes/,
  },
  { operator: "Conv", shapes: [IMAGE, [6, 3, 3, 3]], message: /does not fit/ },
  { operator: "Conv", shapes: [IMAGE, [6, 4, 3]], message: /do not fit|does not fit|not its weight's/ },
  { operator: "Conv", shapes: [IMAGE, WEIGHT], attributes: { group: int(3) }, message: /in 3 groups/ },
  { operator: "Conv", shapes: [IMAGE, WEIGHT], attributes: { kernel_shape: ints(2, 3) }, message: /not its weight's/ },
  { operator: "Conv", shapes: [IMAGE, WEIGHT], attributes: { strides: ints(0, 1) }, message: /strides \[0,1\]/ },
  { operator: "Conv", shapes: [IMAGE, WEIGHT], attributes: { pads: ints(1, 1) }, message: /pads \[1,1\]/ },
  { operator: "Conv", shapes: [IMAGE, WEIGHT], attributes: { pads: ints(-1, 0, 0, 0) }, message: /pads/ },
  { operator: "Conv", shapes: [IMAGE, WEIGHT], attributes: { auto_pad: string("SAME") }, message: /auto_pad SAME/ },
  { operator: "Conv", shapes: [IMAGE, WEIGHT], attributes: { dilations: ints(3, 1) }, message: /no window/ },
  { operator: "Conv", shapes: [IMAGE, WEIGHT, [5]], message: /bias \[5\]/ },
  { operator: "ConvTranspose", shapes: [IMAGE, [3, 4, 3, 3]], message: /does not fit/ },
  {
    operator: "ConvTranspose",
    shapes: [
      [1, 2, 1, 1],
      [2, 1, 2, 2],
    ],
    attributes: { pads: ints(1, 1, 1, 1) },
    message: /image of 0,0/,
  },
  { operator: "MaxPool", shapes: [IMAGE], message: /kernel_shape/ },
  { operator: "MaxPool", shapes: [IMAGE], attributes: { kernel_shape: ints(6, 1) }, message: /no window/ },
  {
    operator: "MaxPool",
    shapes: [IMAGE],
    attributes: { kernel_shape: ints(2, 2), pads: ints(2, 0, 0, 0) },
    message: /padding alone/,
  },
  {
    operator: "MaxPool",
    shapes: [IMAGE],
    attributes: { kernel_shape: ints(2, 2) },
    outputs: 2,
    message: /second output/,
  },
  { operator: "GlobalAveragePool", shapes: [[3, 4]], message: /no spatial axes/ },
  { operator: "InstanceNormalization", shapes: [IMAGE, [4], [3]], message: /4 channels/ },
  {
    operator: "InstanceNormalization",
    shapes: [IMAGE, [4], [4]],
    attributes: { epsilon: floatAttribute(0) },
    message: /epsilon is 0/,
  },
  { operator: "BatchNormalization", shapes: [IMAGE, [4], [4], [4], [5]], message: /4 channels/ },
  {
    operator: "BatchNormalization",
    shapes: [IMAGE, [4], [4], [4], [4]],
    attributes: { training_mode: int(1), momentum: floatAttribute(2) },
    message: /momentum is 2/,
  },
];

for (const { operator, shapes, attributes = {}, outputs = 1, message } of CASES) {
  test(`${operator} of ${shapes.map((shape) => `[${shape}]`).join(" ")}: ${message.source}`, () => {
    const graph = new SourceGraph();
    const [image, ...parameters] = shapes as [readonly number[], ...(readonly number[])[]];
    const names = shapes.map((_, at) => `x${at}`);
    const made = Array.from({ length: outputs }, (_, at) => `y${at}`);
    const node = { name: "the node", operator, domain: "", inputs: names, outputs: made, attributes };
    const initializers = parameters.map((dimensions, at) => ({
      name: `x${at + 1}`,
      type: OnnxType.float32,
      dimensions,
      data: new Float32Array(dimensions.reduce((a, b) => a * b)).fill(1),
    }));
    const model = {
      irVersion: 8,
      producer: "",
      operatorSets: [{ domain: "", version: 17 }],
      graph: {
        name: "refused",
        nodes: [node],
        initializers,
        inputs: [{ name: "x0", type: OnnxType.float32, dimensions: image }],
        outputs: [{ name: "y0", type: OnnxType.float32, dimensions: null }],
      },
    };
    assert.throws(
      () => importModel(graph, model, { inputs: new Map([["x0", state(graph, "x0", image)]]) }),
      (error) => error instanceof ModelError && message.test(error.message) && error.message.includes("the node"),
    );
  });
}
