/** The options that all three programs share (docs/cli.md), and what they open. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { privateKeyToAccount } from "viem/accounts";
import { type Chain, connect } from "./chain/connect.ts";
import { type Deployment, readDeployment } from "./chain/deployments.ts";
import { Sender, type SenderOptions } from "./chain/sender.ts";
import { DOT_OPTIONS, type DotOption, type EngineOptions, PROVIDERS, type Provider } from "./engine/provider.ts";
import { loadKey } from "./keys.ts";
import { openStore } from "./store/open.ts";
import type { Store } from "./store/store.ts";

export interface ChainOptions {
  readonly rpc: string;
  readonly chainId?: number;
  readonly market: string;
}

export interface ProgramOptions extends ChainOptions {
  readonly store: string;
  readonly keyFile?: string;
}

/** What a program works with once its options are checked. */
export interface ProgramContext {
  readonly chain: Chain;
  readonly deployment: Deployment;
  readonly store: Store;
  readonly sender: Sender;
}

/** `--rpc`, `--chain-id`, `--market`: enough to read the chain. */
export function addChainOptions(command: Command): Command {
  return command
    .addOption(new Option("--rpc <url>", "JSON-RPC address of the chain").env("TOUCHSTONE_RPC").makeOptionMandatory())
    .addOption(new Option("--chain-id <n>", "refuse any other chain").argParser(parseCount))
    .addOption(
      new Option("--market <address>", "TrainingMarket contract, or a JSON file that names it")
        .env("TOUCHSTONE_MARKET")
        .makeOptionMandatory(),
    )
    .option("--json", "one JSON object a line on standard output, the last one is the result");
}

/** The chain's options, `--store` and `--key-file`: enough to act. */
export function addProgramOptions(command: Command): Command {
  return addKeyOption(addStoreOption(addChainOptions(command)));
}

export function addKeyOption(command: Command): Command {
  return command.option(
    "--key-file <file>",
    "file with the private key (hex, or keystore v3 with TOUCHSTONE_PASSWORD); default: TOUCHSTONE_KEY",
  );
}

export function addStoreOption(command: Command): Command {
  return command.addOption(
    new Option("--store <location>", "content-addressed store: a directory or an http(s) URL")
      .env("TOUCHSTONE_STORE")
      .makeOptionMandatory(),
  );
}

/** Options of a command that runs an engine. */
export interface EngineCommandOptions {
  readonly provider: Provider;
  readonly threads: number;
  readonly dot: DotOption;
}

/** `--provider`, `--threads`, `--dot`: how the engine runs; none of them changes a bit. */
export function addEngineOptions(command: Command): Command {
  return command
    .addOption(new Option("--provider <name>", "what the engine runs on").choices(PROVIDERS).default("cpu"))
    .option("--threads <n>", "threads of the engine", parseCount, 1)
    .addOption(
      new Option("--dot <name>", "how it multiplies matrices; auto measures").choices(DOT_OPTIONS).default("auto"),
    );
}

/** What `addEngineOptions` read. */
export function engineOptions({ provider, threads, dot }: EngineCommandOptions): Required<EngineOptions> {
  return { provider, threads, dot };
}

/** The store of `--store`; uploads over HTTP carry the token in TOUCHSTONE_STORE_TOKEN. @throws StoreLocationError. */
export function openProgramStore(location: string): Store {
  const token = process.env.TOUCHSTONE_STORE_TOKEN;
  return openStore(location, token === undefined ? {} : { token });
}

/** @throws ChainUnreachableError, WrongChainError, NoContractError, DeploymentError. */
export async function openChain(options: ChainOptions): Promise<Pick<ProgramContext, "chain" | "deployment">> {
  const { rpc: url, chainId, market } = options;
  const chain = await connect(chainId === undefined ? { url } : { url, chainId });
  return { chain, deployment: await readDeployment(chain, market) };
}

/** @throws as `openChain`, StoreLocationError, KeyMissingError, KeyInvalidError. */
export async function openProgram(options: ProgramOptions, sending: SenderOptions = {}): Promise<ProgramContext> {
  const store = openProgramStore(options.store);
  const account = privateKeyToAccount(await loadKey(options.keyFile));
  const { chain, deployment } = await openChain(options);
  return { chain, deployment, store, sender: new Sender(chain, account, sending) };
}

/** A positive integer option. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("It must be a positive integer.");
  return Number(text);
}

/** A TCP port option. */
export function parsePort(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError("It must be from 1 to 65535.");
  return Number(text);
}

/** A bytes32 option. */
export function parseBytes32(text: string): `0x${string}` {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError("It must be 0x and 64 hex digits.");
  return text.toLowerCase() as `0x${string}`;
}
