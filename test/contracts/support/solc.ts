/** The compiler of the npm package, without Hardhat: what it says about sources that artifacts do not keep. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Abi } from "viem";

export interface StorageType {
  readonly label: string;
  readonly numberOfBytes: string;
  readonly key?: string;
  readonly value?: string;
  readonly base?: string;
  readonly members?: readonly StorageField[];
}

export interface StorageField {
  readonly label: string;
  readonly slot: string;
  readonly offset: number;
  readonly type: string;
}

export interface Analysed {
  readonly abi: Abi;
  readonly storageLayout: {
    readonly storage: readonly StorageField[];
    readonly types: Readonly<Record<string, StorageType>> | null;
  };
}

interface Compiler {
  compile(input: string, callbacks: { import(file: string): { contents: string } }): string;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Readonly<Record<string, Analysed>>>>;
}

const root = path.resolve(import.meta.dirname, "../../..");

/** ABI and storage of every contract and library that the sources are made of; generates no code, so it is quick. */
export function analyse(sources: readonly string[]): Map<string, Analysed> {
  const solc: Compiler = createRequire(import.meta.url)("solc");
  const read = (file: string): { contents: string } => {
    const folder = file.startsWith("@") ? path.join(root, "node_modules") : root;
    return { contents: readFileSync(path.join(folder, file), "utf8") };
  };
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(sources.map((file) => [file, { content: read(file).contents }])),
    settings: { evmVersion: "osaka", outputSelection: { "*": { "*": ["abi", "storageLayout"] } } },
  };
  const output: Output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  const found = new Map<string, Analysed>();
  for (const [file, contracts] of Object.entries(output.contracts)) {
    for (const [name, analysed] of Object.entries(contracts)) found.set(`${file}:${name}`, analysed);
  }
  return found;
}
