import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LoadedTask } from "../../shared/service/loadTask.ts";
import { Attestations } from "../../verifier/attestations.ts";
import type { Draws } from "../../verifier/draws.ts";
import type { Replays } from "../../verifier/replays.ts";
import type { TaskDesk } from "../../verifier/taskDesk.ts";

/** What a verifier that was drawn says when the time to seal is over and it has sealed nothing. */
async function saidTooLate(state: string, verdict: string | undefined): Promise<unknown[]> {
  const events: unknown[] = [];
  let attesting: Promise<void> = Promise.resolve();
  const desk = {
    taskId: "0x01",
    context: {
      output: { event: (event: string, fields: object) => events.push({ event, ...fields }), note: () => undefined },
      sender: { address: "0x02" },
      chain: { client: { readContract: async () => ({ status: 0, openDisputes: 0 }) } },
    },
    market: {},
    watch: { now: async () => 1000 },
    booked: { state },
    matterOf: () => "segment 3",
    windows: async () => ({ sealEnd: 500, revealEnd: 600, challengeEnd: 2000 }),
    start: (_: string, work: () => Promise<void>) => {
      attesting = work();
    },
  } as unknown as TaskDesk;
  const draws = { own: () => [3] } as unknown as Draws;
  const replays = { of: () => (verdict === undefined ? undefined : { verdict }) } as unknown as Replays;
  const attestations = new Attestations(desk, draws, replays, () => Promise.reject<LoadedTask>(new Error("unused")));
  attestations.attend();
  await attesting;
  assert.ok(attestations.areClosed);
  return events;
}

describe("a drawn verifier that has not sealed in time", () => {
  const missed = [{ event: "missed", taskId: "0x01", segment: 3, window: "seal" }];

  it("says that it was not ready where it had something to seal", async () => {
    assert.deepEqual(await saidTooLate("accepted", undefined), missed);
    assert.deepEqual(await saidTooLate("settled", "equal"), missed);
  });

  it("says nothing where it has found a fault, or the task has failed", async () => {
    assert.deepEqual(await saidTooLate("accepted", "different"), []);
    assert.deepEqual(await saidTooLate("failed", "different"), []);
    assert.deepEqual(await saidTooLate("failed", "equal"), []);
    assert.deepEqual(await saidTooLate("failed", undefined), []);
  });
});
