/** Whoever has the verdict of a dispute taken back by a reorganisation: who takes it for over lets the clock of its live dispute run out. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { ServiceContext } from "../../shared/service/context.ts";
import { DisputePlayer } from "../../shared/service/disputePlayer.ts";
import { MarketBook } from "../../shared/service/marketBook.ts";
import { bytes32, MARKET, protocolEvent, removed, SOLVER, VERIFIER } from "../helpers/protocolEvents.ts";

it("plays a dispute on whose verdict was taken back", async () => {
  const disputeId = bytes32("d");
  const training = { program: { operatorCount: 3, stateCount: 2 } };
  const subject = { training, taskId: bytes32("1"), segment: 0, defendant: SOLVER, stepCount: 4 };
  const book = new MarketBook(MARKET);
  book.apply(protocolEvent("DisputeOpened", { disputeId, market: MARKET, challenger: VERIFIER, subject }));
  const told: string[] = [];
  const stored = {
    walk: { level: 1, height: 0, index: 0, lo: 0, hi: 0 },
    clock: { turn: 0, defendant: 300, challenger: 300, movedAt: 0 },
  };
  const client = { readContract: async () => stored, getBlock: async () => ({ timestamp: 1n }) };
  const context = {
    output: { event: (event: string) => told.push(event), note: () => undefined },
    signal: new AbortController().signal,
    deployment: { game: MARKET, market: MARKET },
    chain: { pollingMs: 1, client },
  } as unknown as ServiceContext;
  let asked = 0;
  const player = new DisputePlayer(context, {
    role: "defendant",
    move: async () => {
      asked++;
      return null;
    },
  });
  const attend = async (): Promise<void> => {
    player.attend(book.disputes.get(disputeId)!);
    await player.settle();
  };
  await attend();
  assert.equal(asked, 1);
  const verdict = protocolEvent("DisputeResolved", { disputeId, defendantConvicted: false, reason: 2 });
  book.apply(verdict);
  await attend();
  await attend();
  book.apply(removed(verdict));
  await attend();
  assert.equal(asked, 2);
  book.apply(verdict);
  await attend();
  assert.deepEqual(told, ["dispute", "resolved", "resolved"]);
});
