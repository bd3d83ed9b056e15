import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { forwardProgram } from "../../requester/forwardProgram.ts";
import { prepareTask } from "../../requester/prepare.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { stepInputs } from "../../shared/job/job.ts";
import { validate } from "../../shared/job/validate.ts";

describe("forwardProgram", () => {
  it("gives the training program's logits and loss without its gradients, moments and schedule", async () => {
    const { job, initialState } = (await prepareTask("examples/solidity-mlp/task.json")).taskPackage;
    const { program, kept } = forwardProgram(job.program);
    assert.deepEqual(validate(program), []);
    assert.ok(program.operators.length < job.program.operators.length / 2);
    assert.equal(program.state.length, job.program.state.length / 3);
    const state = kept.map((index) => initialState[index]!);
    const whole = await new ReferenceEngine(job.program).trace(stepInputs(job, 0, initialState));
    const forward = await new ReferenceEngine(program).trace(stepInputs({ ...job, program }, 0, state));
    assert.equal(forward.loss, whole.loss);
    assert.deepEqual(forward.outputs[program.logits!], whole.outputs[job.program.logits!]);
    assert.deepEqual(forward.state, state);
  });
});
