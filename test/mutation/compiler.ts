/** The npm compiler on a contract and its dependencies alone, with one file replaced. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

export type Sources = Readonly<Record<string, string>>;

export interface Contract {
  readonly file: string;
  readonly name: string;
}

export interface Compiled {
  readonly abi: readonly unknown[];
  /** Creation code in hex, without 0x. */
  readonly bytecode: string;
}

/** A node of the compiler's syntax tree. */
export interface AstNode {
  readonly nodeType: string;
  /** Offset and length in bytes, and the file's number. */
  readonly src: string;
  readonly [field: string]: unknown;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { readonly abi: unknown[]; readonly evm: { readonly bytecode: { readonly object: string } } }>
      >
    >
  >;
  readonly sources?: Readonly<Record<string, { readonly ast: AstNode }>>;
}

type Solc = { compile(input: string): string };

let loaded: Solc | undefined;

/** Loaded once, when first needed: it takes most of a second. */
function compiler(): Solc {
  loaded ??= createRequire(import.meta.url)("solc") as Solc;
  return loaded;
}

/** The files and all that they import, by the names that the compiler knows them by. */
export function sourcesOf(files: readonly string[]): Record<string, string> {
  const sources: Record<string, string> = {};
  const add = (file: string): void => {
    if (sources[file] !== undefined) return;
    const onDisk = file.startsWith("@") ? path.join(ROOT, "node_modules", file) : path.join(ROOT, file);
    const text = readFileSync(onDisk, "utf8");
    sources[file] = text;
    for (const [, target] of text.matchAll(/^\s*import [^;]*?"([^"]+)";/gm)) {
      add(target!.startsWith(".") ? path.join(path.dirname(file), target!) : target!);
    }
  };
  for (const file of files) add(file);
  return sources;
}

function run(sources: Sources, settings: Record<string, unknown>): Output {
  const named = Object.fromEntries(Object.entries(sources).map(([file, content]) => [file, { content }]));
  return JSON.parse(compiler().compile(JSON.stringify({ language: "Solidity", sources: named, settings })));
}

/** The syntax tree of one file. */
export function parse(file: string, text: string): AstNode {
  const { sources } = run({ [file]: text }, { stopAfter: "parsing", outputSelection: { "*": { "": ["ast"] } } });
  return sources![file]!.ast;
}

/**
 * Creation code of the contracts, or null where it does not compile. Without the optimizer, which takes three quarters of the time
 * and changes no result: gas is not what is compared.
 */
export function compile(sources: Sources, contracts: readonly Contract[]): Map<string, Compiled> | null {
  const outputSelection: Record<string, Record<string, string[]>> = {};
  for (const { file, name } of contracts) {
    outputSelection[file] = { ...outputSelection[file], [name]: ["abi", "evm.bytecode.object"] };
  }
  const output = run(sources, { optimizer: { enabled: false }, evmVersion: "osaka", outputSelection });
  if (output.errors?.some(({ severity }) => severity === "error")) return null;
  const compiled = new Map<string, Compiled>();
  for (const { file, name } of contracts) {
    const { abi, evm } = output.contracts![file]![name]!;
    compiled.set(name, { abi, bytecode: evm.bytecode.object });
  }
  return compiled;
}
