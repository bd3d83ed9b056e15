/**
 * Reading and checking another's package in a thread of its own: hashing and analysing what a stranger has made as large as readers take lasts for
 * seconds, and the caller's thread has clocks to keep in other tasks. Time and heap are bounded.
 */
import { Worker } from "node:worker_threads";
import { TouchstoneError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import type { Training } from "../job/training.ts";
import type { Tensor } from "../program/program.ts";
import type { ContentId, Store } from "../store/store.ts";

export interface CheckedPackage {
  readonly job: Job;
  readonly initialState: readonly Tensor[];
}

/** What the thread is told. */
export type LoadOrder =
  | { readonly kind: "load"; readonly manifest: ContentId; readonly training: Training }
  | { readonly kind: "content"; readonly id: ContentId; readonly bytes: Uint8Array };

/** What it says. `code` is null where the error was not thrown on purpose. */
export type LoadReply =
  | { readonly kind: "get"; readonly id: ContentId }
  | { readonly kind: "loaded"; readonly checked: CheckedPackage }
  | {
      readonly kind: "refused";
      readonly code: string | null;
      readonly message: string;
      readonly remedy: string | undefined;
    };

export interface LoadLimits {
  /** Milliseconds that checking may take, fetching left out. */
  readonly milliseconds: number;
  /** Megabytes of the thread's heap; words of tensors lie outside of it, and the store bounds them. */
  readonly heapMegabytes: number;
}

const LIMITS: LoadLimits = { milliseconds: 180_000, heapMegabytes: 1024 };
/** Packages checked at a time; the others wait. */
const MOST_THREADS = 4;

/** What the thread has found wrong, as it was thrown there. */
export class PackageRefusedError extends TouchstoneError {
  readonly code: string;
  constructor(code: string, message: string, remedy: string | undefined) {
    const end = remedy === undefined ? "" : ` ${remedy}`;
    super(message.endsWith(end) ? message.slice(0, message.length - end.length) : message, {
      ...(remedy === undefined ? {} : { remedy }),
    });
    this.code = code;
  }
}

/** A package that takes more to check than anybody gives. */
export class PackageHeavyError extends TouchstoneError {
  readonly code = "PACKAGE_HEAVY";
  constructor(what: string, cause?: unknown) {
    super(`Checking the task's package takes more than ${what}.`, {
      cause,
      remedy: "Leave the task; if it is yours, make its program smaller.",
    });
  }
}

/** The last thread that has done its work, for the next package. */
let idle: { readonly worker: Worker; readonly limits: LoadLimits } | null = null;
let busy = 0;
const waiting: (() => void)[] = [];

/**
 * `getTaskPackage` and `requireWellFormedJob` in a thread.
 * @throws PackageRefusedError for what they throw on purpose, PackageHeavyError beyond the limits, what the store throws, the signal's reason, and
 *   an Error for whatever else a package makes fail.
 */
export async function loadInThread(
  store: Pick<Store, "get">,
  manifest: ContentId,
  training: Training,
  signal?: AbortSignal,
  limits: LoadLimits = LIMITS,
): Promise<CheckedPackage> {
  while (busy >= MOST_THREADS) await new Promise<void>((resolve) => waiting.push(resolve));
  busy++;
  try {
    signal?.throwIfAborted();
    return await run(take(limits), store, { kind: "load", manifest, training }, signal, limits);
  } finally {
    busy--;
    waiting.shift()?.();
  }
}

function take(limits: LoadLimits): Worker {
  const kept = idle;
  idle = null;
  if (kept !== null && kept.limits === limits) {
    kept.worker.ref();
    return kept.worker;
  }
  void kept?.worker.terminate();
  const worker = new Worker(new URL("./loadWorker.ts", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytes },
  });
  // One that has no work, or is being ended, may fail unheard.
  worker.on("error", () => undefined);
  worker.on("exit", () => {
    if (idle?.worker === worker) idle = null;
  });
  return worker;
}

function run(
  worker: Worker,
  store: Pick<Store, "get">,
  order: LoadOrder,
  signal: AbortSignal | undefined,
  limits: LoadLimits,
): Promise<CheckedPackage> {
  const { promise, resolve, reject } = Promise.withResolvers<CheckedPackage>();
  let left = limits.milliseconds;
  let since = 0;
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    since = performance.now();
    timer = setTimeout(() => fail(new PackageHeavyError(`${limits.milliseconds / 1000} s`)), left);
  };
  const pause = (): void => {
    clearTimeout(timer);
    left -= performance.now() - since;
  };
  const post = (order: LoadOrder): void => {
    start();
    worker.postMessage(order);
  };
  /** The thread is in the middle of something, and of no more use. */
  const fail = (error: unknown): void => {
    reject(error);
    end();
    void worker.terminate();
  };
  const end = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    worker.off("message", onMessage).off("error", onError).off("exit", onExit);
  };
  const onAbort = (): void => fail(signal!.reason);
  const onMessage = (reply: LoadReply): void => {
    pause();
    if (reply.kind === "get") {
      store.get(reply.id).then((bytes) => post({ kind: "content", id: reply.id, bytes }), fail);
      return;
    }
    end();
    void idle?.worker.terminate();
    idle = { worker, limits };
    worker.unref();
    if (reply.kind === "loaded") resolve(reply.checked);
    else if (reply.code === null) reject(new Error(reply.message));
    else reject(new PackageRefusedError(reply.code, reply.message, reply.remedy));
  };
  const onError = (cause: unknown): void => {
    const isFull = (cause as { readonly code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY";
    fail(isFull ? new PackageHeavyError(`${limits.heapMegabytes} MB of heap`, cause) : cause);
  };
  const onExit = (): void => fail(new Error("the thread that checks packages ended"));
  signal?.addEventListener("abort", onAbort, { once: true });
  worker.on("message", onMessage).on("error", onError).on("exit", onExit);
  post(order);
  return promise;
}
