/** The state of a market as its logs tell it: tasks with their checkpoints, draws and attestations, and disputes with their walks. */
import type { Address, Hex } from "viem";
import type { ProtocolEvent } from "../chain/followProtocol.ts";
import type { DisputeEvent } from "../dispute/events.ts";
import { Walk } from "../dispute/walk.ts";
import { isSameAddress } from "./sameAddress.ts";

type EventOf<name extends ProtocolEvent["eventName"]> = Extract<ProtocolEvent, { eventName: name }>;

/** The spec as it was posted, and the subject of a dispute, as the contracts' ABI types them. */
export type PostedSpec = EventOf<"TaskPosted">["args"]["spec"];
export type DisputedSubject = EventOf<"DisputeOpened">["args"]["subject"];

export type TaskState = "posted" | "cancelled" | "accepted" | "settled" | "failed";

export interface BookedCheckpoint {
  readonly stateRoot: Hex;
  /** Content id, as 32 bytes. */
  readonly locator: Hex;
}

export interface BookedDraw {
  readonly beacon: Hex;
  readonly sampled: boolean;
}

export interface BookedAttestation {
  readonly segment: number;
  readonly verifier: Address;
  state: "sealed" | "revealed" | "closed";
  digestRoot: Hex | null;
}

export interface BookedTask {
  readonly taskId: Hex;
  readonly requester: Address;
  readonly spec: PostedSpec;
  readonly postedBlock: bigint;
  state: TaskState;
  solver: Address | null;
  /** Whether a failure was a conviction. */
  convicted: boolean;
  readonly checkpoints: BookedCheckpoint[];
  readonly draws: Map<number, BookedDraw>;
  /** By `segment:verifier`. */
  readonly attestations: Map<string, BookedAttestation>;
  /** Verifiers convicted for an attestation, as `segment:verifier`. */
  readonly convictions: Set<string>;
}

export interface BookedDispute {
  readonly disputeId: Hex;
  readonly subject: DisputedSubject;
  readonly subjectHash: Hex;
  readonly challenger: Address;
  readonly walk: Walk;
  /** Whether its defendant was convicted in another dispute and the market has closed this one. */
  moot: boolean;
}

export function attestationKey(segment: number, verifier: Address): string {
  return `${segment}:${verifier}`;
}

/** Whether an unresolved dispute's defendant was convicted in another one: its bond can be taken back. */
export function isMoot({ solver, state, convictions }: BookedTask, { subject, walk, moot }: BookedDispute): boolean {
  if (walk.outcome !== null || moot) return false;
  if (solver !== null && isSameAddress(subject.defendant, solver)) return state === "failed";
  return convictions.has(attestationKey(subject.segment, subject.defendant));
}

export interface BookedSeat {
  readonly verifier: Address;
  left: boolean;
}

function logKey({ blockHash, logIndex }: ProtocolEvent): string {
  return `${blockHash}:${logIndex}`;
}

export class MarketBook {
  readonly #seats = new Map<bigint, BookedSeat>();
  readonly #tasks = new Map<Hex, BookedTask>();
  readonly #disputes = new Map<Hex, BookedDispute>();
  readonly #market: Address;
  #events: ProtocolEvent[] = [];
  /** Logs that were taken back and are still in the book. */
  readonly #removed = new Set<string>();

  constructor(market: Address) {
    this.#market = market;
  }

  get seats(): ReadonlyMap<bigint, BookedSeat> {
    this.#rebuild();
    return this.#seats;
  }

  get tasks(): ReadonlyMap<Hex, BookedTask> {
    this.#rebuild();
    return this.#tasks;
  }

  get disputes(): ReadonlyMap<Hex, BookedDispute> {
    this.#rebuild();
    return this.#disputes;
  }

