import assert from "node:assert/strict";
import { test } from "node:test";
import { parameterIndices } from "../../../shared/compile/optimizer/parameters.ts";

test("parameters and running statistics are the model's, moments and outputs are not", () => {
  const roles = [undefined, "parameter", "moment", "running", "output", "moment"] as const;
  const state = roles.map((role) => (role === undefined ? {} : { role }));
  assert.deepEqual(parameterIndices(state), [0, 1, 3]);
});
