/**
 * What others rely on without our knowing: the ABI of what is deployed, with its selectors, and where its storage lies. Both are
 * compared with test/snapshots; this writes them anew:
 *
 *     TOUCHSTONE_UPDATE_SNAPSHOTS=1 node --test test/contracts/interface.test.ts
 */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type AbiParameter, toEventSelector, toFunctionSelector } from "viem";
import { type Analysed, analyse, type StorageField, type StorageType } from "./support/solc.ts";

const root = path.resolve(import.meta.dirname, "../..");
const DEPLOYED = ["TrainingMarket", "DisputeGame", "Referee"];

/** Interfaces and the layers of what is deployed say nothing more. */
const DEPLOYED_OR_LIBRARY = /^contracts\/(\w+\.sol|(libraries|rules)\/)/;

const analysed = analyse(DEPLOYED.map((name) => `contracts/${name}.sol`));
const own = [...analysed].filter(([name]) => name.startsWith("contracts/"));

function contract(name: string): Analysed {
  const found = analysed.get(`contracts/${name}.sol:${name}`);
  assert.ok(found, `${name} is not compiled`);
  return found;
}

describe("the interface", () => {
  it("is what the snapshot says", () => {
    const shown = own.filter(([name, { abi }]) => abi.length > 0 && DEPLOYED_OR_LIBRARY.test(name));
    const interfaces = shown.map(([name, { abi }]) => [name.split(":")[1]!, abi.map(describeItem).sort()] as const);
    compare("abi.json", {
      ...Object.fromEntries(interfaces.sort(([a], [b]) => (a < b ? -1 : 1))),
      structs: Object.fromEntries([...structs].sort(([a], [b]) => (a < b ? -1 : 1))),
    });
  });

  it("lets no two signatures share a selector", () => {
    // What every contract may revert with, beside its own errors.
    const signatures = new Map([
      ["0x08c379a0", "error Error(string)"],
      ["0x4e487b71", "error Panic(uint256)"],
    ]);
    let events = 0;
    for (const [, { abi }] of own) {
      for (const item of abi) {
        if (item.type === "constructor" || item.type === "fallback" || item.type === "receive") continue;
        const signature = `${item.name}(${item.inputs.map(typeOf).join(",")})`;
        const selector = item.type === "event" ? toEventSelector(signature) : toFunctionSelector(signature);
        if (item.type === "event") events++;
        const said = `${item.type} ${signature}`;
        assert.equal(signatures.get(selector) ?? said, said, `${selector} stands for both`);
        signatures.set(selector, said);
      }
    }
    assert.ok(signatures.size > 100 && events > 20, `${signatures.size} signatures, ${events} events`);
  });

  it("has no error that no test names", () => {
    const files = globSync(["test/**/*.ts", "contracts/**/*.t.sol"], {
      cwd: root,
      exclude: ["test/contracts/interface.test.ts"],
    });
    const tests = files.map((file) => readFileSync(path.join(root, file), "utf8")).join("\n");
    const errors = new Set(
      DEPLOYED.flatMap((name) => contract(name).abi.flatMap((item) => (item.type === "error" ? [item.name] : []))),
    );
    const unnamed = [...errors].filter((name) => !new RegExp(`\\b${name}\\b`).test(tests)).sort();
    assert.deepEqual(unnamed, Object.keys(UNNAMED).sort());
  });
});

describe("the storage", () => {
  it("lies where the snapshot says", () => {
    const layouts = DEPLOYED.map((name) => {
      const { storage, types } = contract(name).storageLayout;
      return [name, storage.map((field) => describeField(field, types ?? {}))] as const;
    });
    compare("storage-layout.json", Object.fromEntries(layouts));
  });

  it("of the referee is empty: it decides by what it is given alone", () => {
    assert.deepEqual(contract("Referee").storageLayout.storage, []);
  });
});

/** Errors that no test names, and why. */
const UNNAMED: Readonly<Record<string, string>> = {
  AddressEmptyCode: "of OpenZeppelin: the game calls itself, so there is code",
  FailedCall: "of OpenZeppelin: only for a call without a reason, and every move has one",
  GasTooLow: "met by what it does: test/contracts/market.test.ts, starving a receiver",
  InvalidShortString: "of OpenZeppelin: the domain's name and version are constants",
  SafeCastOverflowedUintDowncast: "needs 2^144 units of a token",
  SafeERC20FailedOperation: "of OpenZeppelin: a token that says no without reverting",
  StringTooLong: "of OpenZeppelin: the domain's name and version are constants",
  TileHashFailed: "needs the SHA-256 precompile to run out of gas with enough left to say so",
};

function compare(file: string, actual: unknown): void {
  const snapshot = fileURLToPath(new URL(`../snapshots/${file}`, import.meta.url));
  if (process.env.TOUCHSTONE_UPDATE_SNAPSHOTS === "1") writeFileSync(snapshot, `${JSON.stringify(actual, null, 2)}\n`);
  assert.deepEqual(actual, JSON.parse(readFileSync(snapshot, "utf8")));
}

/** The canonical type, as selectors count it. */
function typeOf(parameter: AbiParameter): string {
  if (!("components" in parameter)) return parameter.type;
  return `(${parameter.components.map(typeOf).join(",")})${parameter.type.slice("tuple".length)}`;
}

/** The fields of every struct that a signature names. */
const structs = new Map<string, string>();

type Parameter = AbiParameter & { readonly indexed?: boolean };

function describeParameter(parameter: Parameter): string {
  const words = [parameter.type];
  if ("components" in parameter) {
    const name = parameter.internalType!.replace(/^struct /, "");
    words[0] = name;
    structs.set(name.replace(/\[.*$/, ""), parameter.components.map(describeParameter).join(", "));
  }
  if (parameter.indexed) words.push("indexed");
  if (parameter.name) words.push(parameter.name);
  return words.join(" ");
}

function describeItem(item: Analysed["abi"][number]): string {
  if (item.type === "fallback" || item.type === "receive") return item.type;
  const inputs = (item.inputs as readonly Parameter[]).map(describeParameter).join(", ");
  if (item.type === "constructor") return `constructor(${inputs})`;
  const signature = `${item.name}(${item.inputs.map(typeOf).join(",")})`;
  if (item.type === "event") return `event ${item.name}(${inputs}) ${toEventSelector(signature)}`;
  const selector = toFunctionSelector(signature);
  if (item.type === "error") return `error ${item.name}(${inputs}) ${selector}`;
  const outputs = item.outputs.map(describeParameter).join(", ");
  return `function ${item.name}(${inputs}) ${item.stateMutability} returns (${outputs}) ${selector}`;
}

function describeField(
  { label, slot, offset, type }: StorageField,
  types: Readonly<Record<string, StorageType>>,
): object {
  return { field: label, slot: Number(slot), offset, ...describeType(type, types) };
}

/** A type by its name, with the fields of every struct in it. */
function describeType(name: string, types: Readonly<Record<string, StorageType>>): object {
  const { label, numberOfBytes, value, base, members } = types[name]!;
  const inner = value ?? base;
  return {
    type: label,
    bytes: Number(numberOfBytes),
    ...(inner === undefined ? {} : { of: describeType(inner, types) }),
    ...(members === undefined ? {} : { fields: members.map((field) => describeField(field, types)) }),
  };
}
