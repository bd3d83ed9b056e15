import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { forwardModel } from "../../examples/solidity-mlp/write.ts";
import { decodeModel } from "../../shared/program/onnx/decode.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../examples/solidity-mlp");

test("the checked-in forward model is what its script writes for the task file", () => {
  const file = readFileSync(path.join(FOLDER, "forward.onnx"));
  assert.ok(file.equals(forwardModel(FOLDER)), "run node examples/solidity-mlp/write.ts");
});

test("the example has more than 100000 parameters", () => {
  const { initializers } = decodeModel(readFileSync(path.join(FOLDER, "forward.onnx"))).graph;
  assert.ok(initializers.reduce((sum, { data }) => sum + data.length, 0) > 100_000);
});
