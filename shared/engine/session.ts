/** One loaded ONNX model of a step, in this thread, on whichever build of ONNX Runtime it is given. */
import type * as onnxruntime from "onnxruntime-node";
import { GUARD_LIMIT } from "../numerics/guard.ts";
import { Dtype } from "../program/descriptor.ts";
import type { Tensor } from "../program/program.ts";
import { type SourceOutputs, type StepInputs, sourceOutput } from "../program/stepInputs.ts";
import { canonicalise } from "./canonical.ts";
import type { StateRange, StepReport, StepTrace } from "./engine.ts";
import { EngineFailedError } from "./errors.ts";
import type { HostedSession } from "./host.ts";
import type { CrewData, CrewThread, Cut } from "./kernels/crew.ts";
import { readGuard } from "./realise/guard.ts";
import type { Feed, Fetch, RealisedStep } from "./realise/realise.ts";
import { readRanges } from "./stepwise.ts";

/** A build of ONNX Runtime and how it is used. */
export interface Runtime {
  readonly name: string;
  /** What onnxruntime-node and onnxruntime-web have in common. */
  readonly library: Pick<typeof onnxruntime, "InferenceSession" | "Tensor">;
  /** Threads of one kernel. */
  readonly threads: number;
  /** Execution provider by ONNX Runtime's name; what it does not support runs on the CPU. */
  readonly provider: string;
  /** Further settings of sessions, by ONNX Runtime's names. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether it writes into output tensors that it is given. onnxruntime-web 1.30 takes them and leaves them as they were. */
  readonly fillsOutputs: boolean;
  /** Starts one more thread for kernels; where there is none, kernels have one thread. */
  readonly startThread?: (data: CrewData) => CrewThread;
  /** How kernels are cut among threads, where it is not as suits a machine. */
  readonly cut?: Cut;
}

type OrtTensor = onnxruntime.Tensor;
type Fetched = Readonly<Record<string, OrtTensor>>;

