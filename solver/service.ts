/** The solver's service: takes a task, trains it, commits its checkpoints, answers disputes meanwhile, and is paid. */
import type { ExitCode } from "../shared/cli.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import { Journal } from "../shared/service/journal.ts";
import { MarketWatch } from "../shared/service/marketWatch.ts";
import type { SolverOptions } from "./options.ts";
import { TaskFinder } from "./taskFinder.ts";
import { TaskWorker } from "./taskWorker.ts";

/** Works until the signal or, with `once`, until the task has ended. */
export async function work(context: ServiceContext, options: SolverOptions): Promise<ExitCode> {
  const { chain, deployment, sender, dataDir } = context;
  const journal = Journal.open(dataDir, `solver ${sender.address} of ${deployment.market} on ${chain.chainId}`);
  const watch = new MarketWatch(context, options.fromBlock);
  try {
    const finder = new TaskFinder(context, watch, journal, options);
    for (;;) {
      const task = await finder.find();
      const exitCode = await new TaskWorker(context, watch, journal, options, task).work();
      finder.release();
      if (options.once || options.task !== undefined) return exitCode;
    }
  } finally {
    await watch.close();
    journal.close();
  }
}
