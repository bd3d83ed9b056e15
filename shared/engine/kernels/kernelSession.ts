/**
 * A step as WebAssembly kernels and matrix products over one memory. Everything that is not a matrix product takes one pass over its
 * tensors; products are ONNX Runtime's, on the same memory. The state stays in it from step to step.
 */
import { GUARD_LIMIT } from "../../numerics/guard.ts";
import type { Program, Tensor } from "../../program/program.ts";
import { type SourceOutputs, type StepInputs, sourceOutput } from "../../program/stepInputs.ts";
import { canonicalise } from "../canonical.ts";
import type { StateRange, StepReport, StepTrace } from "../engine.ts";
import { EngineFailedError } from "../errors.ts";
import type { HostedSession } from "../host.ts";
import type { Runtime } from "../session.ts";
import { assemble } from "./assembler.ts";
import { Crew } from "./crew.ts";
import { layOut } from "./layout.ts";
import { type Command, type Plan, planProgram } from "./plan.ts";
import { Products } from "./products.ts";

/** A program to be stepped by kernels. */
export interface KernelStep {
  readonly program: Program;
}

/** Told how long a command took, where somebody measures. */
export type Observer = (command: Command, milliseconds: number) => void;

type Exports = Readonly<Record<string, (...parameters: number[]) => number>>;
/** A command that is bound to its memory; what is asynchronous is awaited before the next. */
type BoundCommand = (sources: SourceOutputs, kept: Tensor[] | null) => Promise<void> | void;

const PAGE = 2 ** 16;
/** What 32-bit addresses reach, without the last page. */
const MOST_PAGES = 2 ** 16 - 1;
const INFINITY = 0x7f800000;
const FRACTION = 0x007fffff;
const PEAK_FLOOR = (127 - 40) << 23;
const UNKNOWN = 0;

/** The plan needs more memory than 32-bit addresses reach. */
export class OutOfAddressesError extends EngineFailedError {}

