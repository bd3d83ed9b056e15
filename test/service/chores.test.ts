import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Chores } from "../../shared/service/chores.ts";
import type { ServiceContext } from "../../shared/service/context.ts";

/** What chores need of a context: where problems are told. */
function recording(): { context: ServiceContext; problems: string[] } {
  const problems: string[] = [];
  const output = {
    json: true,
    event: (_: string, { chore }: { chore: string }) => problems.push(chore),
    note: () => {},
  };
  return { context: { output, signal: new AbortController().signal } as unknown as ServiceContext, problems };
}

describe("Chores", () => {
  it("does each of several chores that are started together, again and again", async () => {
    const chores = new Chores(recording().context);
    const done = new Map<string, number>();
    const start = (name: string): void =>
      chores.start(name, async () => {
        await Promise.resolve();
        done.set(name, (done.get(name) ?? 0) + 1);
      });
    for (let round = 0; round < 50; round++) {
      for (const name of ["dispute 1", "dispute 2", "dispute 3"]) start(name);
      await Promise.resolve();
    }
    await chores.settle();
    assert.deepEqual([...done.keys()].sort(), ["dispute 1", "dispute 2", "dispute 3"]);
    assert.ok([...done.values()].every((count) => count > 1));
  });

  it("does a chore that was started again meanwhile once more, as it was started last", async () => {
    const chores = new Chores(recording().context);
    const done: string[] = [];
    let release = (): void => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    chores.start("chore", async () => {
      await first;
      done.push("first");
    });
    chores.start("chore", async () => void done.push("second"));
    const last = new Promise<void>((resolve) => {
      chores.start("chore", async () => {
        done.push("last");
        resolve();
      });
    });
    release();
    await last;
    assert.deepEqual(done, ["first", "last"]);
  });

  it("tells a failure, and goes on with the others", async () => {
    const { context, problems } = recording();
    const chores = new Chores(context);
    let done = false;
    chores.start("failing", async () => {
      throw new RangeError("no");
    });
    chores.start("other", async () => {
      done = true;
    });
    await chores.settle();
    assert.deepEqual(problems, ["failing"]);
    assert.ok(done);
  });
});
