/**
 * Threads that run kernels together on one shared memory. A kernel's outermost dimension is cut into pieces that whoever is free takes
 * next, the caller too: a thread that the machine does not run holds nobody up. Pieces write apart, so no division changes a bit.
 */
import { EngineFailedError } from "../errors.ts";
import type { Extent } from "./elementwise.ts";

type Exports = Readonly<Record<string, (...parameters: number[]) => number>>;

/** What a thread of the crew is started with. */
export interface CrewData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array<SharedArrayBuffer>;
  /** Which thread of the crew it is, from 0. */
  readonly index: number;
}

/** A thread that runs `serve`; whoever starts it calls `abandon` when it has ended. */
export interface CrewThread {
  close(): Promise<void>;
}

/** How work is cut into pieces. */
export interface Cut {
  /** Elements below which a kernel is not worth waking anybody. */
  readonly leastWork: number;
  /** Elements of a piece, at least. */
  readonly leastPiece: number;
  /** Pieces of a kernel for each thread, at most. */
  readonly piecesOfThread: number;
}

const CUT: Cut = { leastWork: 2 ** 15, leastPiece: 2 ** 13, piecesOfThread: 4 };

/** Words of the control block. */
const GENERATION = 0;
/** 1 while there are pieces to take. */
const OPEN = 1;
/** 1 when a piece was begun and will never be done. */
const FAILED = 2;
const NEXT = 3;
const CODE = 4;
const LENGTH = 5;
const STEP = 6;
/** Greatest result, as an unsigned integer. */
const GREATEST = 7;
const COUNT = 8;
const PLACES = 9;
/** From here on for each thread whether it may be reading the job. */
const BUSY = PLACES + 16;

const SPINS = 2000;
/** Waits of a millisecond before the caller lets its thread hear of others' ends. */
const WAITS = 200;
const PAUSE_MILLISECONDS = 10;

export class Crew {
  readonly #name: string;
  readonly #exports: Exports;
  readonly #cut: Cut;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #threads: readonly CrewThread[];

  /** @param name of the engine. @param start starts a thread. @param others how many besides the caller's. */
  constructor(
    name: string,
    exports: Exports,
    { module, memory }: Pick<CrewData, "module" | "memory">,
    start: (data: CrewData) => CrewThread,
    others: number,
    cut: Cut = CUT,
  ) {
    this.#name = name;
    this.#exports = exports;
    this.#cut = cut;
    const control = new Int32Array(new SharedArrayBuffer((BUSY + others) * Int32Array.BYTES_PER_ELEMENT));
    this.#control = control;
    this.#threads = Array.from({ length: others }, (_, index) => start({ module, memory, control, index }));
  }

  /**
   * Runs a kernel over all of its extent; the greatest of its results, in a promise where others take long over their last pieces.
   * @throws EngineFailedError when a thread trapped or ended inside a piece, now or before.
   */
  run(code: number, { length, unit, inner }: Extent, addresses: readonly number[]): number | Promise<number> {
    this.#requireWhole();
    const control = this.#control;
    const { leastWork, leastPiece, piecesOfThread } = this.#cut;
    if (length * inner < leastWork || length < 2 * unit) return this.#exports[code]!(0, length, ...addresses);
    const pieces = (this.#threads.length + 1) * piecesOfThread;
    const step = Math.ceil(Math.max(length / pieces, leastPiece / inner) / unit) * unit;
    control[CODE] = code;
    control[LENGTH] = length;
    control[STEP] = step;
    control[NEXT] = 0;
    control[GREATEST] = 0;
    control[COUNT] = addresses.length;
    control.set(addresses, PLACES);
    Atomics.store(control, OPEN, 1);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    try {
      takePieces(this.#exports, control);
    } catch (error) {
      Atomics.store(control, FAILED, 1);
      throw error;
    } finally {
      Atomics.store(control, OPEN, 0);
    }
    // SAFETY: nobody who saw the job open still reads it or writes for it once all are 0; who comes later finds it closed.
    for (let tries = 0, busy = this.#busy(); busy !== null; busy = this.#busy()) {
      if (++tries > SPINS + WAITS) return this.#later();
      if (tries > SPINS) Atomics.wait(control, busy, 1, 1);
    }
    return this.#result();
  }

  /** Whether a piece was begun that will never be done: nothing runs any more. */
  get hasFailed(): boolean {
    return Atomics.load(this.#control, FAILED) !== 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  /** That a thread has ended is only heard between tasks of the caller's. */
  async #later(): Promise<number> {
    while (this.#busy() !== null) await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    return this.#result();
  }

  /** The word of a thread that may be reading the job. */
  #busy(): number | null {
    for (let word = BUSY; word < this.#control.length; word++) if (Atomics.load(this.#control, word) !== 0) return word;
    return null;
  }

  #result(): number {
    this.#requireWhole();
    return this.#control[GREATEST]! >>> 0;
  }

  #requireWhole(): void {
    if (!this.hasFailed) return;
    throw new EngineFailedError(this.#name, "a thread of its kernels trapped or ended before its piece was done");
  }
}

/** The life of a thread: it does not return and is ended from outside, or by a kernel that traps. */
export function serve({ module, memory, control, index }: CrewData): never {
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
  let seen = 0;
  for (;;) {
    Atomics.wait(control, GENERATION, seen);
    seen = Atomics.load(control, GENERATION);
    Atomics.store(control, BUSY + index, 1);
    try {
      if (Atomics.load(control, OPEN) === 1) takePieces(exports, control);
    } catch (error) {
      Atomics.store(control, FAILED, 1);
      throw error;
    } finally {
      Atomics.store(control, BUSY + index, 0);
      Atomics.notify(control, BUSY + index);
    }
  }
}

/** To be called when a thread has ended: what it had begun will never be done. One that had begun nothing is not missed. */
export function abandon({ control, index }: CrewData): void {
  if (Atomics.load(control, BUSY + index) === 0) return;
  Atomics.store(control, FAILED, 1);
  Atomics.store(control, BUSY + index, 0);
}

function takePieces(exports: Exports, control: Int32Array): void {
  const kernel = exports[control[CODE]!]!;
  const length = control[LENGTH]!;
  const step = control[STEP]!;
  const addresses = Array.from(control.subarray(PLACES, PLACES + control[COUNT]!));
  let greatest = 0;
  for (let start = Atomics.add(control, NEXT, step); start < length; start = Atomics.add(control, NEXT, step)) {
    greatest = Math.max(greatest, kernel(start, Math.min(start + step, length), ...addresses) >>> 0);
  }
  for (let known = Atomics.load(control, GREATEST); known >>> 0 < greatest; known = Atomics.load(control, GREATEST)) {
    Atomics.compareExchange(control, GREATEST, known, greatest);
  }
}