export class KernelSession implements HostedSession {
  readonly #name: string;
  readonly #program: Program;
  readonly #plan: Plan;
  readonly #products: Products;
  #crew: Crew | null;
  readonly #offsets: readonly number[];
  readonly #words: Uint32Array;
  /** Greatest magnitudes, as bits. */
  readonly #cells: Uint32Array;
  #prologue: readonly BoundCommand[] = [];
  #commands: readonly BoundCommand[] = [];
  /** Whether the memory holds a state for `advance`. */
  #isLoaded = false;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    name: string,
    step: KernelStep,
    plan: Plan,
    products: Products,
    crew: Crew | null,
    memory: WebAssembly.Memory,
  ) {
    this.#crew = crew;
    this.#name = name;
    this.#program = step.program;
    this.#plan = plan;
    this.#products = products;
    this.#offsets = layOut(plan).offsets;
    this.#words = new Uint32Array(memory.buffer);
    this.#cells = new Uint32Array(plan.cells);
  }

  /** @throws UnrealisableError, OutOfAddressesError, EngineFailedError when the runtime refuses a product. */
  static async open(runtime: Runtime, step: KernelStep, observer?: Observer): Promise<KernelSession> {
    const plan = planProgram(step.program);
    const pages = Math.ceil(layOut(plan).bytes / PAGE);
    if (pages > MOST_PAGES) throw new OutOfAddressesError(runtime.name, `a step needs ${pages} pages of memory`);
    const products = new Products(runtime);
    let crew: Crew | null = null;
    try {
      const { name, startThread, threads, cut } = runtime;
      const shared = startThread !== undefined && threads > 1;
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
      const module = await WebAssembly.compile(assemble(plan.functions, { pages, shared }));
      const exports = (await WebAssembly.instantiate(module, { env: { memory } })).exports as Exports;
      if (shared) crew = new Crew(name, exports, { module, memory }, startThread, threads - 1, cut);
      const session = new KernelSession(name, step, plan, products, crew, memory);
      for (const [index, { words }] of step.program.constants.entries()) session.#write(plan.constants[index]!, words);
      session.#prologue = await session.#bindAll(plan.prologue, exports, memory);
      const commands = await session.#bindAll(plan.commands, exports, memory);
      session.#commands = observer === undefined ? commands : commands.map(observed(plan.commands, observer));
      return session;
    } catch (cause) {
      await crew?.close();
      await products.release();
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw new EngineFailedError(runtime.name, `it did not load the kernels (${problem})`, { cause });
    }
  }

  get traces(): boolean {
    return true;
  }

  run(inputs: StepInputs, traced: boolean): Promise<StepTrace> {
    return this.#inOrder(async () => {
      const held = this.#isLoaded ? this.#readState("before") : null;
      await this.#load(inputs.state);
      const kept: Tensor[] | null = traced ? [] : null;
      await this.#execute(inputs, kept);
      const state = kept === null ? this.#readState("after").map(canonicalise) : this.#stateOf(kept, inputs.state);
      const result = { loss: this.#loss(), guard: this.#guard(), state, outputs: kept ?? [] };
      if (held !== null) await this.#load(held);
      return result;
    });
  }

  load(state: readonly Tensor[]): Promise<void> {
    return this.#inOrder(() => this.#load(state));
  }

  advance(sources: SourceOutputs, ranges: readonly StateRange[]): Promise<StepReport> {
    return this.#inOrder(async () => {
      this.#requireState();
      await this.#execute(sources, null);
      const [loss, guard] = [this.#loss(), this.#guard()];
      if (!(guard <= GUARD_LIMIT)) return { loss, guard, words: [] };
      this.#settle();
      this.#isLoaded = true;
      return { loss, guard, words: ranges.map((range) => this.#range(range)) };
    });
  }

  unload(): Promise<readonly Tensor[]> {
    return this.#inOrder(async () => {
      this.#requireState();
      this.#isLoaded = false;
      return this.#readState("before").map(canonicalise);
    });
  }

  release(): Promise<void> {
    return this.#inOrder(async () => {
      await this.#crew?.close();
      await this.#products.release();
    });
  }

  #inOrder<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => this.#goOnAlone());
    return result;
  }

  /** A crew that has failed is ended: what comes next runs on the caller's thread, as a dispute does not wait for a better machine. */
  async #goOnAlone(): Promise<void> {
    if (this.#crew?.hasFailed !== true) return;
    const crew = this.#crew;
    this.#crew = null;
    await crew.close();
  }

  #requireState(): void {
    if (!this.#isLoaded) throw new EngineFailedError(this.#name, "the session holds no state");
  }

  async #load(state: readonly Tensor[]): Promise<void> {
    this.#isLoaded = false;
    for (const [p, { before }] of this.#plan.state.entries()) this.#write(before, state[p]!.words);
    this.#cells.fill(UNKNOWN);
    for (const command of this.#prologue) await command({ batches: new Map(), schedule: new Map() }, null);
    this.#isLoaded = true;
  }

  async #execute(sources: SourceOutputs, kept: Tensor[] | null): Promise<void> {
    // What a step that breaks off leaves is no state.
    this.#isLoaded = false;
    for (const command of this.#commands) {
      const pending = command(sources, kept);
      if (pending !== undefined) await pending;
    }
  }

  /** Makes the state after the step the one before the next. */
  #settle(): void {
    for (const [p, { before, after, cell, next }] of this.#plan.state.entries()) {
      if (before !== after) {
        const start = this.#offsets[after]! / 4;
        this.#words.copyWithin(this.#offsets[before]! / 4, start, start + this.#stateWords(p));
      }
      if (cell !== null && next !== null) this.#cells[cell] = this.#cells[next]!;
    }
  }

  #readState(when: "before" | "after"): Tensor[] {
    return this.#program.state.map(({ dtype, shape }, p) => {
      return { dtype, shape, words: this.#read(this.#plan.state[p]![when], this.#stateWords(p)) };
    });
  }

  #stateWords(p: number): number {
    return this.#plan.buffers[this.#plan.state[p]!.before]!.bytes / 4;
  }

  /** The state after a traced step; large models have no room for second copies. */
  #stateOf(outputs: readonly Tensor[], before: readonly Tensor[]): Tensor[] {
    return this.#program.state.map(({ dtype, shape, source }, p) => {
      const { words } = source === null ? before[p]! : outputs[source]!;
      return { dtype, shape, words: source === null ? words.slice() : words };
    });
  }

  #range({ tensor, offset, count }: StateRange): Uint32Array {
    const length = this.#stateWords(tensor);
    const start = Math.min(offset, length);
    const at = this.#offsets[this.#plan.state[tensor]!.before]! / 4;
    const words = this.#words.slice(at + start, at + Math.min(offset + count, length));
    return canonicalise({ ...this.#program.state[tensor]!, words }).words;
  }

  #loss(): number {
    return toFloat(this.#words[this.#offsets[this.#plan.outputs[this.#program.loss]!]! / 4]!);
  }

  #guard(): number {
    const most = this.#plan.guard.reduce((greatest, cell) => Math.max(greatest, this.#cells[cell]!), 0);
    return most > INFINITY ? Number.POSITIVE_INFINITY : toFloat(most);
  }

  #read(buffer: number, words: number): Uint32Array {
    const start = this.#offsets[buffer]! / 4;
    return this.#words.slice(start, start + words);
  }

  #write(buffer: number, words: Uint32Array): void {
    this.#words.set(words, this.#offsets[buffer]! / 4);
  }

  #bindAll(commands: readonly Command[], exports: Exports, memory: WebAssembly.Memory): Promise<BoundCommand[]> {
    return Promise.all(commands.map((command) => this.#bind(command, exports, memory)));
  }

  async #bind(command: Command, exports: Exports, memory: WebAssembly.Memory): Promise<BoundCommand> {
    switch (command.kind) {
      case "kernel": {
        const { code, extent, cell, isFurther, isForTraces } = command;
        const kernel = exports[code]!;
        const run = (...places: number[]): number | Promise<number> =>
          this.#crew === null ? kernel(0, extent.length, ...places) : this.#crew.run(code, extent, places);
        const addresses = command.places.map(({ buffer, offset }) => this.#offsets[buffer]! + offset);
        const cells = this.#cells;
        const note = (measured: number): void => {
          if (cell !== null) cells[cell] = isFurther ? Math.max(cells[cell]!, measured >>> 0) : measured;
        };
        return (_, kept) => {
          if (isForTraces && kept === null) return;
          const measured = run(...addresses);
          if (typeof measured !== "number") return measured.then(note);
          note(measured);
        };
      }
      case "product": {
        const view = (buffer: number, length: number) =>
          new Float64Array(memory.buffer, this.#offsets[buffer]!, length);
        return await this.#products.bind(command, view);
      }
      case "feed":
        return (sources) => {
          const tensor = sourceOutput(sources, command.operator);
          if (tensor === undefined) {
            throw new EngineFailedError(this.#name, `there is no tensor for operator ${command.operator}`);
          }
          this.#write(command.to, tensor.words);
        };
      case "keep": {
        const { dtype, shape } = this.#program.operators[command.operator]!.operator;
        const words = this.#plan.buffers[command.from]!.bytes / 4;
        return (_, kept) => {
          if (kept !== null) kept.push(canonicalise({ dtype, shape, words: this.#read(command.from, words) }));
        };
      }
      case "peak": {
        const at = this.#offsets[command.to]! / 4;
        const { mode, cell } = command;
        return () => {
          const most = Math.min(this.#cells[cell]!, INFINITY);
          // Adding the fraction carries into the exponent unless the fraction is 0.
          this.#words[at] = mode === 0 ? most : (Math.max(most, PEAK_FLOOR) + FRACTION) & INFINITY;
        };
      }
    }
  }
}

function observed(commands: readonly Command[], observer: Observer) {
  return (bound: BoundCommand, index: number): BoundCommand =>
    async (sources, kept) => {
      const started = performance.now();
      await bound(sources, kept);
      observer(commands[index]!, performance.now() - started);
    };
}

function toFloat(word: number): number {
  return new Float32Array(Uint32Array.of(word).buffer)[0]!;
}
