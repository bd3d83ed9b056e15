import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProtocolEvent } from "../../shared/chain/followProtocol.ts";
import { attestationKey, MarketBook } from "../../shared/service/marketBook.ts";

const MARKET = "0x00000000000000000000000000000000000000AA";
const SOLVER = "0x00000000000000000000000000000000000000b1";
const VERIFIER = "0x00000000000000000000000000000000000000c1";
const bytes32 = (digit: string): `0x${string}` => `0x${digit.repeat(64)}`;
const TASK = bytes32("1");
const DISPUTE = bytes32("d");

let logIndex = 0;
function event(eventName: string, args: object, removed = false): ProtocolEvent {
  // SAFETY: what the book reads of a log is here.
  return {
    eventName,
    args,
    removed,
    blockHash: bytes32("e"),
    blockNumber: 5n,
    logIndex: logIndex++,
  } as unknown as ProtocolEvent;
}

function bookOf(events: readonly ProtocolEvent[]): MarketBook {
  const book = new MarketBook(MARKET);
  for (const each of events) book.apply(each);
  return book;
}

const subject = {
  training: { program: { operatorCount: 3, stateCount: 2 } },
  taskId: TASK,
  segment: 0,
  defendant: SOLVER,
  stepCount: 4,
};
const posted = event("TaskPosted", { taskId: TASK, requester: VERIFIER, nonce: 0n, spec: { draws: 2 } });
const accepted = event("TaskAccepted", { taskId: TASK, solver: SOLVER });
const checkpoint = (segment: number, root: string) =>
  event("CheckpointAppended", { taskId: TASK, segment, stateRoot: bytes32(root), locator: bytes32("9") });
const opened = event("DisputeOpened", {
  disputeId: DISPUTE,
  market: MARKET.toLowerCase(),
  challenger: VERIFIER,
  subject,
});

test("a task's life", () => {
  const book = bookOf([
    posted,
    accepted,
    checkpoint(0, "2"),
    event("SegmentDrawn", { taskId: TASK, segment: 0, beacon: bytes32("b"), sampled: true }),
    event("AttestationSealed", { taskId: TASK, segment: 0, verifier: VERIFIER, seat: 0n }),
    event("AttestationRevealed", { taskId: TASK, segment: 0, verifier: VERIFIER, digestRoot: bytes32("f") }),
  ]);
  const task = book.tasks.get(TASK)!;
  assert.deepEqual([task.state, task.solver, task.postedBlock], ["accepted", SOLVER, 5n]);
  assert.deepEqual(task.checkpoints, [{ stateRoot: bytes32("2"), locator: bytes32("9") }]);
  assert.deepEqual(task.draws.get(0), { beacon: bytes32("b"), sampled: true });
  assert.equal(task.attestations.get(attestationKey(0, VERIFIER))?.digestRoot, bytes32("f"));
  book.apply(event("TaskFailed", { taskId: TASK, solver: SOLVER, convicted: true }));
  assert.deepEqual([task.state, task.convicted], ["failed", true]);
});

test("a dispute's walk follows its logs; other markets' disputes are not this book's", () => {
  const book = bookOf([
    posted,
    accepted,
    opened,
    event("Answered", { disputeId: DISPUTE, segmentRoot: bytes32("5"), level: 3 }),
  ]);
  const { walk, challenger } = book.disputes.get(DISPUTE)!;
  assert.equal(challenger, VERIFIER);
  assert.deepEqual([walk.position.level, walk.position.height, walk.turn], [3, 3, "defendant"]);
  const foreign = { disputeId: bytes32("c"), market: VERIFIER, challenger: VERIFIER, subject };
  book.apply(event("DisputeOpened", foreign));
  book.apply(event("NodeOpened", { disputeId: bytes32("c"), children: [] }));
  assert.equal(book.disputes.size, 1);
});

test("what a reorganisation takes back is forgotten, with all that followed from it", () => {
  const replaced = checkpoint(0, "2");
  const answered = event("Answered", { disputeId: DISPUTE, segmentRoot: bytes32("5"), level: 3 });
  const book = bookOf([posted, accepted, replaced, opened, answered]);
  book.apply({ ...answered, removed: true } as ProtocolEvent);
  assert.equal(book.disputes.get(DISPUTE)!.walk.position.level, 1);
  book.apply({ ...opened, removed: true } as ProtocolEvent);
  book.apply({ ...replaced, removed: true } as ProtocolEvent);
  assert.equal(book.disputes.size, 0);
  assert.deepEqual(book.tasks.get(TASK)!.checkpoints, []);
  book.apply(checkpoint(0, "3"));
  assert.equal(book.tasks.get(TASK)!.checkpoints[0]!.stateRoot, bytes32("3"));
});
