/**
 * What the demo plays on: a chain, the contracts, funded accounts and a store. The programs get from here what any user has:
 * a URL, an address, a store's location and a key of their own.
 */
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { erc20Abi } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type Chain, connect } from "../../shared/chain/connect.ts";
import { contractAbi } from "../../shared/chain/contracts.ts";
import type { Deployment } from "../../shared/chain/deployments.ts";
import { Sender } from "../../shared/chain/sender.ts";
import { openStore } from "../../shared/store/open.ts";
import type { Store } from "../../shared/store/store.ts";
import { type LocalAccount, localAccount } from "../localChain/accounts.ts";
import { deployLocally } from "../localChain/deploy.ts";
import { type LocalChain, startLocalChain } from "../localChain/start.ts";
import { type ProgramName, ProgramProcess } from "./programProcess.ts";

/** Tokens that every party starts with. */
export const STARTING_TOKENS = 10_000n * 10n ** 18n;

export const ROLES = ["deployer", "requester", "solver", "cheat", "verifier 1", "verifier 2", "accuser"] as const;
export type Role = (typeof ROLES)[number];

export class Stage {
  readonly chain: Chain;
  readonly deployment: Deployment;
  readonly store: Store;
  readonly #localChain: LocalChain;
  readonly #folder: string;
  readonly #processes: ProgramProcess[] = [];

  private constructor(localChain: LocalChain, chain: Chain, deployment: Deployment, folder: string) {
    this.#localChain = localChain;
    this.chain = chain;
    this.deployment = deployment;
    this.#folder = folder;
    this.store = openStore(path.join(folder, "store"));
  }

  /** @param folder emptied, and left behind with the store and the programs' journals. */
  static async build(kind: "hardhat" | "anvil" | URL, folder: string): Promise<Stage> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const localChain = await startLocalChain(kind);
    const chain = await connect({ url: localChain.url });
    const deployment = await deployLocally(localChain.url, localAccount(0).key);
    const stage = new Stage(localChain, chain, deployment, folder);
    await Promise.all(ROLES.slice(1).map((role) => stage.#mint(role)));
    return stage;
  }

  account(role: Role): LocalAccount {
    return localAccount(ROLES.indexOf(role));
  }

  sender(role: Role): Sender {
    return new Sender(this.chain, privateKeyToAccount(this.account(role).key));
  }

  /** Starts one of the programs as `role`, with that role's key and a folder of its own. */
  start(role: Role, program: ProgramName, args: readonly string[]): ProgramProcess {
    const common = ["--rpc", this.#localChain.url, "--market", this.deployment.market, "--store", this.store.location];
    // The requester's program keeps no journal.
    const journal = program === "requester" ? [] : ["--data-dir", path.join(this.#folder, role.replace(" ", "-"))];
    const process = new ProgramProcess(role, program, [...args, ...common, ...journal], {
      TOUCHSTONE_KEY: this.account(role).key,
    });
    this.#processes.push(process);
    return process;
  }

  /** Tokens that a role holds, its credit in the market included. */
  async balance(role: Role): Promise<bigint> {
    const { address } = this.account(role);
    const { client } = this.chain;
    const { token, market } = this.deployment;
    const [held, credited] = await Promise.all([
      client.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [address] }),
      client.readContract({
        address: market,
        abi: contractAbi("TrainingMarket"),
        functionName: "credit",
        args: [address],
      }),
    ]);
    return held + credited;
  }

  /** Moves block time: only who runs a local chain can. */
  async advance(seconds: number): Promise<void> {
    await this.#localChain.advance(seconds);
  }

  /** Moves block time past `time`, if it is not there yet. */
  async advancePast(time: bigint | number): Promise<void> {
    const { timestamp } = await this.chain.client.getBlock();
    const seconds = Number(BigInt(time) - timestamp) + 1;
    if (seconds > 0) await this.advance(seconds);
  }

  file(name: string): string {
    return path.join(this.#folder, name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    await this.#localChain.stop();
  }

  async #mint(role: Role): Promise<void> {
    await this.sender(role).send({
      address: this.deployment.token,
      abi: contractAbi("LocalToken"),
      functionName: "faucet",
      args: [STARTING_TOKENS],
    });
  }
}
