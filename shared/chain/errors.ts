/** What can go wrong between a program and its chain. */
import { type Address, formatEther, type Hex } from "viem";
import { TouchstoneError } from "../errors.ts";

export class ChainUnreachableError extends TouchstoneError {
  readonly code = "CHAIN_UNREACHABLE";
  constructor(url: string, detail: string, cause?: unknown) {
    super(`No usable answer from the chain at ${url}: ${detail}.`, {
      cause,
      remedy: "Check the address (--rpc) and that the node runs.",
    });
  }
}

/** The node answered, and refused for a reason of its own (a limit, a fee, an unknown method). */
export class ChainRefusedError extends TouchstoneError {
  readonly code = "CHAIN_REFUSED";
  constructor(url: string, detail: string, cause?: unknown) {
    super(`The chain at ${url} refused: ${detail}.`, { cause });
  }
}

export class WrongChainError extends TouchstoneError {
  readonly code = "CHAIN_WRONG";
  readonly expected: number;
  readonly actual: number;
  constructor(url: string, expected: number, actual: number) {
    super(`The chain at ${url} is ${actual}, expected was ${expected}.`, {
      remedy: "Give the address of the right chain (--rpc) or its number (--chain-id).",
    });
    this.expected = expected;
    this.actual = actual;
  }
}

export class NoFundsError extends TouchstoneError {
  readonly code = "CHAIN_NO_FUNDS";
  readonly address: Address;
  readonly balance: bigint;
  readonly needed: bigint;
  constructor(address: Address, balance: bigint, needed: bigint) {
    super(`${address} has ${formatEther(balance)} of the chain's coin, gas may need ${formatEther(needed)}.`, {
      remedy: "Send coins to this address, or use another key.",
    });
    this.address = address;
    this.balance = balance;
    this.needed = needed;
  }
}

export class NoContractError extends TouchstoneError {
  readonly code = "CHAIN_NO_CONTRACT";
  readonly address: Address;
  constructor(address: Address, chainId: number, what: string) {
    super(`There is no ${what} at ${address} on chain ${chainId}.`, {
      remedy: "Check the address (--market) and the chain (--rpc).",
    });
    this.address = address;
  }
}

/** A contract refused. `errorName` is its custom error ("Error" and "Panic" for Solidity's own), undefined when it gave none. */
export class ContractRevertError extends TouchstoneError {
  readonly code = "CONTRACT_REVERT";
  readonly errorName: string | undefined;
  readonly args: readonly unknown[];
  readonly data: Hex | undefined;
  /** Set when the transaction was included and failed there, so that it cost its gas. */
  readonly hash: Hex | undefined;
  constructor(
    what: string,
    revert: { errorName?: string; args?: readonly unknown[]; data?: Hex },
    options: { hash?: Hex; cause?: unknown } = {},
  ) {
    const shown = (revert.args ?? []).map(showArgument).join(", ");
    const reason =
      revert.errorName === undefined ? (revert.data ?? "no reason given") : `${revert.errorName}(${shown})`;
    super(`${what} was refused by the contract: ${reason}.`, { cause: options.cause });
    this.errorName = revert.errorName;
    this.args = revert.args ?? [];
    this.data = revert.data;
    this.hash = options.hash;
  }
}

function showArgument(argument: unknown): string {
  return JSON.stringify(argument, (_, value) => (typeof value === "bigint" ? value.toString() : value));
}

/** Block time has passed the transaction's deadline; it was not sent, or has been replaced, and had no effect. */
export class TransactionLateError extends TouchstoneError {
  readonly code = "TRANSACTION_LATE";
  readonly hash: Hex | undefined;
  constructor(what: string, deadline: number, now: number, hash?: Hex) {
    super(`${what} is too late: its deadline was block time ${deadline}, it is ${now}.`);
    this.hash = hash;
  }
}

/** Sent, and neither included nor refused in the time allowed: it may still happen. */
export class TransactionPendingError extends TouchstoneError {
  readonly code = "TRANSACTION_PENDING";
  readonly hash: Hex;
  constructor(what: string, hash: Hex, seconds: number) {
    super(`${what} (transaction ${hash}) was not included within ${seconds} seconds.`, {
      remedy: "Look the transaction up before you try again.",
    });
    this.hash = hash;
  }
}

/** Another transaction of the same account took the nonce. */
export class NonceTakenError extends TouchstoneError {
  readonly code = "NONCE_TAKEN";
  constructor(what: string, address: Address, nonce: number) {
    super(`${what} was displaced: another transaction of ${address} took nonce ${nonce}.`, {
      remedy: "Use each key in one program at a time.",
    });
  }
}

/** The file with the position in the chain's events cannot be used. */
export class CursorError extends TouchstoneError {
  readonly code = "CURSOR";
  constructor(detail: string, remedy: string, cause?: unknown) {
    super(detail, { cause, remedy });
  }
}

/** The chain changed further back than the follower looks. */
export class ReorganisedError extends TouchstoneError {
  readonly code = "CHAIN_REORGANISED";
  constructor(block: bigint) {
    super(`The chain's block ${block} was replaced, which is deeper than this program follows.`, {
      remedy: "Start again from an empty data directory; on a local chain that was reset, deploy again.",
    });
  }
}
