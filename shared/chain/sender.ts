/**
 * Sends transactions of one account and sees each of them through: simulated first, in nonce order, until exactly this
 * transaction (or its own replacement at a higher fee) is included, never past its deadline in block time.
 */
import {
  type Abi,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  type DecodeFunctionResultParameters,
  decodeFunctionResult,
  type EncodeFunctionDataParameters,
  encodeFunctionData,
  type Hex,
  type PrivateKeyAccount,
  type TransactionReceipt,
} from "viem";
import { blockTime } from "./clock.ts";
import { type Chain, requireFunds } from "./connect.ts";
import { protocolErrors } from "./contracts.ts";
import { type ContractRevertError, TransactionLateError } from "./errors.ts";
import { currentFees, type Fees } from "./fees.ts";
import { type Payload, PendingTransaction } from "./pendingTransaction.ts";
import { chainError, revertData, revertError } from "./revert.ts";

/** Gas that one transaction may use at most (EIP-7825). */
export const TRANSACTION_GAS_CAP = 2n ** 24n;

export interface SenderOptions {
  /** Blocks that contain or follow the transaction before it counts; 1 by default. */
  readonly confirmations?: number;
  /** Milliseconds without inclusion after which the fee is raised; 30 000 by default. */
  readonly stallMs?: number;
  /** Milliseconds after which the sender stops waiting; 600 000 by default. */
  readonly giveUpMs?: number;
  /** Highest fee for a unit of gas, in wei. */
  readonly maximumFeePerGas?: bigint;
  /** Told of every included transaction, also of one that reverted. */
  readonly onIncluded?: (included: Included) => void;
}

export interface SendOptions {
  /** Last second of block time in which the transaction makes sense. */
  readonly deadline?: number;
}

/** A transaction that the chain contains. */
export interface Included {
  /** The function, for messages. */
  readonly what: string;
  readonly hash: Hex;
  readonly gasUsed: bigint;
  readonly receipt: TransactionReceipt;
}

export type Mutability = "nonpayable" | "payable";

/** A call of a contract's function. */
export interface Call<abi extends Abi, name extends ContractFunctionName<abi, Mutability>> {
  readonly address: Address;
  readonly abi: abi;
  readonly functionName: name;
  readonly args: ContractFunctionArgs<abi, Mutability, name>;
}

/** What a call returned when it was simulated, and its inclusion. */
export interface Sent<result> extends Included {
  readonly result: result;
}

interface Request {
  readonly what: string;
  readonly to: Address;
  readonly data: Hex;
  /** Where its custom errors are looked up. */
  readonly abi: Abi;
}

