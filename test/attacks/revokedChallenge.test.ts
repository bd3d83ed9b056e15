/**
 * Whoever has an honest challenge taken back by a reorganisation, or the false checkpoint that it is about replaced by a true one: the
 * challenge must be made again in the first case, and never in the second.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServiceContext } from "../../shared/service/context.ts";
import { MarketBook } from "../../shared/service/marketBook.ts";
import { Prosecution } from "../../verifier/prosecution.ts";
import { TaskDesk, type TaskDeskParts } from "../../verifier/taskDesk.ts";
import { bytes32, MARKET, protocolEvent, removed, SOLVER, VERIFIER } from "../helpers/protocolEvents.ts";

const taskId = bytes32("1");
const training = { program: { operatorCount: 3, stateCount: 2 } };
const appended = (root: string) =>
  protocolEvent("CheckpointAppended", { taskId, segment: 0, stateRoot: bytes32(root), locator: bytes32("9") });

/** A verifier that has found the checkpoint of segment 0 false. */
function begin() {
  const sent: string[] = [];
  const book = new MarketBook(MARKET);
  const spec = { draws: 2, challengeWindow: 1000, clock: 1e6, choiceGrace: 0, training };
  book.apply(protocolEvent("TaskPosted", { taskId, requester: SOLVER, nonce: 0n, spec }));
  book.apply(protocolEvent("TaskAccepted", { taskId, solver: SOLVER }));
  const lie = appended("2");
  book.apply(lie);
  const send = async ({ functionName }: { functionName: string }) => {
    sent.push(functionName);
    return { hash: "0x", gasUsed: 1n };
  };
  const context = {
    output: { event() {}, note() {} },
    signal: new AbortController().signal,
    deployment: { market: MARKET },
    chain: { client: { readContract: async () => [100n, 200n, 1000n] } },
    sender: { address: VERIFIER, send },
  } as unknown as ServiceContext;
  const purse = { spend: (_bond: unknown, _what: string, pay: () => Promise<unknown>) => pay() };
  const watch = { book, now: async () => 0 };
  const desk = new TaskDesk(taskId, { context, watch, purse } as unknown as TaskDeskParts);
  const prover = { evidence: async () => ({}), progress: () => ({ done: 4, stepCount: 4, seconds: 0 }) };
  const prosecution = new Prosecution(
    desk,
    () => undefined,
    async () => prover as never,
  );
  prosecution.accuse(0, SOLVER);
  const look = async (): Promise<void> => {
    prosecution.attend();
    await desk.chores.settle();
  };
  return { sent, book, lie, prosecution, look };
}

describe("a challenge of a chain that is reorganised", () => {
  it("is made again when it was taken back, and only then", async () => {
    const { sent, book, look } = begin();
    await look();
    // The log may be behind.
    await look();
    assert.deepEqual(sent, ["challenge"]);
    const subject = { training, taskId, segment: 0, defendant: SOLVER, stepCount: 4 };
    const opened = () =>
      protocolEvent("DisputeOpened", { disputeId: bytes32("d"), market: MARKET, challenger: VERIFIER, subject });
    const first = opened();
    book.apply(first);
    await look();
    assert.deepEqual(sent, ["challenge"]);
    book.apply(removed(first));
    await look();
    assert.deepEqual(sent, ["challenge", "challenge"]);
    book.apply(opened());
    book.apply(protocolEvent("DisputeMoot", { disputeId: bytes32("d") }));
    await look();
    assert.equal(sent.length, 2);
  });

  it("is not made of the checkpoint that replaced the false one", async () => {
    const { sent, book, lie, prosecution, look } = begin();
    book.apply(removed(lie));
    book.apply(appended("3"));
    await look();
    assert.deepEqual(sent, []);
    // Another fault, not the one before.
    prosecution.accuse(0, SOLVER);
    await look();
    assert.deepEqual(sent, ["challenge"]);
  });
});
