/** The draws of a task's segments: sees to it that they are made, and knows who is drawn. */
import type { Address } from "viem";
import type { TaskDesk } from "./taskDesk.ts";

export interface Drawn {
  /** This verifier's first draw, or null. */
  readonly draw: bigint | null;
  /** Everyone who is drawn for the segment. */
  readonly verifiers: readonly Address[];
}

export class Draws {
  readonly #desk: TaskDesk;
  readonly #drawn = new Map<number, { readonly matter: string; readonly drawn: Drawn }>();

  constructor(desk: TaskDesk) {
    this.#desk = desk;
  }

  /** Undefined while the segment is not drawn. */
  of(segment: number): Drawn | undefined {
    const kept = this.#drawn.get(segment);
    return kept?.matter === this.#desk.matterOf(segment) ? kept?.drawn : undefined;
  }

  /** The segments that this verifier is drawn for. */
  own(): number[] {
    return [...this.#drawn.keys()].filter((segment) => (this.of(segment)?.draw ?? null) !== null);
  }

  /** Starts whatever is to do about the committed segments. */
  attend(): void {
    const { checkpoints, draws, state } = this.#desk.booked;
    for (const segment of checkpoints.keys()) {
      if (this.of(segment) !== undefined) continue;
      if (draws.has(segment)) this.#desk.start(`reading the draw of segment ${segment}`, () => this.#read(segment));
      else if (state === "accepted") {
        const overtaken = ["SegmentDrawnAlready", "BeaconEarly"];
        this.#desk.start(`draw of segment ${segment}`, () => this.#draw(segment), overtaken);
      }
    }
  }

  /** Fixes a segment's randomness once its block is there; anybody may, and one must. */
  async #draw(segment: number): Promise<void> {
    const { context, market, taskId } = this.#desk;
    const { client } = context.chain;
    const [{ committedBlock, beacon }, { beaconDelay }, head] = await Promise.all([
      client.readContract({ ...market, functionName: "segmentOf", args: [taskId, segment] }),
      client.readContract({ ...market, functionName: "task", args: [taskId] }),
      client.getBlockNumber(),
    ]);
    if (BigInt(beacon) !== 0n || head <= BigInt(committedBlock + beaconDelay)) return;
    await context.sender.send({ ...market, functionName: "draw", args: [taskId, segment] });
  }

  async #read(segment: number): Promise<void> {
    const matter = this.#desk.matterOf(segment);
    if (matter === null || this.of(segment) !== undefined) return;
    const { context, market, taskId, booked } = this.#desk;
    const verifiers: Address[] = [];
    let own: bigint | null = null;
    for (let draw = 0n; draw < BigInt(booked.spec.draws); draw++) {
      const [, verifier, counts] = await context.chain.client.readContract({
        ...market,
        functionName: "drawnSeat",
        args: [taskId, segment, draw],
      });
      if (!counts || verifiers.includes(verifier)) continue;
      verifiers.push(verifier);
      if (this.#desk.isOwn(verifier)) own = draw;
    }
    if (this.#desk.matterOf(segment) !== matter) return;
    this.#drawn.set(segment, { matter, drawn: { draw: own, verifiers } });
    if (own === null) return;
    context.output.event("drawn", { taskId, segment }, `drawn to replay segment ${segment} of ${taskId}`);
  }
}
