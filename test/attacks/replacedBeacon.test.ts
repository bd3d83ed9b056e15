/**
 * Whoever has the block of a beacon replaced: digests that were taken for the one before accuse honest verifiers, and convict the one that
 * reveals its own.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import type { ServiceContext } from "../../shared/service/context.ts";
import { Journal } from "../../shared/service/journal.ts";
import { MarketBook } from "../../shared/service/marketBook.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { Attestations } from "../../verifier/attestations.ts";
import { Draws } from "../../verifier/draws.ts";
import { Prosecution } from "../../verifier/prosecution.ts";
import { Replayer } from "../../verifier/replayer.ts";
import { Replays } from "../../verifier/replays.ts";
import { TaskDesk, type TaskDeskParts } from "../../verifier/taskDesk.ts";
import { honestCheckpoints, loadedSmallTask } from "../dispute/loadedSmallTask.ts";
import { bytes32, MARKET, protocolEvent, removed, SOLVER, VERIFIER } from "../helpers/protocolEvents.ts";

const OWN = "0x00000000000000000000000000000000000000c2";
const small = loadedSmallTask();
// Time enough for the slowest machine.
const task = { ...small, spec: { ...small.spec, sealWindow: 100, clock: 1e6, answerGrace: 1e6 } };
const { taskId } = task;
const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
const store = new DirectoryStore(path.join(folder, "store"));
const journal = Journal.open(folder, "test");
after(async () => {
  journal.close();
  await rm(folder, { recursive: true });
});
const { checkpoints } = await honestCheckpoints(task, store);

const drawnBy = (digit: string) =>
  protocolEvent("SegmentDrawn", { taskId, segment: 0, beacon: bytes32(digit), sampled: true });

/** A verifier that is drawn for segment 0 beside another. `stored` is what the chain says. */
function begin() {
  const stored = { now: 10, status: 0, beacon: "a" };
  const sent: string[] = [];
  const told: { event: string; code?: string }[] = [];
  const book = new MarketBook(MARKET);
  book.apply(protocolEvent("TaskPosted", { taskId, requester: VERIFIER, nonce: 0n, spec: { draws: 2 } }));
  book.apply(protocolEvent("TaskAccepted", { taskId, solver: SOLVER }));
  book.apply(protocolEvent("CheckpointAppended", { taskId, segment: 0, ...checkpoints[0]! }));
  const first = drawnBy("a");
  book.apply(first);
  const read = ({ functionName, args }: { functionName: string; args: readonly unknown[] }): unknown => {
    if (functionName === "drawnSeat") return [0n, args[2] === 0n ? VERIFIER : OWN, true];
    if (functionName === "windowsOf") return [100n, 200n, 300n];
    if (functionName === "attestationOf") return { status: stored.status, openDisputes: 0 };
    if (functionName === "segmentOf") {
      return { stateRoot: checkpoints[0]!.stateRoot, beacon: bytes32(stored.beacon) };
    }
    return assert.fail(functionName);
  };
  const context = {
    store,
    output: { json: true, event: (event: string, fields: object) => told.push({ event, ...fields }), note() {} },
    signal: new AbortController().signal,
    deployment: { market: MARKET },
    chain: { client: { readContract: async (call: Parameters<typeof read>[0]) => read(call) } },
    sender: { address: OWN, send: async ({ functionName }: { functionName: string }) => sent.push(functionName) },
  } as unknown as ServiceContext;
  const watch = { book, now: async () => stored.now };
  const desk = new TaskDesk(taskId, { context, watch, journal, purse: {} } as unknown as TaskDeskParts);
  const draws = new Draws(desk);
  const replayer = new Replayer(task, store, () => desk.booked.checkpoints);
  const replays = new Replays(desk, draws, {
    watchAll: false,
    replayer: async () => replayer,
    onDifferent: () => assert.fail(),
  });
  const attestations = new Attestations(desk, draws, replays, async () => task);
  const look = async (...parts: { attend(): void }[]): Promise<void> => {
    for (const part of parts) {
      part.attend();
      await desk.chores.settle();
    }
  };
  const replaceBeacon = (): void => {
    book.apply(removed(first));
    book.apply(drawnBy("b"));
    stored.beacon = "b";
  };
  return { book, stored, sent, told, desk, draws, replays, attestations, look, replaceBeacon };
}

describe("a verifier whose segment's beacon is replaced", () => {
  it("replays again, and accuses nobody for the new beacon's digest", async () => {
    const { book, told, desk, draws, replays, look, replaceBeacon } = begin();
    await look(draws, replays);
    const stale = replays.of(0)!;
    replaceBeacon();
    assert.deepEqual([draws.of(0), replays.of(0), draws.own()], [undefined, undefined, []]);
    await look(draws, replays);
    const { digests } = replays.of(0)!;
    const truth = await new Replayer(task, store, () => checkpoints).replay(0, {
      digests: { beacon: bytes32("b"), verifiers: [VERIFIER, OWN] },
    });
    assert.deepEqual(digests, truth.digests);
    assert.notDeepEqual(digests, stale.digests);
    const prosecution = new Prosecution(
      desk,
      () => undefined,
      () => assert.fail(),
    );
    const reveal = (digestRoot: unknown): void => {
      book.apply(protocolEvent("AttestationSealed", { taskId, segment: 0, verifier: VERIFIER, seat: 0n }));
      book.apply(protocolEvent("AttestationRevealed", { taskId, segment: 0, verifier: VERIFIER, digestRoot }));
      prosecution.checkDigests(replays);
    };
    const faults = () => told.filter(({ event }) => event === "fault").length;
    reveal(truth.digests.get(VERIFIER));
    assert.equal(faults(), 0);
    reveal(stale.digests.get(VERIFIER));
    assert.equal(faults(), 1);
  });

  it("does not reveal what it sealed for the one before", async () => {
    for (const replaced of [false, true]) {
      const { stored, sent, told, draws, replays, attestations, look, replaceBeacon } = begin();
      await look(draws, replays, attestations);
      assert.deepEqual(sent, ["seal"]);
      // Its own seal is included again, after another beacon.
      if (replaced) replaceBeacon();
      stored.status = 1;
      stored.now = 150;
      await look(draws, replays, attestations, attestations);
      assert.deepEqual(sent, replaced ? ["seal"] : ["seal", "reveal"]);
      const problems = told.filter(({ event }) => event === "problem").map(({ code }) => code);
      assert.deepEqual(problems, replaced ? ["BEACON_REPLACED"] : []);
    }
  });

  it("seals again for the new one, where the first seal is gone", async () => {
    const { stored, sent, draws, replays, attestations, look, replaceBeacon } = begin();
    await look(draws, replays, attestations);
    replaceBeacon();
    await look(draws, replays, attestations);
    stored.status = 1;
    stored.now = 150;
    await look(attestations);
    assert.deepEqual(sent, ["seal", "seal", "reveal"]);
  });
});
