/** The quick tests that a mutant must pass: each says what it saw when it fails. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { artifacts } from "hardhat";
import { type Abi, type AbiFunction, decodeFunctionResult, encodeFunctionData } from "viem";
import { roundToFloat32 } from "../../shared/numerics/rounding.ts";
import { Random } from "../helpers/random.ts";
import { describeCase, edgeCases, NUMBER_FUNCTIONS, packCases } from "../rules/numberFunctions.ts";
import { type Compiled, type Contract, compile, ROOT, sourcesOf } from "./compiler.ts";
import type { Answer, Replayer, Step } from "./replay.ts";

/** Git-ignored; holds recordings and the journal. */
export const CACHE = path.join(ROOT, "cache", "mutation");

/** What the mutant did that the tests refuse, or null. */
export type Verdict = string | null;
export type Check = (compiled: Compiled) => Promise<Verdict>;

export interface Suite {
  readonly name: string;
  /** What is compiled with the mutant for it. */
  readonly contract: Contract;
  /** The files whose change makes earlier verdicts void. */
  readonly files: readonly string[];
  prepare(replayer: Replayer): Promise<Check>;
}

/** The functions of a Solidity test contract, its fuzz tests with some seeded arguments. */
export function solidityTests(file: string, name: string): Suite {
  const FUZZ_RUNS = 12;
  return {
    name,
    contract: { file, name },
    files: [file],
    prepare: (replayer) =>
      Promise.resolve(async ({ abi, bytecode }) => {
        const random = new Random(71);
        const tests = (abi as Abi).filter(
          (item): item is AbiFunction => item.type === "function" && item.name.startsWith("test"),
        );
        const calls = tests.flatMap((test) => {
          const runs = test.inputs.length === 0 ? 1 : FUZZ_RUNS;
          return Array.from({ length: runs }, () => ({
            test: test.name,
            data: encodeFunctionData({ abi: [test], args: test.inputs.map(({ type }) => anyArgument(random, type)) }),
          }));
        });
        const failed = await replayer.firstFailure(
          bytecode,
          calls.map(({ data }) => data),
        );
        return failed < 0 ? null : calls[failed]!.test;
      }),
  };
}

function anyArgument(random: Random, type: string): unknown {
  if (type === "bool") return random.chance(0.5);
  const [, signed, size] = /^(u?)int(\d+)$/.exec(type) ?? [];
  const bits = Number(size ?? 256);
  let value = 0n;
  for (let word = 0; word < bits; word += 32) value = (value << 32n) | BigInt(random.word());
  value >>= BigInt(random.chance(0.5) ? random.below(bits) : 0);
  if (type.startsWith("bytes")) return `0x${BigInt.asUintN(256, value).toString(16).padStart(64, "0")}`;
  if (bits > 48) return signed ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  return Number(signed ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value));
}

/** Every float32 function over edges, ties and biased random words, against what TypeScript says. */
export function float32Cases(): Suite {
  const CASES = 1500;
  const contract: Contract = { file: "contracts/test/NumericsHarness.sol", name: "NumericsHarness" };
  return {
    name: "cases against the TypeScript twin",
    contract,
    files: ["test/rules/numberFunctions.ts", "test/rules/hardFloats.ts"],
    prepare: async (replayer) => {
      const { abi } = await artifacts.readArtifact(contract.name);
      const subjects = NUMBER_FUNCTIONS.filter(({ name }) => name !== "quantise").map((subject, position) => {
        const random = new Random(700 + position);
        const cases = [
          ...edgeCases(subject),
          ...(subject.hardCases?.(random, CASES) ?? []),
          ...Array.from({ length: CASES }, () => subject.anyCase(random)),
        ];
        const packed = packCases(subject, cases);
        const args = [BigInt(subject.which), `0x${packed.toString("hex")}`] as const;
        const data = encodeFunctionData({ abi: abi as Abi, functionName: "firstDifference", args: [...args] });
        return { name: subject.name, count: cases.length, packed, data };
      });
      return async ({ bytecode }) => {
        const call = await replayer.deployCode(bytecode);
        if (!(await roundsAlike(call, abi as Abi))) return "roundToFloat32 of 256 bits";
        for (const { name, count, packed, data } of subjects) {
          const answer = await call(data);
          if (!("result" in answer)) return `${name} reverts`;
          const result = decodeFunctionResult({
            abi: abi as Abi,
            functionName: "firstDifference",
            data: answer.result as `0x${string}`,
          });
          const at = Number((result as readonly [bigint, number])[0]);
          if (at !== count) return `${name} of ${describeCase(packed, at)}`;
        }
        return null;
      };
    },
  };
}

