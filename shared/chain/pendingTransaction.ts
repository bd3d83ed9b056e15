/**
 * One nonce of one account, from the first broadcast to inclusion. Its transaction is sent again at a higher fee when it stalls, and
 * replaced by an empty one when its deadline passes, so that it either happens in time or not at all.
 */
import {
  type Address,
  type Hex,
  keccak256,
  type PrivateKeyAccount,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from "viem";
import { blockTime } from "./clock.ts";
import type { Chain } from "./connect.ts";
import { NonceTakenError, TransactionLateError, TransactionPendingError } from "./errors.ts";
import { currentFees, type Fees, raisedFees } from "./fees.ts";
import { pause } from "./pause.ts";
import { isRevert, isUnreachable } from "./revert.ts";

/** Looks at the chain after which something that should be visible is taken not to exist: nodes index late. */
const PATIENCE = 20;
const EMPTY_TRANSACTION_GAS = 21_000n;

export interface Payload {
  /** For messages. */
  readonly what: string;
  readonly to: Address;
  readonly data: Hex;
  readonly gas: bigint;
  readonly nonce: number;
  readonly deadline: number | undefined;
}

export interface Patience {
  readonly confirmations: number;
  readonly stallMs: number;
  readonly giveUpMs: number;
  readonly maximumFeePerGas: bigint | undefined;
}

interface Attempt {
  readonly hash: Hex;
  readonly raw: Hex;
  readonly empty: boolean;
}

export class PendingTransaction {
  readonly #chain: Chain;
  readonly #account: PrivateKeyAccount;
  readonly #payload: Payload;
  readonly #patience: Patience;
  readonly #attempts: Attempt[] = [];
  #fees: Fees;
  /** The node's refusal to take a transaction that reverts; some nodes include it all the same. */
  #refusal: unknown;

  constructor(chain: Chain, account: PrivateKeyAccount, payload: Payload, fees: Fees, patience: Patience) {
    this.#chain = chain;
    this.#account = account;
    this.#payload = payload;
    this.#fees = fees;
    this.#patience = patience;
  }

  /** Broadcasts for the first time. @throws the node's refusal, when it certainly did not take the transaction. */
  async launch(): Promise<void> {
    const attempt = await this.#sign(false);
    this.#attempts.push(attempt);
    try {
      await this.#broadcast(attempt);
    } catch (error) {
      if (isRevert(error)) this.#refusal = error;
      // A lost connection says nothing about the transaction: it is sent again.
      else if (!isUnreachable(error)) throw error;
    }
  }

  /**
   * The receipt of the included transaction, which may have reverted.
   * @throws TransactionLateError, TransactionPendingError, NonceTakenError, or the node's refusal of a reverting transaction.
   */
  async included(): Promise<TransactionReceipt> {
    const started = Date.now();
    let sentAt = started;
    let misses = 0;
    for (;;) {
      try {
        const receipt = await this.#receipt();
        if (receipt !== undefined) return receipt;
        misses = (await this.#isLost()) ? misses + 1 : 0;
        if (misses > PATIENCE) throw this.#refusal ?? this.#taken();
        const late = await this.#isLate();
        if (late || Date.now() - sentAt >= this.#patience.stallMs) {
          await this.#replace(late);
          sentAt = Date.now();
        }
      } catch (error) {
        if (!isUnreachable(error)) throw error;
      }
      if (Date.now() - started >= this.#patience.giveUpMs) {
        const { what } = this.#payload;
        throw new TransactionPendingError(what, this.#attempts.at(-1)!.hash, this.#patience.giveUpMs / 1000);
      }
      await pause(this.#chain.pollingMs);
    }
  }

  async #receipt(): Promise<TransactionReceipt | undefined> {
    for (const { hash, empty } of this.#attempts) {
      const receipt = await this.#chain.client.getTransactionReceipt({ hash }).catch((error) => {
        if (error instanceof TransactionReceiptNotFoundError) return undefined;
        throw error;
      });
      // The receipt must be of this transaction: nodes have answered with a replacement's.
      if (receipt?.transactionHash !== hash) continue;
      const depth = (await this.#chain.client.getBlockNumber()) - receipt.blockNumber + 1n;
      if (depth < BigInt(this.#patience.confirmations)) continue;
      if (empty) throw this.#late(await blockTime(this.#chain));
      return receipt;
    }
    return undefined;
  }

  /** Whether no attempt can be included any more: the nonce is used, or the node refused. */
  async #isLost(): Promise<boolean> {
    if (this.#refusal !== undefined) return true;
    const { address } = this.#account;
    return (
      (await this.#chain.client.getTransactionCount({ address, blockTag: "latest" })) > this.#payload.nonce &&
      !(await this.#anyIncluded())
    );
  }

  /** An included attempt that still waits for its confirmations. */
  async #anyIncluded(): Promise<boolean> {
    const found = this.#attempts.map(({ hash }) =>
      this.#chain.client.getTransactionReceipt({ hash }).then(
        () => true,
        () => false,
      ),
    );
    return (await Promise.all(found)).includes(true);
  }

  async #isLate(): Promise<boolean> {
    const { deadline } = this.#payload;
    if (deadline === undefined || this.#attempts.at(-1)!.empty) return false;
    return (await blockTime(this.#chain)) > deadline;
  }

  /** Sends again, at a higher fee where the cap allows one. */
  async #replace(empty: boolean): Promise<void> {
    const cap = this.#patience.maximumFeePerGas;
    const raised = raisedFees(this.#fees, await currentFees(this.#chain, cap), cap);
    const last = this.#attempts.at(-1)!;
    if (raised.maxFeePerGas > this.#fees.maxFeePerGas) {
      this.#fees = raised;
      this.#attempts.push(await this.#sign(empty || last.empty));
    }
    // A refusal here means that an earlier attempt stands or is already included.
    await this.#broadcast(this.#attempts.at(-1)!).catch(() => undefined);
  }

  async #sign(empty: boolean): Promise<Attempt> {
    const { to, data, gas, nonce } = this.#payload;
    const common = { type: "eip1559", chainId: this.#chain.chainId, nonce, ...this.#fees } as const;
    const raw = await this.#account.signTransaction(
      empty ? { ...common, to: this.#account.address, gas: EMPTY_TRANSACTION_GAS } : { ...common, to, data, gas },
    );
    return { hash: keccak256(raw), raw, empty };
  }

  async #broadcast({ raw }: Attempt): Promise<void> {
    try {
      await this.#chain.client.sendRawTransaction({ serializedTransaction: raw });
    } catch (error) {
      if (!/already (known|imported)/i.test(String(error))) throw error;
    }
  }

  #taken(): NonceTakenError {
    return new NonceTakenError(this.#payload.what, this.#account.address, this.#payload.nonce);
  }

  #late(now: number): TransactionLateError {
    return new TransactionLateError(this.#payload.what, this.#payload.deadline!, now, this.#attempts[0]!.hash);
  }
}
