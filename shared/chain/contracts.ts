/** The compiled contracts, typed. Files come from `artifacts/`, types from Hardhat's `artifacts.d.ts`. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { ArtifactMap } from "hardhat/types/artifacts";
import type { Abi, Hex } from "viem";
import { TouchstoneError } from "../errors.ts";

export class ContractsNotCompiledError extends TouchstoneError {
  readonly code = "CONTRACTS_NOT_COMPILED";
  constructor(file: string, cause: unknown) {
    super(`The compiled contract ${file} cannot be read.`, { cause, remedy: "Run `npm run compile` first." });
  }
}

const SOURCES = {
  TrainingMarket: "TrainingMarket.sol",
  DisputeGame: "DisputeGame.sol",
  Referee: "Referee.sol",
  LocalToken: "examples/LocalToken.sol",
} as const;

export type ContractName = keyof typeof SOURCES;

export interface Artifact<N extends ContractName> {
  readonly abi: ArtifactMap[N]["abi"];
  readonly bytecode: Hex;
}

const ARTIFACTS = path.resolve(import.meta.dirname, "../../artifacts/contracts");
const read = new Map<string, unknown>();

/** @throws ContractsNotCompiledError. */
export function contractArtifact<N extends ContractName>(name: N, directory = ARTIFACTS): Artifact<N> {
  const file = path.join(directory, SOURCES[name], `${name}.json`);
  if (!read.has(file)) {
    try {
      read.set(file, JSON.parse(readFileSync(file, "utf8")));
    } catch (error) {
      throw new ContractsNotCompiledError(file, error);
    }
  }
  return read.get(file) as Artifact<N>;
}

/** @throws ContractsNotCompiledError. */
export function contractAbi<N extends ContractName>(name: N): Artifact<N>["abi"] {
  return contractArtifact(name).abi;
}

/** Every custom error that a call of the protocol can end in, wherever it comes from. */
export function protocolErrors(): Abi {
  const names = Object.keys(SOURCES) as ContractName[];
  return names.flatMap((name) => (contractAbi(name) as Abi).filter((item) => item.type === "error"));
}