export class StepSession implements HostedSession {
  readonly #runtime: Runtime;
  readonly #session: onnxruntime.InferenceSession;
  readonly #step: RealisedStep;
  /** State for `advance`, and the buffers of the state before it, which the next step overwrites. */
  #held: readonly Tensor[] | null = null;
  #spare: readonly Tensor[] | null = null;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(runtime: Runtime, session: onnxruntime.InferenceSession, step: RealisedStep) {
    this.#runtime = runtime;
    this.#session = session;
    this.#step = step;
  }

  /** @throws EngineFailedError when the runtime refuses the model. */
  static async open(runtime: Runtime, step: RealisedStep): Promise<StepSession> {
    try {
      const session = await runtime.library.InferenceSession.create(step.model, {
        executionProviders: [runtime.provider],
        ...(runtime.settings === undefined ? {} : { extra: { session: runtime.settings } }),
        // Fusions change bits, and constants are few.
        graphOptimizationLevel: "disabled",
        executionMode: "sequential",
        intraOpNumThreads: runtime.threads,
        interOpNumThreads: 1,
        // Errors only: warnings go to the process's stderr.
        logSeverityLevel: 3,
      });
      return new StepSession(runtime, session, step);
    } catch (cause) {
      throw new EngineFailedError(runtime.name, `it did not load the model (${messageOf(cause)})`, { cause });
    }
  }

  get traces(): boolean {
    return this.#step.outputs.length > 0;
  }

  run(inputs: StepInputs): Promise<StepTrace> {
    return this.#inOrder(async () => {
      const fetched = await this.#call(inputs, inputs.state, null);
      const state = this.#stateAfter(inputs.state, fetched);
      for (const [p, tensor] of state.entries()) if (this.#step.state[p] !== null) canonicalise(tensor);
      const outputs = this.#step.outputs.map((fetch, index) =>
        fetch === null ? sourceOutput(inputs, index)! : canonicalise(readTensor(fetch, fetched)),
      );
      return { state, outputs, loss: this.#loss(fetched), guard: this.#guard(fetched) };
    });
  }

  load(state: readonly Tensor[]): Promise<void> {
    return this.#inOrder(async () => {
      this.#held = state.map((tensor) => ({ ...tensor, words: tensor.words.slice() }));
      // A tensor that never changes has one buffer for both.
      this.#spare = this.#held.map((tensor, p) =>
        this.#step.state[p] === null ? tensor : { ...tensor, words: new Uint32Array(tensor.words.length) },
      );
    });
  }

  advance(inputs: SourceOutputs, ranges: readonly StateRange[]): Promise<StepReport> {
    return this.#inOrder(async () => {
      const before = this.#requireState();
      const fetched = await this.#call(inputs, before, this.#runtime.fillsOutputs ? this.#spare : null);
      const guard = this.#guard(fetched);
      this.#held = guard <= GUARD_LIMIT ? this.#stateAfter(before, fetched) : null;
      this.#spare = before;
      const words = this.#held === null ? [] : readRanges(this.#held, ranges);
      for (const [at, range] of ranges.entries()) {
        if (words[at] !== undefined) canonicalise({ ...before[range.tensor]!, words: words[at] });
      }
      return { loss: this.#loss(fetched), guard, words };
    });
  }

  unload(): Promise<readonly Tensor[]> {
    return this.#inOrder(async () => {
      const state = this.#requireState();
      this.#held = null;
      this.#spare = null;
      return state.map(canonicalise);
    });
  }

  release(): Promise<void> {
    return this.#inOrder(() => this.#session.release());
  }

  /** The runtime runs one step at a time, and `advance` depends on the one before. */
  #inOrder<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }

  #requireState(): readonly Tensor[] {
    if (this.#held === null) throw new EngineFailedError(this.#runtime.name, "the session holds no state");
    return this.#held;
  }

  async #call(inputs: SourceOutputs, state: readonly Tensor[], into: readonly Tensor[] | null): Promise<Fetched> {
    const feeds: Record<string, OrtTensor> = {};
    for (const feed of this.#step.feeds) {
      feeds[feed.name] = this.#wrap(feed, feed.from === "state" ? state[feed.index] : sourceOutput(inputs, feed.index));
    }
    const { loss, guard } = this.#step;
    const fetches: Record<string, OrtTensor | null> = { [loss]: null, [guard.maximum]: null, [guard.sum]: null };
    for (const fetch of this.#step.outputs) if (fetch !== null) fetches[fetch.name] = null;
    for (const [p, fetch] of this.#step.state.entries()) {
      if (fetch !== null) fetches[fetch.name] = into === null ? null : this.#wrap(fetch, into[p]);
    }
    try {
      return await this.#session.run(feeds, fetches);
    } catch (cause) {
      throw new EngineFailedError(this.#runtime.name, `a step did not run (${messageOf(cause)})`, { cause });
    }
  }

  #wrap({ name, dtype, shape }: Feed | Fetch, tensor: Tensor | undefined): OrtTensor {
    if (tensor === undefined) throw new EngineFailedError(this.#runtime.name, `there is no tensor for ${name}`);
    const { buffer, byteOffset, length } = tensor.words;
    return dtype === Dtype.float32
      ? new this.#runtime.library.Tensor("float32", new Float32Array(buffer, byteOffset, length), shape)
      : new this.#runtime.library.Tensor("int32", new Int32Array(buffer, byteOffset, length), shape);
  }

  #stateAfter(before: readonly Tensor[], fetched: Fetched): Tensor[] {
    return this.#step.state.map((fetch, p) => (fetch === null ? before[p]! : readTensor(fetch, fetched)));
  }

  #loss(fetched: Fetched): number {
    return scalar(fetched, this.#step.loss);
  }

  #guard(fetched: Fetched): number {
    const { maximum, sum } = this.#step.guard;
    return readGuard(scalar(fetched, maximum), scalar(fetched, sum));
  }
}

function scalar(fetched: Fetched, name: string): number {
  return Number(fetched[name]!.data[0]);
}

function readTensor({ name, dtype, shape }: Fetch, fetched: Fetched): Tensor {
  const data = fetched[name]!.data as Float32Array | Int32Array;
  return { dtype, shape, words: new Uint32Array(data.buffer, data.byteOffset, data.length) };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
