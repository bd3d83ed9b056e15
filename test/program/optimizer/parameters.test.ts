import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parameterIndices } from "../../../shared/program/optimizer/parameters.ts";

const namesOf = (state: readonly { name: string; shape: readonly number[] }[]) =>
  parameterIndices(state).map((index) => state[index]!.name);
const tensors = (...names: string[]) => names.map((name) => ({ name, shape: [2, 3] }));

describe("parameterIndices", () => {
  it("leaves out the moments of every parameter", () => {
    assert.deepEqual(namesOf(tensors("a", "b.weight", "a.m", "b.weight.m", "a.v", "b.weight.v")), ["a", "b.weight"]);
  });

  it("keeps parameters that only sound like moments", () => {
    assert.deepEqual(namesOf(tensors("head.v", "head.k", "head.v.m", "head.k.m", "head.v.v", "head.k.v")), [
      "head.v",
      "head.k",
    ]);
    assert.deepEqual(namesOf(tensors("head", "head.v")), ["head", "head.v"]);
    assert.deepEqual(
      namesOf([
        { name: "head", shape: [4] },
        { name: "head.m", shape: [2] },
        { name: "head.v", shape: [2] },
      ]),
      ["head", "head.m", "head.v"],
    );
  });
});
