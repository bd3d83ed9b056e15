/** Pays the market in its token: checks the balance, approves exactly what a call takes, one call at a time. */
import { type Address, erc20Abi } from "viem";
import { contractAbi } from "../chain/contracts.ts";
import { ContractRevertError } from "../chain/errors.ts";
import { formatAmount, readTokenUnit, type TokenUnit } from "../chain/token.ts";
import { TouchstoneError } from "../errors.ts";
import type { ProgramContext } from "../programOptions.ts";

export class NoTokensError extends TouchstoneError {
  readonly code = "NO_TOKENS";
  readonly balance: bigint;
  readonly needed: bigint;
  constructor(account: Address, token: Address, balance: bigint, needed: bigint, what: string, unit: TokenUnit) {
    const amounts = `${formatAmount(balance, unit)}, ${what} needs ${formatAmount(needed, unit)}`;
    super(`${account} has ${amounts} (token ${token}).`, { remedy: "Fund the account and try again." });
    this.balance = balance;
    this.needed = needed;
  }
}

/** Times that an amount is read before somebody else's rise is taken for more than bad luck. */
const ATTEMPTS = 5;

export class Purse {
  readonly #context: ProgramContext;
  #unit: Promise<TokenUnit> | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: ProgramContext) {
    this.#context = context;
  }

  /** @throws NoTokensError when the account does not hold `amount`. */
  async require(amount: bigint, what: string): Promise<void> {
    const { chain, deployment, sender } = this.#context;
    const { token } = deployment;
    const balance = await chain.client.readContract({
      address: token,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [sender.address],
    });
    if (balance >= amount) return;
    throw new NoTokensError(sender.address, token, balance, amount, what, await this.unit());
  }

  /**
   * Makes a call that takes `amount` from the account. Payments wait for each other, since an approval replaces the one before.
   * An amount that has risen since it was read (a bond, by somebody else's dispute) is read again.
   * @throws NoTokensError, and what `pay` throws.
   */
  async spend<result>(amount: () => Promise<bigint>, what: string, pay: () => Promise<result>): Promise<result> {
    const payment = this.#turn.then(async () => {
      for (let attempt = 1; ; attempt++) {
        const needed = await amount();
        await this.require(needed, what);
        await this.#approve(needed);
        try {
          return await pay();
        } catch (error) {
          if (!isAllowanceTooLow(error) || attempt === ATTEMPTS) throw error;
        }
      }
    });
    this.#turn = payment.catch(() => undefined);
    return payment;
  }

  /** How people write amounts of the market's token. */
  unit(): Promise<TokenUnit> {
    this.#unit ??= readTokenUnit(this.#context.chain, this.#context.deployment.token);
    return this.#unit;
  }

  /** Takes what the market owes this account; returns how much that was. */
  async withdraw(): Promise<bigint> {
    const { chain, deployment, sender } = this.#context;
    const call = { address: deployment.market, abi: contractAbi("TrainingMarket"), args: [sender.address] } as const;
    const credit = await chain.client.readContract({ ...call, functionName: "credit" });
    if (credit > 0n) await sender.send({ ...call, functionName: "withdraw" });
    return credit;
  }

  async #approve(amount: bigint): Promise<void> {
    const { chain, deployment, sender } = this.#context;
    const allowance = await chain.client.readContract({
      address: deployment.token,
      abi: erc20Abi,
      functionName: "allowance",
      args: [sender.address, deployment.market],
    });
    if (allowance >= amount) return;
    await sender.send({
      address: deployment.token,
      abi: erc20Abi,
      functionName: "approve",
      args: [deployment.market, amount],
    });
  }
}

function isAllowanceTooLow(error: unknown): boolean {
  return error instanceof ContractRevertError && error.errorName === "ERC20InsufficientAllowance";
}
