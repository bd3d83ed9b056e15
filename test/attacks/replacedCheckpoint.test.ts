/**
 * Whoever has any log of the market or of its game taken back by a reorganisation, its own or another's: a verifier that goes on with the
 * checkpoints it once read is blind to later ones, and calls the true one that replaced a false one different.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { MarketBook } from "../../shared/service/marketBook.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { CheckpointReplacedError, Replayer } from "../../verifier/replayer.ts";
import { honestCheckpoints, loadedSmallTask } from "../dispute/loadedSmallTask.ts";
import { bytes32, MARKET, protocolEvent, removed, SOLVER, VERIFIER } from "../helpers/protocolEvents.ts";

const task = loadedSmallTask();
const { taskId } = task;
const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
const store = new DirectoryStore(folder);
after(() => rm(folder, { recursive: true }));
const { checkpoints } = await honestCheckpoints(task, store);

const appended = (segment: number, checkpoint = checkpoints[segment]!) =>
  protocolEvent("CheckpointAppended", { taskId, segment, ...checkpoint });

function begin(): { book: MarketBook; replayer: Replayer } {
  const book = new MarketBook(MARKET);
  book.apply(protocolEvent("TaskPosted", { taskId, requester: VERIFIER, nonce: 0n, spec: { draws: 2 } }));
  book.apply(protocolEvent("TaskAccepted", { taskId, solver: SOLVER }));
  return { book, replayer: new Replayer(task, store, () => book.tasks.get(taskId)?.checkpoints ?? []) };
}

describe("a verifier of a chain that is reorganised", () => {
  it("replays what is committed after any log was taken back", async () => {
    const { book, replayer } = begin();
    book.apply(appended(0));
    assert.equal((await replayer.replay(0)).verdict, "equal");
    const seat = protocolEvent("SeatJoined", { seat: 0n, verifier: VERIFIER });
    book.apply(seat);
    book.apply(removed(seat));
    for (const segment of [1, 2]) book.apply(appended(segment));
    for (const segment of [1, 2]) assert.equal((await replayer.replay(segment)).verdict, "equal");
    assert.equal((await replayer.evidence(2)).endRoot, checkpoints[2]!.stateRoot);
  });

  it("judges the true checkpoint that replaced a false one, and starts from it", async () => {
    const { book, replayer } = begin();
    // Of another state, which the store has.
    const lie = appended(0, checkpoints[1]);
    book.apply(lie);
    book.apply(appended(1));
    assert.equal((await replayer.replay(0)).verdict, "different");
    assert.equal(stateRoot(await replayer.before(1)), checkpoints[1]!.stateRoot);
    const misled = await replayer.evidence(1);
    book.apply(removed(lie));
    await assert.rejects(replayer.replay(1), CheckpointReplacedError);
    await assert.rejects(replayer.evidence(1), CheckpointReplacedError);
    book.apply(appended(0));
    assert.equal((await replayer.replay(0)).verdict, "equal");
    assert.equal((await replayer.replay(1)).verdict, "equal");
    const evidence = await replayer.evidence(1);
    assert.notEqual(misled.endRoot, evidence.endRoot);
    assert.equal(evidence.endRoot, checkpoints[1]!.stateRoot);
  });

  it("says nothing about a checkpoint that is replaced while it is replayed", async () => {
    const { book, replayer } = begin();
    const lie = appended(0, { stateRoot: bytes32("2"), locator: checkpoints[0]!.locator });
    book.apply(lie);
    const replaying = replayer.replay(0);
    book.apply(removed(lie));
    book.apply(appended(0));
    await assert.rejects(replaying, CheckpointReplacedError);
    assert.equal((await replayer.replay(0)).verdict, "equal");
  });
});
