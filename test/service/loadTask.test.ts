import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServiceContext } from "../../shared/service/context.ts";
import { loadTask, TaskUnloadableError } from "../../shared/service/loadTask.ts";
import type { BookedTask } from "../../shared/service/marketBook.ts";
import { StoreMissingError } from "../../shared/store/errors.ts";

const TASK_ID = `0x${"07".repeat(32)}` as const;
const booked = { taskId: TASK_ID, spec: { manifest: `0x${"01".repeat(32)}` } } as unknown as BookedTask;

/** A context whose store fails as `error` says. */
function failing(error: Error): ServiceContext {
  return { store: { get: () => Promise.reject(error) }, engine: {} } as unknown as ServiceContext;
}

describe("loading a task that cannot be loaded", () => {
  it("names the task whatever fails in it, so that a program can leave it and go on", async () => {
    const overflow = new RangeError("Maximum call stack size exceeded");
    await assert.rejects(loadTask(failing(overflow), booked), (error: unknown) => {
      assert.ok(error instanceof TaskUnloadableError);
      assert.equal(error.cause, overflow);
      assert.match(error.message, new RegExp(`${TASK_ID}.*call stack`));
      return true;
    });
  });

  it("keeps the errors that say themselves what is wrong", async () => {
    const missing = new StoreMissingError("ab".repeat(32) as never, "somewhere");
    await assert.rejects(loadTask(failing(missing), booked), missing);
  });
});
