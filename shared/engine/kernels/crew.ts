/**
 * Threads that run kernels together on one shared memory. A kernel's outermost dimension is cut into pieces that whoever is free takes
 * next, the caller too: a thread that the machine does not run holds nobody up. Pieces write apart, so no division changes a bit.
 */
import type { Extent } from "./elementwise.ts";

type Exports = Readonly<Record<string, (...parameters: number[]) => number>>;

/** What a thread of the crew is started with. */
export interface CrewData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array<SharedArrayBuffer>;
}

/** A thread that runs `serve`. */
export interface CrewThread {
  close(): Promise<void>;
}

/** Words of the control block. */
const GENERATION = 0;
/** 1 while there are pieces to take. */
const OPEN = 1;
/** Threads that may be reading the job. */
const BUSY = 2;
const NEXT = 3;
const CODE = 4;
const LENGTH = 5;
const STEP = 6;
/** Greatest result, as an unsigned integer. */
const GREATEST = 7;
const COUNT = 8;
const PLACES = 9;
const WORDS = PLACES + 16;

/** Elements below which a kernel is not worth waking anybody. */
const LEAST_WORK = 2 ** 15;
const LEAST_PIECE = 2 ** 13;
const PIECES_OF_THREAD = 4;
const SPINS = 2000;

export class Crew {
  readonly #exports: Exports;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #threads: readonly CrewThread[];

  /** @param start starts a thread. @param others how many besides the caller's. */
  constructor(
    exports: Exports,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    start: (data: CrewData) => CrewThread,
    others: number,
  ) {
    this.#exports = exports;
    this.#control = new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
    const data = { module, memory, control: this.#control };
    this.#threads = Array.from({ length: others }, () => start(data));
  }

  /** Runs a kernel over all of its extent; the greatest of its results. */
  run(code: number, { length, unit, inner }: Extent, addresses: readonly number[]): number {
    const control = this.#control;
    if (length * inner < LEAST_WORK || length < 2 * unit) return this.#exports[code]!(0, length, ...addresses);
    const pieces = (this.#threads.length + 1) * PIECES_OF_THREAD;
    const step = Math.ceil(Math.max(length / pieces, LEAST_PIECE / inner) / unit) * unit;
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
    takePieces(this.#exports, control);
    Atomics.store(control, OPEN, 0);
    // SAFETY: nobody who saw the job open still reads it or writes for it once this is 0; who comes later finds it closed.
    for (let spins = 0, busy = Atomics.load(control, BUSY); busy !== 0; busy = Atomics.load(control, BUSY)) {
      if (++spins > SPINS) Atomics.wait(control, BUSY, busy, 1);
    }
    return control[GREATEST]! >>> 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/** The life of a thread: it never returns and is ended from outside. */
export function serve({ module, memory, control }: CrewData): never {
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
  let seen = 0;
  for (;;) {
    Atomics.wait(control, GENERATION, seen);
    seen = Atomics.load(control, GENERATION);
    Atomics.add(control, BUSY, 1);
    if (Atomics.load(control, OPEN) === 1) takePieces(exports, control);
    Atomics.sub(control, BUSY, 1);
    Atomics.notify(control, BUSY);
  }
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
