/** Plays recorded tests again, on contracts whose code was changed, and tells the first answer that is another. */
import { network } from "hardhat";

export type Answer =
  | { readonly result: string }
  | { readonly failure: string }
  | { readonly status: string; readonly logs: readonly string[] }
  | { readonly pending: true };

type Transaction = Readonly<Record<string, string>>;

export type Step =
  | { readonly kind: "connect"; readonly chain: number }
  | {
      readonly kind: "send";
      readonly chain: number;
      readonly transaction: Transaction;
      readonly timestamp: string;
      readonly answer: Answer;
    }
  | { readonly kind: "call"; readonly chain: number; readonly transaction: Transaction; readonly answer: Answer }
  | { readonly kind: "snapshot" | "revert"; readonly chain: number; readonly name: number }
  | { readonly kind: "mine"; readonly chain: number; readonly blocks: string; readonly timestamp: string }
  | { readonly kind: "other"; readonly chain: number; readonly method: string; readonly params: unknown[] };

type Provider = { request(request: { method: string; params?: unknown[] }): Promise<unknown> };

/** Creation code by creation code: hex without 0x. */
export type Replacements = readonly { readonly from: string; readonly to: string }[];

/** Gas of every call and transaction: enough for code that no optimizer has seen, little enough that an endless loop ends soon. */
const GAS = 120_000_000;

export class Replayer {
  readonly #provider: Provider;
  #genesis = "";

  private constructor(provider: Provider) {
    this.#provider = provider;
  }

  static async create(): Promise<Replayer> {
    const { provider } = await network.connect({
      override: {
        allowUnlimitedContractSize: true,
        allowBlocksWithSameTimestamp: true,
        blockGasLimit: 30_000_000_000n,
        transactionGasCap: false,
        // Before every recording.
        initialDate: new Date("2020-01-01"),
      } as never,
    });
    const replayer = new Replayer(provider as unknown as Provider);
    replayer.#genesis = (await replayer.#ask("evm_snapshot")) as string;
    return replayer;
  }

  /** The position of the first step whose answer is not the recorded one; −1 where there is none. */
  async firstDifference(steps: readonly Step[], replacements: Replacements): Promise<number> {
    const snapshots = new Map<number, string>();
    for (const [at, step] of steps.entries()) {
      switch (step.kind) {
        case "connect":
          await this.#reset();
          snapshots.clear();
          break;
        case "snapshot":
          snapshots.set(step.name, (await this.#ask("evm_snapshot")) as string);
          break;
        case "revert":
          await this.#ask("evm_revert", [snapshots.get(step.name)]);
          snapshots.set(step.name, (await this.#ask("evm_snapshot")) as string);
          break;
        case "mine":
          // The time recorded is the last block's.
          await this.#ask("evm_setNextBlockTimestamp", [
            quantity(Number(step.timestamp) - Math.max(0, Number(step.blocks) - 1)),
          ]);
          await this.#ask("hardhat_mine", [step.blocks, "0x1"]);
          break;
        case "other":
          await this.#ask(step.method, step.params);
          break;
        case "send":
          if (!same(await this.#send(step.transaction, step.timestamp, replacements), step.answer)) return at;
          break;
        case "call":
          if (!same(await this.#call(step.transaction), step.answer)) return at;
          break;
      }
    }
    return -1;
  }

  /** Puts code on a fresh chain; the function returned calls it. */
  async deployCode(bytecode: string): Promise<(data: string) => Promise<Answer>> {
    await this.#reset();
    const from = await this.#account();
    const hash = await this.#ask("eth_sendTransaction", [{ from, data: `0x${bytecode}`, gas: quantity(GAS) }]);
    const { contractAddress } = (await this.#ask("eth_getTransactionReceipt", [hash])) as { contractAddress: string };
    return (data) => this.#call({ to: contractAddress, data });
  }

  /** The position of the first call of the code that reverts; −1 where there is none. */
  async firstFailure(bytecode: string, datas: readonly string[]): Promise<number> {
    const call = await this.deployCode(bytecode);
    for (const [at, data] of datas.entries()) if ("failure" in (await call(data))) return at;
    return -1;
  }

  /**
   * A recording without what depends on block hashes, which are other ones wherever code or gas is: of every stretch between two
   * resets of the chain, what comes behind the first such answer.
   */
  async withoutBlockHashes(steps: readonly Step[], replacements: Replacements): Promise<Step[]> {
    let kept = [...steps];
    for (;;) {
      const at = await this.firstDifference(kept, replacements);
      if (at < 0) return kept;
      const isReset = ({ kind }: Step): boolean => kind === "revert" || kind === "connect";
      const end = kept.findIndex((step, i) => i > at && isReset(step));
      kept = withoutOrphans([...kept.slice(0, at), ...(end < 0 ? [] : kept.slice(end))]);
    }
  }

  async #account(): Promise<string> {
    return ((await this.#ask("eth_accounts")) as string[])[0]!;
  }

  async #reset(): Promise<void> {
    await this.#ask("evm_revert", [this.#genesis]);
    this.#genesis = (await this.#ask("evm_snapshot")) as string;
  }

  async #send(transaction: Transaction, timestamp: string, replacements: Replacements): Promise<Answer> {
    const { from, to, value } = transaction;
    const data = to === undefined ? replaced(transaction.data ?? "0x", replacements) : transaction.data;
    const sent = { from, to, value, data, gas: quantity(GAS) };
    await this.#ask("evm_setNextBlockTimestamp", [timestamp]);
    try {
      const hash = await this.#ask("eth_sendTransaction", [sent]);
      const receipt = (await this.#ask("eth_getTransactionReceipt", [hash])) as Receipt;
      const logs = receipt.logs.map(({ address, topics, data: bytes }) => [address, ...topics, bytes].join(" "));
      return { status: receipt.status, logs };
    } catch (error) {
      return failure(error);
    }
  }

  async #call({ from, to, data, value }: Transaction): Promise<Answer> {
    try {
      const result = await this.#ask("eth_call", [{ from, to, data, value, gas: quantity(GAS) }, "latest"]);
      return { result: result as string };
    } catch (error) {
      return failure(error);
    }
  }

  #ask(method: string, params: unknown[] = []): Promise<unknown> {
    return this.#provider.request({ method, params });
  }
}

/** Drops the stretches that go back to a snapshot that is no longer taken. */
function withoutOrphans(steps: readonly Step[]): Step[] {
  const taken = new Set<number>();
  let orphaned = false;
  return steps.filter((step) => {
    if (step.kind === "connect") taken.clear();
    if (step.kind === "connect" || step.kind === "revert") {
      orphaned = step.kind === "revert" && !taken.has(step.name);
    }
    if (!orphaned && step.kind === "snapshot") taken.add(step.name);
    return !orphaned;
  });
}

interface Receipt {
  readonly status: string;
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[];
}

function quantity(value: number): string {
  return `0x${value.toString(16)}`;
}

function replaced(data: string, replacements: Replacements): string {
  for (const { from, to } of replacements) {
    if (data.startsWith(`0x${from}`)) return `0x${to}${data.slice(2 + from.length)}`;
  }
  return data;
}

function failure(error: unknown): Answer {
  const data = (error as { data?: unknown }).data;
  const bytes = typeof data === "string" ? data : (data as { data?: string } | undefined)?.data;
  return { failure: bytes ?? "0x" };
}

function same(actual: Answer, recorded: Answer): boolean {
  return "pending" in recorded || JSON.stringify(actual) === JSON.stringify(recorded);
}