  /** Takes an event in the chain's order; one that a reorganisation took back is forgotten with all that followed from it. */
  apply(event: ProtocolEvent): void {
    if (event.removed) {
      this.#removed.add(logKey(event));
      return;
    }
    this.#rebuild();
    if (this.#isForeign(event)) return;
    this.#events.push(event);
    this.#take(event);
  }

  /** Once for all logs that were taken back since the book was last read: a rebuild for each would take hours after many logs. */
  #rebuild(): void {
    if (this.#removed.size === 0) return;
    const kept = this.#events.filter((event) => !this.#removed.has(logKey(event)));
    this.#removed.clear();
    if (kept.length === this.#events.length) return;
    this.#events = kept;
    this.#seats.clear();
    this.#tasks.clear();
    this.#disputes.clear();
    for (const event of kept) this.#take(event);
  }

  /** A game serves any market: what others' disputes say is not kept, or they would make every reorganisation dear. */
  #isForeign({ eventName, args }: ProtocolEvent): boolean {
    if (eventName === "DisputeOpened") return !isSameAddress(args.market, this.#market);
    return "disputeId" in args && !this.#disputes.has(args.disputeId);
  }

  #take(event: ProtocolEvent): void {
    switch (event.eventName) {
      case "TaskPosted": {
        const { taskId, requester, spec } = event.args;
        this.#tasks.set(taskId, {
          taskId,
          requester,
          spec,
          postedBlock: event.blockNumber,
          state: "posted",
          solver: null,
          convicted: false,
          checkpoints: [],
          draws: new Map(),
          attestations: new Map(),
          convictions: new Set(),
        });
        return;
      }
      case "TaskCancelled":
        this.#update(event.args.taskId, (task) => {
          task.state = "cancelled";
        });
        return;
      case "TaskAccepted": {
        const { taskId, solver } = event.args;
        this.#update(taskId, (task) => {
          task.state = "accepted";
          task.solver = solver;
        });
        return;
      }
      case "CheckpointAppended": {
        const { taskId, segment, stateRoot, locator } = event.args;
        this.#update(taskId, ({ checkpoints }) => {
          checkpoints[segment] = { stateRoot, locator };
        });
        return;
      }
      case "SegmentDrawn": {
        const { taskId, segment, beacon, sampled } = event.args;
        this.#update(taskId, ({ draws }) => draws.set(segment, { beacon, sampled }));
        return;
      }
      case "AttestationSealed": {
        const { taskId, segment, verifier } = event.args;
        const attestation: BookedAttestation = { segment, verifier, state: "sealed", digestRoot: null };
        this.#update(taskId, ({ attestations }) => attestations.set(attestationKey(segment, verifier), attestation));
        return;
      }
      case "AttestationRevealed": {
        const { taskId, segment, verifier, digestRoot } = event.args;
        this.#updateAttestation(taskId, segment, verifier, (attestation) => {
          attestation.state = "revealed";
          attestation.digestRoot = digestRoot;
        });
        return;
      }
      case "AttestationClosed": {
        const { taskId, segment, verifier } = event.args;
        this.#updateAttestation(taskId, segment, verifier, (attestation) => {
          attestation.state = "closed";
        });
        return;
      }
      case "Convicted": {
        const { taskId, segment, defendant } = event.args;
        this.#update(taskId, ({ convictions }) => convictions.add(attestationKey(segment, defendant)));
        return;
      }
      case "TaskSettled":
        this.#update(event.args.taskId, (task) => {
          task.state = "settled";
        });
        return;
      case "TaskFailed": {
        const { taskId, convicted } = event.args;
        this.#update(taskId, (task) => {
          task.state = "failed";
          task.convicted = convicted;
        });
        return;
      }
      case "DisputeOpened": {
        const { disputeId, market, subject, subjectHash, challenger } = event.args;
        // A game serves any market; only this one's disputes are about this one's tasks.
        if (!isSameAddress(market, this.#market)) return;
        const { operatorCount, stateCount } = subject.training.program;
        const walk = new Walk({ operatorCount, stateCount });
        walk.apply({ eventName: "DisputeOpened", args: { subject, challenger } });
        this.#disputes.set(disputeId, { disputeId, subject, subjectHash, challenger, walk, moot: false });
        return;
      }
      case "SeatJoined":
        this.#seats.set(event.args.seat, { verifier: event.args.verifier, left: false });
        return;
      case "SeatLeft": {
        const seat = this.#seats.get(event.args.seat);
        if (seat !== undefined) seat.left = true;
        return;
      }
      case "DisputeMoot": {
        const dispute = this.#disputes.get(event.args.disputeId);
        if (dispute !== undefined) dispute.moot = true;
        return;
      }
      default:
        if ("disputeId" in event.args) {
          // SAFETY: every other log of the game is a DisputeEvent; the market's own, which a walk does not know, change nothing.
          this.#disputes.get(event.args.disputeId)?.walk.apply(event as unknown as DisputeEvent);
        }
    }
  }

  #update(taskId: Hex, change: (task: BookedTask) => void): void {
    const task = this.#tasks.get(taskId);
    if (task !== undefined) change(task);
  }

  #updateAttestation(
    taskId: Hex,
    segment: number,
    verifier: Address,
    change: (attestation: BookedAttestation) => void,
  ): void {
    const attestation = this.#tasks.get(taskId)?.attestations.get(attestationKey(segment, verifier));
    if (attestation !== undefined) change(attestation);
  }
}