/** RN32 of integers of any length, times any power of two. */
async function roundsAlike(call: (data: string) => Promise<Answer>, abi: Abi): Promise<boolean> {
  const random = new Random(72);
  const values: bigint[] = [];
  const exponents: bigint[] = [];
  for (let i = 0; i < 400; i++) {
    let value = 0n;
    for (let word = 0; word < 8; word++) value = (value << 32n) | BigInt(random.word());
    const bits = random.between(1, 255);
    value >>= BigInt(256 - bits);
    if (random.chance(0.5)) value = (value >> BigInt(Math.max(0, bits - 25))) << BigInt(Math.max(0, bits - 25));
    values.push(random.chance(0.5) ? value : -value);
    exponents.push(BigInt(random.between(-180, 140) - bits));
  }
  for (const value of [0n, 1n, -1n, 2n ** 255n - 1n, -(2n ** 255n), 2n ** 24n + 1n, 3n]) {
    const far = [-1001n, -1000n, -404n, -173n, -151n, -150n, -149n, 0n, 104n, 127n, 128n, 1000n, 1001n];
    for (const exponent of [...far, 2n ** 255n - 1n, -(2n ** 255n)]) {
      values.push(value);
      exponents.push(exponent);
    }
  }
  const answer = await call(encodeFunctionData({ abi, functionName: "roundToFloat32", args: [values, exponents] }));
  if (!("result" in answer)) return false;
  const data = answer.result as `0x${string}`;
  const words = decodeFunctionResult({ abi, functionName: "roundToFloat32", data }) as readonly number[];
  return words.every((word, i) => word === roundToFloat32(values[i]!, exponents[i]!) >>> 0);
}

/**
 * A test file's traffic with its chain, recorded on the contracts as they are: the mutant must answer everything alike. Where a file
 * only calls, its calls are taken in an order that soon has some of every kind.
 */
export function recorded(test: string, contract: Contract, only: "calls" | "transactions" = "transactions"): Suite {
  return {
    name: test,
    contract,
    files: [test],
    prepare: async (replayer) => {
      const from = (await artifacts.readArtifact(contract.name)).bytecode.slice(2);
      const steps = await recordingOf(test, contract, from, replayer);
      const played = only === "calls" ? spread(steps) : steps;
      return async ({ bytecode }) => {
        const at = await replayer.firstDifference(played, [{ from, to: bytecode }]);
        return at < 0 ? null : `${test}, request ${at} of ${played.length}`;
      };
    },
  };
}

/** Calls change nothing, so that their order is free. */
function spread(steps: readonly Step[]): Step[] {
  const STRIDE = 37;
  const calls = steps.filter(({ kind }) => kind === "call");
  const others = steps.filter(({ kind }) => kind !== "call");
  return [
    ...others,
    ...Array.from({ length: STRIDE }, (_, from) => calls.filter((_, i) => i % STRIDE === from)).flat(),
  ];
}

async function recordingOf(test: string, contract: Contract, from: string, replayer: Replayer): Promise<Step[]> {
  const file = path.join(CACHE, `${path.basename(test, ".test.ts")}-${sourcesHash(from)}.json`);
  if (!existsSync(file)) {
    mkdirSync(CACHE, { recursive: true });
    const raw = `${file}.${process.pid}`;
    await record(test, raw);
    const steps: Step[] = JSON.parse(readFileSync(raw, "utf8"));
    rmSync(raw);
    // The code as the mutants have it: other gas, so other block hashes.
    const to = compile(sourcesOf([contract.file]), [contract])!.get(contract.name)!.bytecode;
    writeFileSync(file, JSON.stringify(await replayer.withoutBlockHashes(steps, [{ from, to }])));
  }
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Everything that can change what a test sends. */
function sourcesHash(artifact: string): string {
  const hash = createHash("sha256").update(artifact);
  const patterns = [
    "contracts/**/*.sol",
    "shared/**/*.ts",
    "test/{commitment,contracts,helpers,model,mutation,rules}/**/*.ts",
  ];
  for (const file of globSync(patterns, { cwd: ROOT }).sort())
    hash.update(file).update(readFileSync(path.join(ROOT, file)));
  return hash.digest("hex").slice(0, 16);
}

function record(test: string, into: string): Promise<void> {
  const recorder = path.join(import.meta.dirname, "recorder.ts");
  const child = spawn(process.execPath, ["--import", recorder, path.join(ROOT, test)], {
    cwd: ROOT,
    env: { ...process.env, TOUCHSTONE_RECORDING: into, TOUCHSTONE_DEEP: "" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${test} fails on the contracts as they are`)),
    );
  });
}
