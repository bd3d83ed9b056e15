/** Whoever fills the game with disputes of a market of its own: what a book keeps of them it reads again with every log that is taken back. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { ProtocolEvent } from "../../shared/chain/followProtocol.ts";
import { MarketBook } from "../../shared/service/marketBook.ts";
import { bytes32, MARKET, protocolEvent, removed, VERIFIER } from "../helpers/protocolEvents.ts";

it("costs a book nothing in a reorganisation, and one rebuild for all logs of its own", () => {
  const book = new MarketBook(MARKET);
  let reads = 0;
  const counted = (event: ProtocolEvent): ProtocolEvent => {
    const { args } = event;
    return Object.defineProperty(event, "args", {
      enumerable: true,
      get: () => {
        reads++;
        return args;
      },
    });
  };
  const apply = (events: ProtocolEvent[]): void => {
    for (const event of events) book.apply(event);
  };
  const foreign = [
    counted(protocolEvent("DisputeOpened", { disputeId: bytes32("c"), market: VERIFIER, subject: {} })),
    ...Array.from({ length: 1000 }, () => counted(protocolEvent("NodeOpened", { disputeId: bytes32("c") }))),
  ];
  const seats = Array.from({ length: 1000 }, (_, seat) =>
    counted(protocolEvent("SeatJoined", { seat: BigInt(seat), verifier: VERIFIER })),
  );
  apply([...foreign, ...seats]);
  assert.equal(book.seats.size, 1000);
  const gone = [...foreign.slice(-500), ...seats.slice(-500)].map(removed);
  reads = 0;
  apply(gone);
  assert.equal(book.seats.size, 500);
  // Each of the seats that stayed, a few times.
  assert.ok(reads <= 500 * 4, `${reads} reads`);
  reads = 0;
  apply(foreign.map(removed));
  assert.equal(book.seats.size, 500);
  apply([protocolEvent("SeatJoined", { seat: 500n, verifier: VERIFIER })]);
  assert.equal(book.seats.size, 501);
});
