/** A verifier's work on one task: draws, replays, seals, reveals, challenges, disputes. */
import { randomBytes } from "node:crypto";
import type { Address, Hex } from "viem";
import { contractAbi } from "../shared/chain/contracts.ts";
import { digestSeal } from "../shared/commitment/digest.ts";
import { defend } from "../shared/dispute/defendant.ts";
import { toHex } from "../shared/dispute/moves.ts";
import { assessDefence, TaskWindowError } from "../shared/service/assess.ts";
import { fetchCheckpoint } from "../shared/service/checkpointState.ts";
import { Chores } from "../shared/service/chores.ts";
import type { ServiceContext } from "../shared/service/context.ts";
import { DisputePlayer } from "../shared/service/disputePlayer.ts";
import type { Journal } from "../shared/service/journal.ts";
import { type LoadedTask, loadTask } from "../shared/service/loadTask.ts";
import { attestationKey, type BookedDispute, type BookedTask } from "../shared/service/marketBook.ts";
import type { MarketWatch } from "../shared/service/marketWatch.ts";
import type { Purse } from "../shared/service/purse.ts";
import { isSameAddress } from "../shared/service/sameAddress.ts";
import { challengerStrategy } from "./challengerStrategy.ts";
import { EarlierFaultError, Replayer, type SegmentReplay } from "./replayer.ts";

export interface TaskVerifierOptions {
  /** Replay every segment, not only those that this verifier is drawn for. */
  readonly watchAll: boolean;
  /** Told of every fault that is found. */
  readonly onFault: () => void;
}

interface Drawn {
  /** This verifier's first draw, or null. */
  readonly draw: bigint | null;
  /** Everyone who is drawn for the segment. */
  readonly verifiers: readonly Address[];
}

interface Windows {
  readonly sealEnd: number;
  readonly revealEnd: number;
  readonly challengeEnd: number;
}

/** A seal that was made: needed again to reveal it. */
interface SealRecord {
  readonly salt: Hex;
  readonly digestRoot: Hex;
}

/** AttestationStatus of contracts/interfaces/ITrainingMarket.sol. */
const ATTESTATION = { none: 0, sealed: 1, revealed: 2 } as const;
/** Share of the challenge window during which another's challenge of the same fault is left to decide it. */
const LEAVE_TO_OTHERS = 0.5;
/** Share of the seal window after which a checkpoint that cannot be fetched is reported. */
const WAIT_FOR_STORE = 0.5;

export class TaskVerifier {
  readonly #context: ServiceContext;
  readonly #watch: MarketWatch;
  readonly #journal: Journal;
  readonly #purse: Purse;
  readonly #options: TaskVerifierOptions;
  readonly #chores: Chores;
  readonly #taskId: Hex;
  readonly #draws = new Map<number, Drawn>();
  readonly #replays = new Map<number, SegmentReplay>();
  #defensible: Promise<boolean> | null = null;
  readonly #spoken = new Set<number>();
  readonly #revealed = new Set<number>();
  readonly #closed = new Set<number>();
  readonly #challenged = new Set<string>();
  readonly #faults = new Map<string, { readonly segment: number; readonly defendant: Address }>();
  #loading: Promise<Loaded> | null = null;

  constructor(
    context: ServiceContext,
    watch: MarketWatch,
    journal: Journal,
    purse: Purse,
    taskId: Hex,
    options: TaskVerifierOptions,
  ) {
    this.#context = context;
    this.#watch = watch;
    this.#journal = journal;
    this.#purse = purse;
    this.#taskId = taskId;
    this.#options = options;
    this.#chores = new Chores(context);
  }

  /** Starts whatever is due. */
  attend(): void {
    const task = this.#task;
    if (task.state === "accepted") {
      for (const segment of task.checkpoints.keys()) this.#attendSegment(task, segment);
      if (this.#nextReplay() !== null) {
        this.#chores.start(`replay of task ${this.#taskId}`, () => this.#replayNext());
      }
    }
    for (const [segment, { draw }] of this.#draws) {
      if (draw === null) continue;
      this.#chores.start(`attestation of segment ${segment}`, () => this.#attest(segment), ["SealMismatch"]);
    }
    for (const attestation of task.attestations.values()) {
      if (attestation.digestRoot !== null) this.#checkDigest(attestation.segment, attestation.verifier);
    }
    for (const { segment, defendant } of this.#faults.values()) {
      this.#chores.start(`challenge of segment ${segment} of ${defendant}`, () => this.#challenge(segment, defendant));
    }
    for (const dispute of this.#disputes()) this.#attendDispute(dispute);
  }

  /** Waits for what is under way and closes the engine. */
  async close(): Promise<void> {
    await this.#chores.settle();
    const loaded = await this.#loading?.catch(() => null);
    await loaded?.challenging.settle();
    await loaded?.defending.settle();
    await loaded?.task.engine.close();
  }

  get #task(): BookedTask {
    return this.#watch.book.tasks.get(this.#taskId)!;
  }

