/** From whatever a client throws to this project's errors. */
import {
  type Abi,
  BaseError,
  decodeErrorResult,
  type Hex,
  HttpRequestError,
  isHex,
  RpcRequestError,
  TimeoutError,
} from "viem";
import { TouchstoneError } from "../errors.ts";
import { ChainRefusedError, ChainUnreachableError, ContractRevertError } from "./errors.ts";

function causes(error: unknown): unknown[] {
  const found: unknown[] = [];
  for (let cause = error; typeof cause === "object" && cause !== null && !found.includes(cause); ) {
    found.push(cause);
    cause = (cause as { cause?: unknown }).cause;
  }
  return found;
}

/** The bytes that a contract reverted with: geth gives them as `data`, Hardhat as `data.data`. */
export function revertData(error: unknown): Hex | undefined {
  for (const cause of causes(error)) {
    const { data } = cause as { data?: unknown };
    const bytes = typeof data === "object" && data !== null ? (data as { data?: unknown }).data : data;
    if (isHex(bytes)) return bytes;
  }
  return undefined;
}

/** Whether the node refused because the execution would revert. */
export function isRevert(error: unknown): boolean {
  // 3 is the code of an execution error; clients that do not use it say "revert" in the message.
  return causes(error).some(
    (cause) => cause instanceof RpcRequestError && (cause.code === 3 || /revert/i.test(cause.details ?? cause.message)),
  );
}

/** @param abi where to look the custom error up. */
export function revertError(what: string, abi: Abi, data: Hex | undefined, hash?: Hex): ContractRevertError {
  const options = hash === undefined ? {} : { hash };
  if (data === undefined || data === "0x") return new ContractRevertError(what, {}, options);
  try {
    const { errorName, args } = decodeErrorResult({ abi, data });
    return new ContractRevertError(what, { errorName, args: (args ?? []) as readonly unknown[], data }, options);
  } catch {
    return new ContractRevertError(what, { data }, options);
  }
}

/** The typed error for what a client threw while it did `what`. */
export function chainError(error: unknown, what: string, url: string, abi: Abi = []): Error {
  if (error instanceof TouchstoneError || !(error instanceof BaseError)) return error as Error;
  if (isRevert(error)) return revertError(what, abi, revertData(error));
  const reason = causes(error).findLast((cause): cause is BaseError => cause instanceof BaseError) ?? error;
  const detail = `${what}: ${oneLine(reason)}`;
  return isUnreachable(error)
    ? new ChainUnreachableError(url, detail, error)
    : new ChainRefusedError(url, detail, error);
}

function oneLine(error: BaseError): string {
  return (error.details || error.shortMessage).split("\n")[0]!.replace(/\.$/, "");
}

/** Whether the node could not be asked, as opposed to having refused. */
export function isUnreachable(error: unknown): boolean {
  return causes(error).some((cause) => cause instanceof HttpRequestError || cause instanceof TimeoutError);
}
