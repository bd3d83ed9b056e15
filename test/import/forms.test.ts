/** Models in the forms of exporters that are not on this machine: the numbers are ONNX Runtime's, the gradients difference quotients. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lintModel } from "../../shared/compile/lint.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import * as dynamo from "../fixtures/forms/dynamo.ts";
import * as functions from "../fixtures/forms/functions.ts";
import * as jax from "../fixtures/forms/jax.ts";
import { checkModel, integer } from "./operators/harness.ts";

const PRECISION = { tolerance: 2e-5, gradientTolerance: 5e-4, gradientStride: 3 };

function parametersOf(bytes: Uint8Array): string[] {
  const { findings, parameters } = lintModel(decodeModel(bytes));
  assert.deepEqual(findings, []);
  return parameters.map(({ name }) => name);
}

describe("PyTorch's dynamo exporter", () => {
  const bytes = encodeModel(dynamo.dynamoModel());

  test("transformer block", () =>
    checkModel(bytes, { tokens: integer([2, dynamo.LENGTH], dynamo.VOCABULARY) }, PRECISION));

  test("folded weights are parameters, scales and masks are not", () => {
    const names = parametersOf(bytes);
    assert.equal(names.length, 12);
    assert.deepEqual(
      names.filter((name) => name.startsWith("val_")),
      ["val_4", "val_40", "val_42"],
    );
  });
});

describe("PyTorch's dynamo exporter before 2.5", () => {
  const bytes = functions.functionModel();

  test("network of local functions", () =>
    checkModel(bytes, { tokens: integer([2, functions.LENGTH], functions.VOCABULARY) }, PRECISION));

  test("parameters keep their names", () => {
    const names = ["embedding", "norm", "fc1", "fc2"].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);
    assert.deepEqual(parametersOf(bytes), names.toSpliced(1, 1));
  });
});

describe("JAX by way of jax2tf and tf2onnx", () => {
  const bytes = encodeModel(jax.jaxModel());

  test("transformer block", () =>
    checkModel(bytes, { args_tf_0: integer([2, jax.LENGTH], jax.VOCABULARY) }, PRECISION));

  test("weights are parameters, whatever they are called", () => {
    assert.deepEqual(
      parametersOf(bytes),
      [10, 11, 12, 20, 21, 22, 23, 24, 25, 26].map((number) => `const_fold_opt__${number}`),
    );
  });
});