  get #market() {
    return { address: this.#context.deployment.market, abi: contractAbi("TrainingMarket") } as const;
  }

  #attendSegment(task: BookedTask, segment: number): void {
    if (task.draws.has(segment)) {
      if (!this.#draws.has(segment)) {
        this.#chores.start(`draw of segment ${segment}`, () => this.#readDraw(segment));
      }
      return;
    }
    this.#chores.start(`draw of segment ${segment}`, () => this.#draw(segment), ["SegmentDrawnAlready", "BeaconEarly"]);
  }

  /** Fixes a segment's randomness once its block is there; anybody may, and one must. */
  async #draw(segment: number): Promise<void> {
    const { chain, sender } = this.#context;
    const [{ committedBlock, beacon }, { beaconDelay }, head] = await Promise.all([
      chain.client.readContract({ ...this.#market, functionName: "segmentOf", args: [this.#taskId, segment] }),
      chain.client.readContract({ ...this.#market, functionName: "task", args: [this.#taskId] }),
      chain.client.getBlockNumber(),
    ]);
    if (BigInt(beacon) !== 0n || head <= BigInt(committedBlock + beaconDelay)) return;
    await sender.send({ ...this.#market, functionName: "draw", args: [this.#taskId, segment] });
  }

  async #readDraw(segment: number): Promise<void> {
    if (this.#draws.has(segment)) return;
    const { chain, sender, output } = this.#context;
    const { draws } = this.#task.spec;
    const verifiers: Address[] = [];
    let own: bigint | null = null;
    for (let draw = 0n; draw < BigInt(draws); draw++) {
      const [, verifier, counts] = await chain.client.readContract({
        ...this.#market,
        functionName: "drawnSeat",
        args: [this.#taskId, segment, draw],
      });
      if (!counts || verifiers.includes(verifier)) continue;
      verifiers.push(verifier);
      if (isSameAddress(verifier, sender.address)) own = draw;
    }
    this.#draws.set(segment, { draw: own, verifiers });
    if (own !== null) {
      output.event("drawn", { taskId: this.#taskId, segment }, `drawn to replay segment ${segment} of ${this.#taskId}`);
    }
  }

  /** The first segment that is to be replayed. */
  #nextReplay(): number | null {
    for (const segment of this.#task.checkpoints.keys()) {
      const drawn = this.#draws.get(segment);
      if (drawn === undefined || this.#replays.has(segment)) continue;
      if (this.#options.watchAll || drawn.draw !== null) return segment;
    }
    return null;
  }

  async #replayNext(): Promise<void> {
    const segment = this.#nextReplay();
    if (segment === null) return;
    const { output, signal } = this.#context;
    const { replayer } = await this.#load();
    const { verifiers } = this.#draws.get(segment)!;
    const { beacon } = this.#task.draws.get(segment)!;
    const started = performance.now();
    const replay = await this.#verdictOn(() => replayer.replay(segment, { digests: { beacon, verifiers }, signal }));
    this.#replays.set(segment, replay);
    if (replay.verdict === "unreachable") return;
    const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
    const equal = replay.verdict === "equal";
    output.event(
      "replayed",
      { taskId: this.#taskId, segment, equal, seconds },
      `replayed segment ${segment} in ${seconds} s: ${equal ? "the same bits" : "ANOTHER CHECKPOINT"}`,
    );
    if (!equal) this.#fault(segment, this.#task.solver!);
  }

  async #verdictOn(replay: () => Promise<SegmentReplay>): Promise<SegmentReplay> {
    try {
      return await replay();
    } catch (error) {
      if (!(error instanceof EarlierFaultError)) throw error;
      this.#replays.set(error.segment, { verdict: "different", digests: new Map() });
      this.#fault(error.segment, this.#task.solver!);
      return { verdict: "unreachable", digests: new Map() };
    }
  }

  /** Seals, reveals or closes this verifier's attestation of a segment, whatever is due. */
  async #attest(segment: number): Promise<void> {
    if (this.#closed.has(segment)) return;
    const { chain, sender } = this.#context;
    const task = this.#task;
    const now = await this.#watch.now();
    const windows = await this.#windows(segment);
    const { status } = await chain.client.readContract({
      ...this.#market,
      functionName: "attestationOf",
      args: [this.#taskId, segment, sender.address],
    });
    const replay = this.#replays.get(segment);
    if (status === ATTESTATION.none) {
      if (now > windows.sealEnd || task.state !== "accepted") this.#closed.add(segment);
      else if (replay?.verdict === "equal" && !this.#spoken.has(segment))
        await this.#speak(segment, replay, now, windows);
    } else if (status === ATTESTATION.sealed) {
      if (now > windows.revealEnd) this.#closed.add(segment);
      else if (now > windows.sealEnd && !this.#revealed.has(segment)) await this.#reveal(segment, windows);
    } else if (status === ATTESTATION.revealed) {
      if (now > windows.challengeEnd) await this.#close(segment);
    } else this.#closed.add(segment);
  }

  /** Seals the digest, or reports that the checkpoint cannot be fetched. */
  async #speak(segment: number, { digests }: SegmentReplay, now: number, { sealEnd }: Windows): Promise<void> {
    const { sender, store, output } = this.#context;
    const { task } = await this.#load();
    const { draw } = this.#draws.get(segment)!;
    const digestRoot = [...digests].find(([verifier]) => isSameAddress(verifier, sender.address))?.[1];
    if (draw === null || digestRoot === undefined) return;
    const fetched = await fetchCheckpoint(store, task.job.program, this.#task.checkpoints[segment]!);
    if ("problem" in fetched) {
      if (now < sealEnd - task.spec.sealWindow * (1 - WAIT_FOR_STORE)) return;
      await sender.send(
        { ...this.#market, functionName: "reportUnavailable", args: [this.#taskId, segment, draw] },
        { deadline: sealEnd },
      );
      this.#spoken.add(segment);
      output.event(
        "unavailable",
        { taskId: this.#taskId, segment, code: fetched.problem.code },
        `reported checkpoint ${segment} unavailable: ${fetched.problem.message}`,
      );
      return;
    }
    if (!(await this.#isDefensible(task))) {
      this.#spoken.add(segment);
      return;
    }
    const key = this.#sealKey(segment);
    // Before the seal is sent: a seal that cannot be revealed is worth nothing.
    if (this.#journal.get<SealRecord>(key)?.digestRoot !== digestRoot) {
      this.#journal.set(key, { salt: toHex(randomBytes(32)), digestRoot } satisfies SealRecord);
    }
    const { salt } = this.#journal.get<SealRecord>(key)!;
    const seal = digestSeal(this.#taskId, segment, sender.address, salt, digestRoot);
    await sender.send(
      { ...this.#market, functionName: "seal", args: [this.#taskId, segment, draw, seal] },
      { deadline: sealEnd },
    );
    this.#spoken.add(segment);
    output.event("sealed", { taskId: this.#taskId, segment }, `sealed the digest of segment ${segment}`);
  }

  /** Whether this machine could answer a dispute about its attestation in time; found out once, before the first seal. */
  #isDefensible(task: LoadedTask): Promise<boolean> {
    this.#defensible ??= assessDefence(task).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof TaskWindowError)) throw error;
        this.#context.output.event(
          "problem",
          { chore: "attest", code: error.code, message: error.message },
          error.message,
        );
        return false;
      },
    );
    return this.#defensible;
  }

  async #reveal(segment: number, { revealEnd }: Windows): Promise<void> {
    const { sender, output } = this.#context;
    const record = this.#journal.get<SealRecord>(this.#sealKey(segment));
    if (record === undefined) {
      output.note(`the seal of segment ${segment} is not in this journal and cannot be revealed`);
      this.#revealed.add(segment);
      return;
    }
    await sender.send(
      { ...this.#market, functionName: "reveal", args: [this.#taskId, segment, record.salt, record.digestRoot] },
      { deadline: revealEnd },
    );
    this.#revealed.add(segment);
    output.event("revealed", { taskId: this.#taskId, segment }, `revealed the digest of segment ${segment}`);
  }

  async #close(segment: number): Promise<void> {
    const { sender, output, chain } = this.#context;
    const { address } = sender;
    const { openDisputes } = await chain.client.readContract({
      ...this.#market,
      functionName: "attestationOf",
      args: [this.#taskId, segment, address],
    });
    if (openDisputes > 0) return;
    await sender.send({ ...this.#market, functionName: "closeAttestation", args: [this.#taskId, segment, address] });
    this.#closed.add(segment);
    output.event("paid", { taskId: this.#taskId, segment }, `paid for the attestation of segment ${segment}`);
  }

  /** Another verifier's revealed digest, against this one's replay. */
  #checkDigest(segment: number, verifier: Address): void {
    const { sender } = this.#context;
    const replay = this.#replays.get(segment);
    if (replay === undefined || replay.verdict === "unreachable" || isSameAddress(verifier, sender.address)) return;
    const claimed = this.#task.attestations.get(attestationKey(segment, verifier))?.digestRoot;
    const own = replay.digests.get(verifier);
    // Whoever attests a wrong checkpoint is wrong whatever its digest says.
    if (replay.verdict === "equal" && (own === undefined || own === claimed)) return;
    this.#fault(segment, verifier);
  }

  #fault(segment: number, defendant: Address): void {
    const { output } = this.#context;
    const key = `${segment}:${defendant}`;
    if (this.#faults.has(key)) return;
    this.#faults.set(key, { segment, defendant });
    this.#options.onFault();
    output.event("fault", { taskId: this.#taskId, segment, defendant }, `FAULT of ${defendant} in segment ${segment}`);
  }

  async #challenge(segment: number, defendant: Address): Promise<void> {
    const key = `${segment}:${defendant}`;
    if (this.#challenged.has(key)) return;
    const { sender, output } = this.#context;
    const task = this.#task;
    const ofSolver = isSameAddress(defendant, task.solver!);
    if (ofSolver && task.state !== "accepted") return;
    const about = [...this.#watch.book.disputes.values()].filter(
      ({ subject, moot }) =>
        subject.taskId === this.#taskId &&
        subject.segment === segment &&
        isSameAddress(subject.defendant, defendant) &&
        !moot,
    );
    if (about.some(({ challenger }) => isSameAddress(challenger, sender.address))) {
      this.#challenged.add(key);
      return;
    }
    const { challengeEnd } = await this.#windows(segment);
    const left = challengeEnd - (await this.#watch.now());
    if (left < 0) {
      this.#challenged.add(key);
      output.note(`the challenge window of segment ${segment} is over`);
      return;
    }
    // One honest challenger is enough, but another may lose on purpose: it is given half of the window.
    const others = about.some(({ walk }) => walk.outcome === null);
    if (others && left > task.spec.challengeWindow * (1 - LEAVE_TO_OTHERS)) return;
    const { client } = this.#context.chain;
    const { hash, gasUsed } = await this.#purse.spend(
      () =>
        client.readContract({
          ...this.#market,
          functionName: "challengeBond",
          args: [this.#taskId, segment, defendant],
        }),
      "the challenger's bond",
      () =>
        sender.send(
          {
            ...this.#market,
            functionName: "challenge",
            args: [this.#taskId, segment, defendant, task.spec.training],
          },
          { deadline: challengeEnd },
        ),
    );
    this.#challenged.add(key);
    output.event(
      "challenged",
      { taskId: this.#taskId, segment, defendant, transaction: hash, gas: gasUsed },
      `challenged segment ${segment} of ${defendant}`,
    );
  }

  #disputes(): BookedDispute[] {
    const { address } = this.#context.sender;
    return [...this.#watch.book.disputes.values()].filter(
      ({ subject, challenger, moot }) =>
        subject.taskId === this.#taskId &&
        !moot &&
        (isSameAddress(challenger, address) || isSameAddress(subject.defendant, address)),
    );
  }

  #attendDispute(dispute: BookedDispute): void {
    const { subject, challenger, walk, disputeId } = dispute;
    const { sender } = this.#context;
    const asChallenger = isSameAddress(challenger, sender.address);
    const ofSolver = this.#task.solver !== null && isSameAddress(subject.defendant, this.#task.solver);
    if (asChallenger && ofSolver && this.#task.state === "failed" && walk.outcome === null) {
      this.#chores.start(`bond of dispute ${disputeId}`, async () => {
        await sender.send({ ...this.#market, functionName: "closeMoot", args: [disputeId] });
      }, ["DisputeNotMoot"]);
      return;
    }
    this.#chores.start(`loading for dispute ${disputeId}`, async () => {
      const { challenging, defending } = await this.#load();
      (asChallenger ? challenging : defending).attend(dispute);
    });
  }

  async #windows(segment: number): Promise<Windows> {
    const [sealEnd, revealEnd, challengeEnd] = await this.#context.chain.client.readContract({
      ...this.#market,
      functionName: "windowsOf",
      args: [this.#taskId, segment],
    });
    return { sealEnd: Number(sealEnd), revealEnd: Number(revealEnd), challengeEnd: Number(challengeEnd) };
  }

  #load(): Promise<Loaded> {
    this.#loading ??= this.#loadNow();
    // Whoever published the package may do so later.
    this.#loading.catch(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadNow(): Promise<Loaded> {
    const { store, output } = this.#context;
    const task = await loadTask(this.#context, this.#task);
    const replayer = new Replayer(task, store, this.#task.checkpoints);
    const evidence = (segment: number) => replayer.evidence(segment);
    return {
      task,
      replayer,
      challenging: new DisputePlayer(this.#context, challengerStrategy(task.run, output, evidence)),
      defending: new DisputePlayer(this.#context, {
        role: "defendant",
        move: async ({ subject, walk }) => defend(task.run, await evidence(subject.segment), walk),
      }),
    };
  }

  #sealKey(segment: number): string {
    return `${this.#taskId}:seal:${segment}`;
  }
}

interface Loaded {
  readonly task: LoadedTask;
  readonly replayer: Replayer;
  readonly challenging: DisputePlayer;
  readonly defending: DisputePlayer;
}
