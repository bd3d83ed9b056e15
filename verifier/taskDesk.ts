/** What the parts of a verifier's work on one task share: the chain, the book, the chores. */
import type { Address, Hex } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import { TouchstoneError } from "../shared/errors.ts";
import { Chores } from "../shared/service/chores.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import type { Journal } from "../shared/service/journal.ts";
import type { BookedTask } from "../shared/service/marketBook.ts";
import type { MarketWatch } from "../shared/service/marketWatch.ts";
import type { Purse } from "../shared/service/purse.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";

/** A reorganisation has taken a task back: what is being done about it waits until the log tells it again. */
export class TaskRetoldError extends TouchstoneError {
  readonly code = "TASK_RETOLD";
  constructor(taskId: Hex) {
    super(`The chain has taken task ${taskId} back, or its acceptance.`);
  }
}

/** Last seconds of a segment's windows. */
export interface Windows {
  readonly sealEnd: number;
  readonly revealEnd: number;
  readonly challengeEnd: number;
}

export interface TaskDeskParts {
  readonly context: ServiceContext;
  readonly watch: MarketWatch;
  readonly journal: Journal;
  readonly purse: Purse;
}

export class TaskDesk {
  readonly taskId: Hex;
  readonly context: ServiceContext;
  readonly watch: MarketWatch;
  readonly journal: Journal;
  readonly purse: Purse;
  readonly chores: Chores;

  constructor(taskId: Hex, { context, watch, journal, purse }: TaskDeskParts) {
    this.taskId = taskId;
    this.context = context;
    this.watch = watch;
    this.journal = journal;
    this.purse = purse;
    this.chores = new Chores(context);
  }

  /** The task as the chain has it now: read again after every wait. @throws TaskRetoldError. */
  get booked(): BookedTask {
    const booked = this.watch.book.tasks.get(this.taskId);
    if (booked === undefined) throw new TaskRetoldError(this.taskId);
    return booked;
  }

  /** @throws TaskRetoldError also when its acceptance was taken back. */
  get solver(): Address {
    const { solver } = this.booked;
    if (solver === null) throw new TaskRetoldError(this.taskId);
    return solver;
  }

  /**
   * What a draw, a replay and an attestation of a segment are about; null while it is not drawn. A reorganisation that replaces a checkpoint
   * or a beacon makes it another, and whatever was known or done before was about that one.
   * @throws TaskRetoldError.
   */
  matterOf(segment: number): string | null {
    const { checkpoints, draws } = this.booked;
    const checkpoint = checkpoints[segment];
    const drawn = draws.get(segment);
    if (checkpoint === undefined || drawn === undefined) return null;
    return [segment, checkpoints[segment - 1]?.stateRoot, checkpoint.stateRoot, drawn.beacon].join(":");
  }

  get market() {
    return { address: this.context.deployment.market, abi: contractAbi("TrainingMarket") } as const;
  }

  isOwn(address: Address): boolean {
    return isSameAddress(address, this.context.sender.address);
  }

  isSolver(address: Address): boolean {
    const { solver } = this.booked;
    return solver !== null && isSameAddress(address, solver);
  }

  /** Starts a chore of this task. */
  start(chore: string, work: () => Promise<void>, overtaken: readonly string[] = []): void {
    this.chores.start(`${chore} of task ${this.taskId}`, work, overtaken);
  }

  async windows(segment: number): Promise<Windows> {
    const [sealEnd, revealEnd, challengeEnd] = await this.context.chain.client.readContract({
      ...this.market,
      functionName: "windowsOf",
      args: [this.taskId, segment],
    });
    return { sealEnd: Number(sealEnd), revealEnd: Number(revealEnd), challengeEnd: Number(challengeEnd) };
  }
}
