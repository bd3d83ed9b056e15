/**
 * The number libraries on a second EVM: Hardhat and anvil share one implementation (revm), @ethereumjs/evm is another. The same compiled
 * harness must find the same results.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createEVM } from "@ethereumjs/evm";
import { artifacts } from "hardhat";
import { decodeFunctionResult, encodeFunctionData, hexToBytes } from "viem";
import { Random } from "../helpers/random.ts";
import { type Case, describeCase, edgeCases, NUMBER_FUNCTIONS, packCases } from "./numberFunctions.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1";
const CASES = DEEP ? 100_000 : 100;
/** Every how manieth edge case is tried. */
const EDGE_STRIDE = DEEP ? 1 : 29;
const BATCH = 4096;

describe("contracts/libraries numbers on @ethereumjs/evm", async () => {
  const { abi, deployedBytecode } = await artifacts.readArtifact("NumericsHarness");
  const code = hexToBytes(deployedBytecode as `0x${string}`);
  const evm = await createEVM({ common: new Common({ chain: Mainnet, hardfork: Hardfork.Osaka }) });

  for (const [position, subject] of NUMBER_FUNCTIONS.entries()) {
    it(`agree on ${subject.name}`, async () => {
      const compare = async (cases: readonly Case[]): Promise<void> => {
        const packed = packCases(subject, cases);
        const functionName = "firstDifference";
        const data = encodeFunctionData({
          abi,
          functionName,
          args: [BigInt(subject.which), `0x${packed.toString("hex")}`],
        });
        const { exceptionError, returnValue } = await evm.runCode({
          code,
          data: hexToBytes(data),
          gasLimit: 2n ** 40n,
        });
        assert.equal(exceptionError, undefined);
        const [at] = decodeFunctionResult({ abi, functionName, data: `0x${Buffer.from(returnValue).toString("hex")}` });
        if (Number(at) === cases.length) return;
        assert.fail(`operands and TypeScript's word: ${describeCase(packed, Number(at))}`);
      };
      const random = new Random(300 + position);
      await compare(edgeCases(subject).filter((_, index) => index % EDGE_STRIDE === 0));
      for (let compared = 0; compared < CASES; compared += BATCH) {
        const count = Math.min(BATCH, CASES - compared);
        await compare(Array.from({ length: count }, () => subject.anyCase(random)));
      }
      if (subject.hardCases !== undefined) await compare(subject.hardCases(random, Math.min(CASES, BATCH)));
    });
  }
});
