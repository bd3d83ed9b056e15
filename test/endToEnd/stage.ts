/**
 * What end-to-end tests play on: a chain of its own process, the contracts, funded accounts and a store. Programs get from here
 * what any user has: a URL, an address, a store's location and a key.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Address, createTestClient, erc20Abi, type Hex, http, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type ProgramEvent, type ProgramName, ProgramProcess } from "../../requester/demo/programProcess.ts";
import { type LocalAccount, localAccount } from "../../requester/localChain/accounts.ts";
import { deployLocally } from "../../requester/localChain/deploy.ts";
import { type LocalChain, type LocalChainKind, startLocalChain } from "../../requester/localChain/start.ts";
import { type Chain, connect } from "../../shared/chain/connect.ts";
import { contractAbi } from "../../shared/chain/contracts.ts";
import type { Deployment } from "../../shared/chain/deployments.ts";
import { Sender } from "../../shared/chain/sender.ts";
import { putTaskPackage, type TaskPackage } from "../../shared/data/taskPackage.ts";
import { segmentCount } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import type { ServiceContext } from "../../shared/service/context.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import type { ContentId, Store } from "../../shared/store/store.ts";

const TOKEN = 10n ** 18n;
const STARTING_TOKENS = 10_000n * TOKEN;
const STARTING_COINS = 100n * 10n ** 18n;

/** The market's part of a task; windows in seconds of block time. */
export const TERMS = {
  price: 100n * TOKEN,
  solverBond: 400n * TOKEN,
  challengerBond: 50n * TOKEN,
  verifierFee: TOKEN,
  draws: 2,
  sampleRate: 65536,
  checkpointTime: 600,
  replayTime: 60,
  beaconDelay: 1,
  sealWindow: 120,
  revealWindow: 120,
  challengeWindow: 600,
  clock: 300,
  answerGrace: 120,
  choiceGrace: 120,
} as const;
export type Terms = { readonly [name in keyof typeof TERMS]: (typeof TERMS)[name] extends bigint ? bigint : number };

export interface CollectedContext extends ServiceContext {
  readonly events: ProgramEvent[];
}

export class Stage {
  readonly localChain: LocalChain;
  readonly chain: Chain;
  readonly deployment: Deployment;
  readonly store: Store;
  readonly folder: string;
  readonly #processes: ProgramProcess[] = [];
  #used = 1;

  private constructor(localChain: LocalChain, chain: Chain, deployment: Deployment, folder: string) {
    this.localChain = localChain;
    this.chain = chain;
    this.deployment = deployment;
    this.folder = folder;
    this.store = new DirectoryStore(path.join(folder, "store"));
  }

  static async build(kind: LocalChainKind = "hardhat"): Promise<Stage> {
    const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
    const localChain = await startLocalChain(kind);
    const chain = await connect({ url: localChain.url });
    const deployment = await deployLocally(localChain.url, localAccount(0).key);
    return new Stage(localChain, chain, deployment, folder);
  }

  /** An account that nobody else uses, with coin and tokens. */
  async account(tokens = STARTING_TOKENS): Promise<LocalAccount> {
    const account = localAccount(this.#used++);
    // A chain starts with coins for its first twenty accounts.
    const coins = createTestClient({ mode: "hardhat", transport: http(this.localChain.url) });
    await coins.setBalance({ address: account.address, value: STARTING_COINS });
    if (tokens > 0n) {
      await this.sender(account).send({
        address: this.deployment.token,
        abi: contractAbi("LocalToken"),
        functionName: "faucet",
        args: [tokens],
      });
    }
    return account;
  }

  sender({ key }: LocalAccount): Sender {
    return new Sender(this.chain, privateKeyToAccount(key));
  }

  get market() {
    return { address: this.deployment.market, abi: contractAbi("TrainingMarket") } as const;
  }

  /** Publishes a package and posts its task. @param manifest of another package, to deceive. */
  async post(
    requester: LocalAccount,
    taskPackage: TaskPackage,
    terms: Partial<Terms> = {},
    manifest?: ContentId,
  ): Promise<Hex> {
    const spec = { ...TERMS, ...terms };
    const sender = this.sender(requester);
    const escrow = spec.price + spec.verifierFee * BigInt(spec.draws * segmentCount(taskPackage.job));
    await sender.send({
      address: this.deployment.token,
      abi: erc20Abi,
      functionName: "approve",
      args: [this.deployment.market, escrow],
    });
    const { result } = await sender.send({
      ...this.market,
      functionName: "post",
      args: [
        {
          ...spec,
          training: commitTraining(taskPackage.job, taskPackage.initialState),
          manifest: `0x${manifest ?? (await putTaskPackage(this.store, taskPackage))}`,
          receiver: zeroAddress,
        },
      ],
    });
    return result;
  }

  /** What a service works with in this process; its events are collected instead of printed. */
  context(name: string, account: LocalAccount, signal = new AbortController().signal): CollectedContext {
    const events: ProgramEvent[] = [];
    return {
      chain: this.chain,
      deployment: this.deployment,
      store: this.store,
      sender: this.sender(account),
      dataDir: path.join(this.folder, name),
      engine: { threads: 1 },
      signal,
      output: { json: true, event: (event, fields = {}) => events.push({ event, ...fields }), note() {} },
      events,
    };
  }

  /** Starts a program with a key and a folder of its own. */
  start(
    name: string,
    program: ProgramName,
    account: LocalAccount,
    args: readonly string[],
    overriding: readonly string[] = [],
  ): ProgramProcess {
    const common = ["--rpc", this.localChain.url, "--market", this.deployment.market, "--store", this.store.location];
    const folder = path.join(this.folder, name);
    const all = [...args, ...common, "--data-dir", folder, ...overriding];
    const process = new ProgramProcess(name, program, all, {
      TOUCHSTONE_KEY: account.key,
    });
    this.#processes.push(process);
    return process;
  }

  /** Moves block time past `time`, if it is not there yet. */
  async advancePast(time: bigint | number): Promise<void> {
    const { timestamp } = await this.chain.client.getBlock();
    const seconds = Number(BigInt(time) - timestamp) + 1;
    if (seconds > 0) await this.localChain.advance(seconds);
  }

  /** Tokens of an account, its credit in the market included. */
  async tokens(address: Address): Promise<bigint> {
    const { client } = this.chain;
    const [held, credited] = await Promise.all([
      client.readContract({
        address: this.deployment.token,
        abi: erc20Abi,
        functionName: "balanceOf",
        args: [address],
      }),
      client.readContract({ ...this.market, functionName: "credit", args: [address] }),
    ]);
    return held + credited;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop("SIGKILL")));
    await this.localChain.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
