/** Plays one side of disputes: looks whose turn it is on the chain, asks the strategy, sends the move, claims time-outs. */
import type { Hex } from "viem";
import { contractAbi } from "../chain/contracts.ts";
import type { Included } from "../chain/sender.ts";
import { ZERO_BYTES32 } from "../commitment/bytes32.ts";
import type { Move } from "../dispute/moves.ts";
import { Level, type Position } from "../dispute/position.ts";
import { Chores } from "./chores.ts";
import type { ServiceContext } from "./context.ts";
import type { BookedDispute } from "./marketBook.ts";
import { sendAdoption, sendMove } from "./sendMove.ts";

export type Role = "defendant" | "challenger";

export interface Strategy {
  readonly role: Role;
  /**
   * The next move, or null to let the clock run.
   * @param deadline last second of block time in which the move counts.
   */
  move(dispute: BookedDispute, deadline: number): Promise<Move | null>;
  /** Told of a move before it is sent, while the walk stands where it was chosen. */
  chosen?(dispute: BookedDispute, move: Move, position: Position): Promise<void>;
}

/** Reverts that only say that the position has changed since the move was chosen. */
const OVERTAKEN = ["DisputeUnknown", "DisputeLevel", "DisputeTurn", "DisputeAnswered", "OpeningMismatch"];
/** Longest wait for the log of a move that was just made. */
const LOG_MILLISECONDS = 2000;

const LEVEL_NAMES = Object.fromEntries(Object.entries(Level).map(([name, level]) => [level, name]));

export class DisputePlayer {
  readonly #context: ServiceContext;
  readonly #strategy: Strategy;
  readonly #chores: Chores;
  readonly #told = new Set<Hex>();
  /** Disputes whose outcome was told; a reorganisation may take a verdict back. */
  readonly #over = new Set<Hex>();

  constructor(context: ServiceContext, strategy: Strategy) {
    this.#context = context;
    this.#strategy = strategy;
    this.#chores = new Chores(context);
  }

  /** Starts whatever is to do about a dispute, unless that is already under way. Never throws: a dispute's trouble is its own. */
  attend(dispute: BookedDispute): void {
    const { disputeId, walk } = dispute;
    if (walk.outcome === null) this.#over.delete(disputeId);
    else if (this.#over.has(disputeId)) return;
    this.#chores.start(`dispute ${disputeId}`, () => this.#attend(dispute), OVERTAKEN);
  }

  /** Waits for the moves that are under way. */
  async settle(): Promise<void> {
    await this.#chores.settle();
  }

  async #attend(dispute: BookedDispute): Promise<void> {
    const { disputeId, subject, walk } = dispute;
    const { output } = this.#context;
    if (!this.#told.has(disputeId)) {
      this.#told.add(disputeId);
      const { segment, defendant } = subject;
      output.event(
        "dispute",
        { disputeId, segment, defendant, role: this.#strategy.role },
        `dispute ${disputeId} about segment ${segment}: this program is the ${this.#strategy.role}`,
      );
    }
    if (walk.outcome !== null) {
      this.#over.add(disputeId);
      const { defendantConvicted, reason } = walk.outcome;
      output.event(
        "resolved",
        { disputeId, defendantConvicted, reason },
        `dispute ${disputeId}: the ${defendantConvicted ? "defendant" : "challenger"} is convicted (${reason})`,
      );
      return;
    }
    const clock = await this.#clock(dispute);
    if (clock === null) return;
    const { deadline, late } = clock;
    if (late) {
      await this.#claimTimeout(dispute);
      return;
    }
    if (walk.turn !== this.#strategy.role) return;
    const { position } = walk;
    const move = await this.#strategy.move(dispute, deadline);
    // The walk may have gone on while the evidence was computed.
    if (move === null || walk.position !== position) return;
    await this.#strategy.chosen?.(dispute, move, position);
    if (move.kind === "answer" && (await this.#isAnswered(dispute))) {
      const { children } = move;
      this.#tell(
        disputeId,
        "adopt",
        position,
        await sendAdoption(this.#context, disputeId, subject, children, deadline),
      );
    } else {
      this.#tell(disputeId, move.kind, position, await sendMove(this.#context, disputeId, subject, move, deadline));
    }
    await this.#seen(dispute, position);
  }

  /** The clock of the side to move, or null while the log is behind the chain. */
  async #clock({ disputeId, walk }: BookedDispute): Promise<{ deadline: number; late: boolean } | null> {
    const { chain, deployment } = this.#context;
    const game = { address: deployment.game, abi: contractAbi("DisputeGame"), args: [disputeId] } as const;
    const [stored, { timestamp }] = await Promise.all([
      chain.client.readContract({ ...game, functionName: "dispute" }),
      chain.client.getBlock({ blockTag: "latest" }),
    ]);
    const { level, height, index, lo, hi } = stored.walk;
    const { position } = walk;
    const isTile = position.level === Level.tile;
    const isSame =
      level === position.level &&
      (isTile || height === position.height || level === Level.partials) &&
      (index === position.index || level === Level.answer || level === Level.fork) &&
      (level !== Level.partials || (lo === position.lo && hi === position.hi)) &&
      stored.clock.turn === (walk.turn === "defendant" ? 0 : 1);
    if (!isSame) return null;
    const left = walk.turn === "defendant" ? stored.clock.defendant : stored.clock.challenger;
    const deadline = stored.clock.movedAt + left;
    return { deadline, late: Number(timestamp) > deadline };
  }

  /** Whether the defendant has answered in another dispute about the subject: one answer serves them all. */
  async #isAnswered({ subjectHash }: BookedDispute): Promise<boolean> {
    const { chain, deployment } = this.#context;
    const segmentRoot = await chain.client.readContract({
      address: deployment.game,
      abi: contractAbi("DisputeGame"),
      functionName: "answerOf",
      args: [deployment.market, subjectHash],
    });
    return segmentRoot !== ZERO_BYTES32;
  }

  async #claimTimeout({ disputeId, walk }: BookedDispute): Promise<void> {
    // Whoever's time is over gains nothing by saying so.
    if (walk.turn === this.#strategy.role) return;
    const { sender, deployment } = this.#context;
    const { position } = walk;
    const included = await sender.send({
      address: deployment.game,
      abi: contractAbi("DisputeGame"),
      functionName: "claimTimeout",
      args: [disputeId],
    });
    this.#tell(disputeId, "claimTimeout", position, included);
  }

  /** Waits until the log has the move, so that it is not made twice. */
  async #seen({ walk }: BookedDispute, position: Position): Promise<void> {
    const published = walk.published;
    const until = Date.now() + LOG_MILLISECONDS;
    while (walk.position === position && walk.published === published && walk.outcome === null && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(50, this.#context.chain.pollingMs)));
    }
  }

  #tell(disputeId: Hex, move: string, { level }: Position, { hash, gasUsed }: Included): void {
    this.#context.output.event(
      "move",
      { disputeId, move, level: LEVEL_NAMES[level], transaction: hash, gas: gasUsed },
      `dispute ${disputeId}: ${move} at ${LEVEL_NAMES[level]}, ${gasUsed} gas`,
    );
  }
}
