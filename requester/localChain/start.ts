/**
 * Local chains for the demo and the end-to-end tests: Hardhat's or anvil, each in its own process. Only whoever starts a local
 * chain may move its time; programs judge clocks by block time alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { TouchstoneError } from "../../shared/errors.ts";
import { endWithThisProcess } from "./endWithThisProcess.ts";

export type LocalChainKind = "hardhat" | "anvil";

export interface LocalChain {
  readonly url: string;
  /** Moves block time forward and mines a block. */
  advance(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

export class LocalChainError extends TouchstoneError {
  readonly code = "LOCAL_CHAIN";
}

const ROOT = path.resolve(import.meta.dirname, "../..");
const ANVIL = path.join(ROOT, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
const START_TIMEOUT_MILLISECONDS = 30_000;

/** Whether this installation has the chain: Hardhat's always, anvil's where its platform package was installed. */
export function hasLocalChain(kind: LocalChainKind): boolean {
  return kind === "hardhat" || existsSync(ANVIL);
}

/**
 * @param chain one to start, or the address of a development node that runs already: it must have the public test accounts
 * and let its time be moved, and is left running.
 * @throws LocalChainError when the chain's program is absent or does not come up.
 */
export async function startLocalChain(chain: LocalChainKind | URL): Promise<LocalChain> {
  if (chain instanceof URL) return control(chain.href, async () => {});
  return await spawnChain(chain);
}

/** Moves the chain's time by the methods that Hardhat and anvil share. */
function control(url: string, stop: () => Promise<void>): LocalChain {
  return {
    url,
    stop,
    async advance(seconds) {
      await rpc(url, "evm_increaseTime", [seconds]);
      await rpc(url, "evm_mine", []);
    },
  };
}

async function spawnChain(kind: LocalChainKind): Promise<LocalChain> {
  if (!hasLocalChain(kind)) {
    throw new LocalChainError("anvil is not installed here.", {
      remedy: "Its npm package exists for linux-x64; use --chain hardhat, or --chain URL with a node of your own.",
    });
  }
  const child =
    kind === "hardhat"
      ? spawn(process.execPath, [path.join(import.meta.dirname, "hardhatNode.ts")], {
          cwd: ROOT,
          stdio: ["pipe", "pipe", "pipe"],
        })
      : spawn(
          ANVIL,
          ["--port", "0", "--mixed-mining", "--block-time", "1", "--hardfork", "osaka", "--enable-tx-gas-limit"],
          {
            stdio: ["pipe", "pipe", "pipe"],
          },
        );
  endWithThisProcess(child);
  const url = await announcedUrl(child, kind);
  return control(url, async () => {
    if (child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    await ended;
  });
}

async function announcedUrl(child: ChildProcess, kind: LocalChainKind): Promise<string> {
  let output = "";
  return await new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(new LocalChainError(`the local ${kind} chain did not start: ${why}\n${output.slice(-2000)}`.trimEnd()));
    const timer = setTimeout(() => {
      child.kill();
      fail(`no answer within ${START_TIMEOUT_MILLISECONDS / 1000} s`);
    }, START_TIMEOUT_MILLISECONDS);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`it ended with exit code ${code}`));
    child.stderr?.on("data", (chunk) => {
      output += chunk;
    });
    createInterface({ input: child.stdout! }).on("line", (line) => {
      output += `${line}\n`;
      const found = /"url":"([^"]+)"/.exec(line)?.[1] ?? /^Listening on (\S+)/.exec(line)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      child.removeAllListeners("exit");
      resolve(found.startsWith("http") ? found : `http://${found}`);
    });
  });
}

async function rpc(url: string, method: string, params: unknown[]): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { error } = (await response.json()) as { error?: { message: string } };
  if (error !== undefined) throw new LocalChainError(`${method} failed on the local chain: ${error.message}`);
}
