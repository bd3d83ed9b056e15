/** Whoever has a task's own log taken back and told again by a reorganisation: programs that work on it must outlive the moment without it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServiceContext } from "../../shared/service/context.ts";
import type { Journal } from "../../shared/service/journal.ts";
import type { LoadedTask } from "../../shared/service/loadTask.ts";
import { MarketBook } from "../../shared/service/marketBook.ts";
import { MarketWatch } from "../../shared/service/marketWatch.ts";
import { TaskWorker } from "../../solver/taskWorker.ts";
import { TaskDesk, type TaskDeskParts, TaskRetoldError } from "../../verifier/taskDesk.ts";
import { loadedSmallTask } from "../dispute/loadedSmallTask.ts";
import { MARKET, protocolEvent, removed, SOLVER, VERIFIER } from "../helpers/protocolEvents.ts";

const task = loadedSmallTask();
const { taskId } = task;
const posted = protocolEvent("TaskPosted", { taskId, requester: VERIFIER, nonce: 0n, spec: { draws: 2 } });

/** A watch of a book that somebody else writes: each look is told the next of `looks`. */
function watchOf(looks: (() => void)[]): MarketWatch {
  const book = new MarketBook(MARKET);
  // SAFETY: without the following, a watch is its book, its version and the wait for the next one.
  return Object.create(MarketWatch.prototype, {
    book: { value: book },
    version: { value: 0 },
    next: {
      value: async () => {
        const look = looks.shift();
        assert.ok(look !== undefined, "nothing more is told");
        look();
      },
    },
  });
}

describe("a task that is taken back for a moment", () => {
  it("is waited for by its solver", async () => {
    const told: string[] = [];
    const watch: MarketWatch = watchOf([
      () => watch.book.apply(removed(posted)),
      () => {
        watch.book.apply(posted);
        watch.book.apply(protocolEvent("TaskAccepted", { taskId, solver: SOLVER }));
        watch.book.apply(protocolEvent("TaskFailed", { taskId, solver: SOLVER, convicted: false }));
      },
    ]);
    watch.book.apply(posted);
    const context = {
      signal: new AbortController().signal,
      output: { json: true, event: (event: string) => told.push(event), note: () => undefined },
      deployment: { market: MARKET },
      sender: { address: SOLVER },
      // Nothing of this world answers: neither training nor the end of the task has a part in it.
      chain: { client: { readContract: async () => 0n, getBlock: async () => ({ timestamp: 0n }) } },
    } as unknown as ServiceContext;
    const journal = { entries: () => [] } as unknown as Journal;
    const loaded: LoadedTask = { ...task, engine: { ...task.engine, close: async () => undefined } };
    await new TaskWorker(context, watch, journal, {} as never, loaded).work();
    assert.ok(told.includes("failed"));
  });

  it("is a typed error to whatever of a verifier is under way, and there again afterwards", () => {
    const watch = watchOf([]);
    const desk = new TaskDesk(taskId, { watch, context: {} } as TaskDeskParts);
    watch.book.apply(posted);
    assert.equal(desk.booked.state, "posted");
    watch.book.apply(removed(posted));
    assert.throws(() => desk.booked, TaskRetoldError);
    watch.book.apply(posted);
    assert.equal(desk.booked.state, "posted");
    assert.throws(() => desk.solver, TaskRetoldError);
    watch.book.apply(protocolEvent("TaskAccepted", { taskId, solver: SOLVER }));
    assert.equal(desk.solver, SOLVER);
  });
});
