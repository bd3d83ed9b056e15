/** Replays the segments of a task one after the other: those that this verifier is drawn for, or all. */
import type { Draws } from "./draws.ts";
import { EarlierFaultError, type Replayer, type SegmentReplay } from "./replayer.ts";
import type { TaskDesk } from "./taskDesk.ts";

export interface ReplaysOptions {
  readonly watchAll: boolean;
  readonly replayer: () => Promise<Replayer>;
  /** Told of a segment that does not end in its committed checkpoint. */
  readonly onDifferent: (segment: number) => void;
}

export class Replays {
  readonly #desk: TaskDesk;
  readonly #draws: Draws;
  readonly #options: ReplaysOptions;
  /** By what the replay was about. */
  readonly #done = new Map<string, SegmentReplay>();

  constructor(desk: TaskDesk, draws: Draws, options: ReplaysOptions) {
    this.#desk = desk;
    this.#draws = draws;
    this.#options = options;
  }

  /** Undefined while the segment has not been replayed. */
  of(segment: number): SegmentReplay | undefined {
    const matter = this.#desk.matterOf(segment);
    return matter === null ? undefined : this.#done.get(matter);
  }

  attend(): void {
    if (this.#desk.booked.state !== "accepted" || this.#next() === null) return;
    this.#desk.start("replay", () => this.#replayNext());
  }

  /** The first segment that is to be replayed. */
  #next(): number | null {
    for (const segment of this.#desk.booked.checkpoints.keys()) {
      const drawn = this.#draws.of(segment);
      if (drawn === undefined || this.of(segment) !== undefined) continue;
      if (this.#options.watchAll || drawn.draw !== null) return segment;
    }
    return null;
  }

  async #replayNext(): Promise<void> {
    const replayer = await this.#options.replayer();
    const segment = this.#next();
    if (segment === null) return;
    const { context, taskId, booked } = this.#desk;
    const matter = this.#desk.matterOf(segment)!;
    const { verifiers } = this.#draws.of(segment)!;
    const { beacon } = booked.draws.get(segment)!;
    const started = performance.now();
    const replay = await this.#verdict(
      replayer.replay(segment, { digests: { beacon, verifiers }, signal: context.signal }),
    );
    // Of another checkpoint, or with another beacon's digests.
    if (this.#desk.matterOf(segment) !== matter) return;
    this.#done.set(matter, replay);
    if (replay.verdict === "unreachable") return;
    const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
    const equal = replay.verdict === "equal";
    context.output.event(
      "replayed",
      { taskId, segment, equal, seconds },
      `replayed segment ${segment} in ${seconds} s: ${equal ? "the same bits" : "ANOTHER CHECKPOINT"}`,
    );
    if (!equal) this.#options.onDifferent(segment);
  }

  async #verdict(replay: Promise<SegmentReplay>): Promise<SegmentReplay> {
    try {
      return await replay;
    } catch (error) {
      if (!(error instanceof EarlierFaultError)) throw error;
      const matter = this.#desk.matterOf(error.segment);
      if (matter !== null) this.#done.set(matter, { verdict: "different", digests: new Map() });
      this.#options.onDifferent(error.segment);
      return { verdict: "unreachable", digests: new Map() };
    }
  }
}
