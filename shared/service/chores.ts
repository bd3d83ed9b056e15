/** Things that a service does side by side: each at most once at a time, and its trouble is its own. */
import { ContractRevertError, TransactionLateError } from "../chain/errors.ts";
import type { ServiceContext } from "./context.ts";
import { reportProblem } from "./problem.ts";

/** Pause after a problem, in milliseconds. */
const RETRY_MILLISECONDS = 2000;

export class Chores {
  readonly #context: ServiceContext;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #notBefore = new Map<string, number>();
  /** Chores that were started again while they were under way: what woke them may have come too late for them to see. */
  readonly #again = new Map<string, () => void>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /**
   * Starts `work`; a chore that is under way is done once more afterwards, as it was started last; one that has just failed is left
   * for later. Never throws: a failure is reported and tried again when the chore is started again.
   * @param chore names the work and everything that it is about: two things under one name would displace each other.
   * @param overtaken names of contract errors that only say that somebody else was faster.
   */
  start(chore: string, work: () => Promise<void>, overtaken: readonly string[] = []): void {
    if (this.#underWay.has(chore)) {
      this.#again.set(chore, () => this.start(chore, work, overtaken));
      return;
    }
    if (Date.now() < (this.#notBefore.get(chore) ?? 0)) return;
    const doing = work()
      .catch((error: unknown) => this.#failed(chore, error, overtaken))
      .finally(() => {
        this.#underWay.delete(chore);
        const again = this.#again.get(chore);
        this.#again.delete(chore);
        again?.();
      });
    this.#underWay.set(chore, doing);
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    while (this.#underWay.size > 0) {
      this.#again.clear();
      await Promise.all(this.#underWay.values());
    }
  }

  #failed(chore: string, error: unknown, overtaken: readonly string[]): void {
    if (error instanceof ContractRevertError && overtaken.includes(error.errorName ?? "")) return;
    this.#notBefore.set(chore, Date.now() + RETRY_MILLISECONDS);
    if (this.#context.signal.aborted || error instanceof TransactionLateError) return;
    reportProblem(this.#context.output, chore, error);
  }
}
