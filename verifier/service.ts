/** The verifier's service: stakes seats, replays what it is drawn for (or everything), and challenges what differs. */
import type { Hex } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import { formatAmount } from "../shared/chain/token.ts";
import { ExitCode } from "../shared/cli.ts";
import { Chores } from "../shared/service/chores.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import { Journal } from "../shared/service/journal.ts";
import type { MarketBook } from "../shared/service/marketBook.ts";
import { MarketWatch } from "../shared/service/marketWatch.ts";
import { Purse } from "../shared/service/purse.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import { TaskVerifier } from "./taskVerifier.ts";

export interface VerifierOptions {
  /** Seats to hold; what is missing is joined. */
  readonly seats: number;
  readonly watchAll: boolean;
  /** Only this task. */
  readonly task?: Hex;
  /** End when the task has ended; needs `task`. */
  readonly once: boolean;
  readonly fromBlock: bigint;
  /** Told of every fault that is found. */
  readonly onFault?: () => void;
}

/** Works until the signal or, with `once`, until the task has ended. */
export async function work(context: ServiceContext, options: VerifierOptions): Promise<ExitCode> {
  const { chain, deployment, sender, dataDir } = context;
  const journal = Journal.open(dataDir, `verifier ${sender.address} of ${deployment.market} on ${chain.chainId}`);
  const watch = new MarketWatch(context, options.fromBlock);
  const purse = new Purse(context);
  const verifiers = new Map<Hex, TaskVerifier>();
  /** Tasks that have ended: their engines are closed, nothing of this verifier's is left in them. */
  const done = new Set<Hex>();
  const chores = new Chores(context);
  let foundFault = false;
  let credited = 0;
  const onFault = (): void => {
    foundFault = true;
    options.onFault?.();
  };
  try {
    await holdSeats(context, watch, purse, options.seats);
    for (;;) {
      const { version, book } = watch;
      for (const task of book.tasks.values()) {
        const { taskId, solver, state } = task;
        if (options.task !== undefined && options.task !== taskId) continue;
        // What ended it may be taken back by a reorganisation.
        if (state === "accepted") done.delete(taskId);
        if (solver === null || isSameAddress(solver, sender.address) || done.has(taskId)) continue;
        let verifier = verifiers.get(taskId);
        if (verifier === undefined) {
          const parts = { context, watch, journal, purse };
          verifier = new TaskVerifier(taskId, parts, { watchAll: options.watchAll, onFault });
          verifiers.set(taskId, verifier);
        }
        verifier.attend();
        if (verifier.isDone) {
          done.add(taskId);
          verifiers.delete(taskId);
          const ended = verifier;
          chores.start(`end of task ${taskId}`, () => ended.close());
        }
      }
      // What ends a task credits those who had a part in it.
      const credits = possibleCredits(book);
      if (credits > credited) {
        credited = credits;
        chores.start("withdrawal", () => withdraw(context, purse), ["NothingToWithdraw"]);
      }
      const awaited = options.task === undefined ? undefined : book.tasks.get(options.task)?.state;
      if (options.once && (awaited === "settled" || awaited === "failed" || awaited === "cancelled")) {
        return foundFault ? ExitCode.faultFound : ExitCode.done;
      }
      await watch.next(version);
    }
  } finally {
    await watch.close();
    await chores.settle();
    await Promise.all([...verifiers.values()].map((verifier) => verifier.close()));
    journal.close();
  }
}

/** Grows with everything that may have credited this account something. */
function possibleCredits({ tasks, disputes }: MarketBook): number {
  let count = 0;
  for (const { state, attestations } of tasks.values()) {
    if (state === "settled" || state === "failed") count++;
    for (const attestation of attestations.values()) if (attestation.state === "closed") count++;
  }
  for (const { walk, moot } of disputes.values()) if (moot || walk.outcome !== null) count++;
  return count;
}

async function withdraw({ output }: ServiceContext, purse: Purse): Promise<void> {
  const amount = await purse.withdraw();
  if (amount === 0n) return;
  output.event("withdrawn", { amount }, `withdrew ${formatAmount(amount, await purse.unit())}`);
}

/** Joins the seats that are missing. */
async function holdSeats(context: ServiceContext, watch: MarketWatch, purse: Purse, wanted: number): Promise<void> {
  const { chain, deployment, sender, output } = context;
  const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
  const seatCount = await chain.client.readContract({ ...market, functionName: "seatCount" });
  await watch.until(() => BigInt(watch.book.seats.size) >= seatCount);
  const held = [...watch.book.seats.values()].filter(
    ({ verifier, left }) => !left && isSameAddress(verifier, sender.address),
  ).length;
  const missing = BigInt(wanted - held);
  if (missing > 0n) {
    const seatStake = await chain.client.readContract({ ...market, functionName: "seatStake" });
    await purse.spend(
      async () => seatStake * missing,
      "the seats' stake",
      () => sender.send({ ...market, functionName: "joinSeats", args: [missing] }),
    );
  }
  const seats = Math.max(held, wanted);
  output.event("ready", { seats }, `ready with ${seats} seats`);
}