export class Sender {
  readonly chain: Chain;
  readonly account: PrivateKeyAccount;
  /** Gas of all included transactions together. */
  gasUsed = 0n;
  readonly #options: SenderOptions;
  /** Transactions between broadcast and inclusion. */
  #inFlight = 0;
  /** After the last transaction of this sender. */
  #nextNonce = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(chain: Chain, account: PrivateKeyAccount, options: SenderOptions = {}) {
    this.chain = chain;
    this.account = account;
    this.#options = options;
  }

  get address(): Address {
    return this.account.address;
  }

  /**
   * Calls a function and waits until the call is included. Calls made together are sent in order without waiting for each other;
   * await the first when the second depends on it.
   * @throws ContractRevertError when the contract refuses (its `hash` is set when that cost gas), TransactionLateError after the
   * deadline, NoFundsError, NonceTakenError, TransactionPendingError, ChainRefusedError, ChainUnreachableError.
   */
  async send<const abi extends Abi, name extends ContractFunctionName<abi, Mutability>>(
    call: Call<abi, name>,
    options: SendOptions = {},
  ): Promise<Sent<ContractFunctionReturnType<abi, Mutability, name>>> {
    const { address, functionName } = call;
    const abi: Abi = [...call.abi, ...protocolErrors()];
    const data = encodeFunctionData(call as unknown as EncodeFunctionDataParameters);
    const { returned, ...included } = await this.#perform({ what: functionName, to: address, data, abi }, options);
    const result: unknown = decodeFunctionResult({
      abi,
      functionName,
      data: returned,
    } as DecodeFunctionResultParameters);
    return { ...included, result: result as ContractFunctionReturnType<abi, Mutability, name> };
  }

  async #perform(request: Request, { deadline }: SendOptions): Promise<Included & { readonly returned: Hex }> {
    try {
      const launched = this.#turn.then(() => this.#launch(request, deadline));
      // One launch at a time: the order of nonces is the order of calls.
      this.#turn = launched.catch(() => undefined);
      const { pending, returned } = await launched;
      const receipt = await pending.included().finally(() => {
        this.#inFlight--;
      });
      const { transactionHash: hash, gasUsed } = receipt;
      const included: Included = { what: request.what, hash, gasUsed, receipt };
      this.gasUsed += gasUsed;
      this.#options.onIncluded?.(included);
      if (receipt.status === "reverted") throw await this.#reasonOf(request, receipt);
      return { ...included, returned };
    } catch (error) {
      throw chainError(error, request.what, this.chain.url, request.abi);
    }
  }

  async #launch(request: Request, deadline: number | undefined) {
    const { what, to, data } = request;
    const { client } = this.chain;
    const { address } = this;
    if (deadline !== undefined) {
      const now = await blockTime(this.chain);
      if (now > deadline) throw new TransactionLateError(what, deadline, now);
    }
    // Not on pending state: not every node keeps one.
    const blockTag = "latest";
    const [estimate, simulated, fees, count] = await Promise.all([
      client.estimateGas({ account: address, to, data, blockTag }),
      client.call({ account: address, to, data, blockTag }),
      currentFees(this.chain, this.#options.maximumFeePerGas),
      client.getTransactionCount({ address, blockTag: "pending" }),
    ]);
    const gas = withMargin(estimate);
    await requireFunds(this.chain, address, gas * fees.maxFeePerGas);
    const next = Math.max(count, this.#nextNonce);
    // Without anything in flight the node knows best: a reorganisation may have freed nonces.
    const nonce = this.#inFlight === 0 ? count : next;
    const payload = { what, to, data, gas, deadline };
    const pending = await this.#broadcast({ ...payload, nonce }, fees).catch((error) => {
      // The node's count was behind.
      if (nonce === next || !/nonce too low/i.test(String(error))) throw error;
      return this.#broadcast({ ...payload, nonce: next }, fees);
    });
    return { pending, returned: simulated.data ?? "0x" };
  }

  async #broadcast(payload: Payload, fees: Fees): Promise<PendingTransaction> {
    const { confirmations = 1, stallMs = 30_000, giveUpMs = 600_000, maximumFeePerGas } = this.#options;
    const patience = { confirmations, stallMs, giveUpMs, maximumFeePerGas };
    const pending = new PendingTransaction(this.chain, this.account, payload, fees, patience);
    await pending.launch();
    this.#nextNonce = payload.nonce + 1;
    this.#inFlight++;
    return pending;
  }

  /** Why an included transaction reverted: the same call, made again around its block. */
  async #reasonOf({ what, to, data, abi }: Request, receipt: TransactionReceipt): Promise<ContractRevertError> {
    for (const blockNumber of [receipt.blockNumber, receipt.blockNumber - 1n]) {
      try {
        await this.chain.client.call({ account: this.address, to, data, blockNumber });
      } catch (error) {
        const found = revertData(error);
        if (found !== undefined) return revertError(what, abi, found, receipt.transactionHash);
      }
    }
    return revertError(what, abi, undefined, receipt.transactionHash);
  }
}

/** The chain may differ a little when the transaction is included. */
function withMargin(estimate: bigint): bigint {
  const gas = estimate + estimate / 4n + 20_000n;
  return gas < TRANSACTION_GAS_CAP ? gas : TRANSACTION_GAS_CAP;
}
