import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commitTraining } from "../../shared/job/training.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { EXAMPLES, exampleTask } from "./examples.ts";

describe("the examples", () => {
  for (const name of EXAMPLES) {
    it(`${name} compiles to a well-formed job that can be committed, under its folder's name`, async () => {
      const { task, taskPackage } = await exampleTask(name);
      assert.equal(task.name, name);
      const { job, initialState } = taskPackage;
      requireWellFormedJob(job, initialState);
      assert.match(commitTraining(job, initialState).program.operatorsRoot, /^0x[0-9a-f]{64}$/);
    });
  }
});
