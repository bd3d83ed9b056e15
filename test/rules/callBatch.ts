/** Many view calls of one contract in few requests, with the name of the error of each that reverts. */
import type { HardhatViemHelpers } from "@nomicfoundation/hardhat-viem/types";
import { type Abi, type Address, decodeErrorResult, decodeFunctionResult, encodeFunctionData, type Hex } from "viem";

export interface Target {
  readonly address: Address;
  readonly abi: Abi;
}

export interface BatchedCall {
  readonly functionName: string;
  readonly args: readonly unknown[];
}

export type Outcome = { readonly result: unknown } | { readonly error: string };

/** Calls that fit one request, by the size of their data: 40 gas a byte of at most 2^24. */
const BATCH_BYTES = 150_000;
const BATCH_CALLS = 64;

export type CallBatch = (target: Target, calls: readonly BatchedCall[]) => Promise<Outcome[]>;

export async function deployCallBatch(viem: HardhatViemHelpers): Promise<CallBatch> {
  const batch = await viem.deployContract("CallBatch");
  return async (target, calls) => {
    const outcomes: Outcome[] = [];
    const datas = calls.map((call) => encodeFunctionData({ abi: target.abi, ...call }));
    for (let from = 0; from < datas.length; ) {
      let to = from;
      for (let bytes = 0; to < datas.length && to - from < BATCH_CALLS; to++) {
        bytes += datas[to]!.length / 2;
        if (bytes > BATCH_BYTES && to > from) break;
      }
      const answers = await batch.read.run([target.address, datas.slice(from, to)]);
      for (const [i, { done, data }] of answers.entries())
        outcomes.push(done ? resultOf(target, calls[from + i]!, data) : { error: errorOf(target, data) });
      from = to;
    }
    return outcomes;
  };
}

function resultOf({ abi }: Target, { functionName }: BatchedCall, data: Hex): Outcome {
  return { result: decodeFunctionResult({ abi, functionName, data }) };
}

function errorOf({ abi }: Target, data: Hex): string {
  return data === "0x" ? "no reason" : decodeErrorResult({ abi, data }).errorName;
}
