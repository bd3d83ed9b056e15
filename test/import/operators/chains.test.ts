/**
 * Random networks of elementwise operators, products, sums and softmax: whatever follows whatever, the program of forward and backward pass
 * must be well-formed (no overflow, no division by what may be zero, no subnormal that could be seen).
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lintModel } from "../../../shared/compile/lint.ts";
import type { OnnxModel, OnnxNode } from "../../../shared/onnx/model.ts";
import { OnnxType } from "../../../shared/onnx/model.ts";
import { Random } from "../../helpers/random.ts";

const UNARY =
  "Abs Celu Elu Erf Exp Gelu HardSigmoid HardSwish LeakyRelu Log LogSoftmax Neg Reciprocal Relu Selu Sigmoid Softmax Softplus Softsign Sqrt Tanh";
const BINARY = "Add Div MatMul Max Mean Min Mul PRelu Sub Sum";
const SIZE = 3;

function randomModel(seed: number): OnnxModel {
  const random = new Random(seed);
  const nodes: OnnxNode[] = [];
  const weights = ["w0", "w1"];
  const values = ["x", ...weights];
  const add = (operator: string, inputs: string[], attributes: OnnxNode["attributes"] = {}): void => {
    const output = `t${nodes.length}`;
    nodes.push({ name: `${operator}${nodes.length}`, operator, domain: "", inputs, outputs: [output], attributes });
    values.push(output);
  };
  const recent = (): string => values[Math.max(0, values.length - 1 - random.below(4))]!;
  add("MatMul", ["x", "w0"]);
  add("Mul", ["t0", "w1"]);
  for (let n = random.between(3, 14); n > 0; n--) {
    const kind = random.below(8);
    if (kind === 0) add("Pow", [recent(), random.pick(["two", "three", "half", "minusOne", "minusHalf"])]);
    else if (kind === 1) add("Clip", [recent(), "minusOne", "three"]);
    else if (kind === 2)
      add(random.pick(["Mul", "Div", "Add", "Sub"]), [recent(), random.pick(["two", "minusOne", "half"])]);
    else if (kind <= 4) add(random.pick(BINARY.split(" ")), [recent(), recent()]);
    else add(random.pick(UNARY.split(" ")), [recent()]);
  }
  const number = (name: string, value: number): OnnxNode => ({
    name,
    operator: "Constant",
    domain: "",
    inputs: [],
    outputs: [name],
    attributes: { value_float: { kind: "float", value } },
  });
  const numbers = [
    number("two", 2),
    number("three", 3),
    number("half", 0.5),
    number("minusOne", -1),
    number("minusHalf", -0.5),
  ];
  return {
    irVersion: 10,
    producer: "",
    operatorSets: [{ domain: "", version: 20 }],
    graph: {
      name: "chain",
      nodes: [...numbers, ...nodes],
      initializers: weights.map((name) => ({
        name,
        type: OnnxType.float32,
        dimensions: [SIZE, SIZE],
        data: Float32Array.from({ length: SIZE * SIZE }, () => random.unit()),
      })),
      inputs: [{ name: "x", type: OnnxType.float32, dimensions: [SIZE, SIZE] }],
      outputs: [{ name: values.at(-1)!, type: 0, dimensions: null }],
    },
  };
}

const COUNT = process.env.TOUCHSTONE_DEEP === "1" ? 2000 : 120;

describe("random networks", () => {
  test(`${COUNT} of them are well-formed`, () => {
    for (let seed = 1; seed <= COUNT; seed++) {
      const model = randomModel(seed);
      const findings = lintModel(model).findings.filter(
        ({ problem }) => !/has no parameter|cannot be trained/.test(problem),
      );
      const said = model.graph.nodes.map(({ operator, inputs, outputs }) => `${outputs} = ${operator}(${inputs})`);
      assert.deepEqual(findings, [], `seed ${seed}: ${said.join("; ")}`);
    }
  });
});
