/** Takes a verifier's stake back: seats leave the draws at once, their stake can be withdrawn after the exit delay. */
import { contractAbi } from "../shared/chain/contracts.ts";
import { ContractRevertError } from "../shared/chain/errors.ts";
import { formatAmount } from "../shared/chain/token.ts";
import { ExitCode } from "../shared/cli.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import { MarketWatch } from "../shared/service/marketWatch.ts";
import { Purse } from "../shared/service/purse.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";

/** What only means that a seat's stake cannot be withdrawn yet, or has been. */
const NOT_YET = ["TooEarly", "SeatBusy", "SeatWrong"];

/** @returns done when no stake is left behind, failure when the command must be given again later. */
export async function leave(context: ServiceContext, fromBlock: bigint): Promise<ExitCode> {
  const { chain, deployment, sender, output } = context;
  const market = { address: deployment.market, abi: contractAbi("TrainingMarket") } as const;
  const watch = new MarketWatch(context, fromBlock);
  try {
    const seatCount = await chain.client.readContract({ ...market, functionName: "seatCount" });
    await watch.until(() => BigInt(watch.book.seats.size) >= seatCount);
    let left = 0;
    let waiting = 0;
    for (const [seat, { verifier }] of watch.book.seats) {
      if (!isSameAddress(verifier, sender.address)) continue;
      const stored = await chain.client.readContract({ ...market, functionName: "seatOf", args: [seat] });
      if (stored.leftAt === 0) {
        await sender.send({ ...market, functionName: "leaveSeat", args: [seat] });
        left++;
      }
      if (stored.empty) continue;
      try {
        await sender.send({ ...market, functionName: "withdrawSeat", args: [seat] });
      } catch (error) {
        if (!(error instanceof ContractRevertError) || !NOT_YET.includes(error.errorName ?? "")) throw error;
        waiting++;
      }
    }
    const purse = new Purse(context);
    const amount = await purse.withdraw();
    const withdrawn = formatAmount(amount, await purse.unit());
    output.event(
      "left",
      { left, waiting, amount },
      `${left} seats left the draws, ${withdrawn} were withdrawn; ${waiting} seats still wait for their exit delay or their attestations`,
    );
    return waiting === 0 ? ExitCode.done : ExitCode.failure;
  } finally {
    await watch.close();
  }
}
