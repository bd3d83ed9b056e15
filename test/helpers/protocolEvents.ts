/** Logs of a market and its game, as the follower tells them, for books that are written without a chain. */
import type { ProtocolEvent } from "../../shared/chain/followProtocol.ts";

export const MARKET = "0x00000000000000000000000000000000000000AA";
export const SOLVER = "0x00000000000000000000000000000000000000b1";
export const VERIFIER = "0x00000000000000000000000000000000000000c1";

export const bytes32 = (digit: string): `0x${string}` => `0x${digit.repeat(64)}`;

let logIndex = 0;

/** A log of its own, whatever it says. */
export function protocolEvent(eventName: string, args: object): ProtocolEvent {
  const log = { removed: false, blockHash: bytes32("e"), blockNumber: 5n, logIndex: logIndex++ };
  // SAFETY: what a book reads of a log is here.
  return { eventName, args, ...log } as unknown as ProtocolEvent;
}

/** The same log, taken back by a reorganisation. */
export function removed(event: ProtocolEvent): ProtocolEvent {
  return { ...event, removed: true } as ProtocolEvent;
}
