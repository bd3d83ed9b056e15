import type { Command } from "commander";
import { createOutput } from "../../shared/cli.ts";
import { parsePort } from "../../shared/programOptions.ts";
import { shutdownSignal } from "../../shared/service/shutdown.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { serveStore } from "../../shared/store/serve.ts";

interface ServeStoreCommandOptions {
  readonly host: string;
  readonly port: number;
  readonly readOnly?: boolean;
  readonly json?: boolean;
}

export function addServeStore(program: Command): void {
  program
    .command("serve-store")
    .argument("<directory>", "the store's directory")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <n>", "port to listen on", parsePort, 8420)
    .option("--read-only", "refuse uploads")
    .option("--json", "one JSON object a line")
    .summary("share a store with programs on other machines")
    .description(
      "Serves a directory store over HTTP, until interrupted: its address is what the programs take as --store.\n" +
        "Uploads need the bearer token in TOUCHSTONE_STORE_TOKEN when that is set; set it where strangers can connect.",
    )
    .action(async (directory: string, { host, port, readOnly = false, json = false }: ServeStoreCommandOptions) => {
      const output = createOutput(json);
      const token = process.env.TOUCHSTONE_STORE_TOKEN;
      const server = await serveStore(new DirectoryStore(directory), {
        host,
        port,
        readOnly,
        ...(token === undefined ? {} : { token }),
        onError: (error) => output.note(`a request failed: ${error.message}`),
      });
      output.event("serving", { url: server.url, directory }, `serving ${directory} at ${server.url}`);
      const signal = shutdownSignal();
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      await server.close();
      output.event("stopped", {}, "stopped");
    });
}
