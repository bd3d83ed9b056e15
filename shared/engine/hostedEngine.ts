/** The engine over a host, without self-test: a program's plain session from the start, its traced one when it is first asked for. */
import type { Program } from "../program/program.ts";
import type { StepInputs } from "../program/stepInputs.ts";
import type { ConformanceReport } from "./conformance/conformance.ts";

import {
  ENGINE_INTERFACE,
  type Engine,
  type EngineDescription,
  type StepReport,
  type StepResult,
  type StepsRequest,
  type StepsResult,
  type StepTrace,
} from "./engine.ts";
import type { Host, HostedSession, LoadableStep } from "./host.ts";

import { requireInputs, requireSources, requireState } from "./inputs.ts";
import { type Arithmetic, FLOAT64 } from "./realise/arithmetic.ts";
import { realise } from "./realise/realise.ts";
import { assertValidState, assertValidStep } from "./validity.ts";

/** Steps that are under way at a time: the next inputs are prepared while the engine computes. */
const WINDOW = 4;

/** How a step is made: as one ONNX model of this arithmetic, or by kernels (`kernels/`) beside the runtime's matrix products. */
export type Form = Arithmetic | "kernels";

function loadable(program: Program, form: Form, traced: boolean): LoadableStep {
  if (form !== "kernels") return realise(program, { traced, arithmetic: form });
  // Kernels that do not trace are a model after all, as the program is too large for them.
  return traced ? realise(program, { traced }) : { program };
}

function realisationsOf(form: Form): EngineDescription["realisations"] {
  if (form === "kernels") return { dot: ["float64"], sum: "kernels", root: "kernels" };
  const { dot, dotAt, sum, root } = form;
  return { dot: [...new Set([dot, ...(dotAt?.values() ?? [])])], sum, root };
}

export class HostedEngine implements Engine {
  readonly name: string;
  readonly description: EngineDescription;
  /** What the self-test found, or null when none was run. */
  readonly conformance: ConformanceReport | null;
  readonly #host: Host;
  readonly #program: Program;
  readonly #form: Form;
  readonly #plain: HostedSession;
  #traced: Promise<HostedSession> | null = null;
  #lastSteps: Promise<unknown> = Promise.resolve();

  private constructor(
    host: Host,
    program: Program,
    form: Form,
    plain: HostedSession,
    conformance: ConformanceReport | null,
  ) {
    this.#form = form;
    this.conformance = conformance;
    this.name = host.name;
    this.description = {
      interface: ENGINE_INTERFACE,
      name: host.name,
      realisations: realisationsOf(form),
      keepsState: true,
    };
    this.#host = host;
    this.#program = program;
    this.#plain = plain;
  }

  /** @throws UnrealisableError when the program is malformed, EngineFailedError when the runtime does not load it. */
  static async open(
    host: Host,
    program: Program,
    form: Form = FLOAT64,
    conformance: ConformanceReport | null = null,
  ): Promise<HostedEngine> {
    const plain = await host.open(loadable(program, form, false));
    return new HostedEngine(host, program, form, plain, conformance);
  }

  /** @throws StepInputsError when a tensor is missing or has another size than the program says. */
  async step(inputs: StepInputs): Promise<StepResult> {
    const { state, loss, guard } = await this.#plain.run(requireInputs(this.#program, inputs), false);
    return { state, loss, guard };
  }

  /** @throws StepInputsError as `step`. */
  async trace(inputs: StepInputs): Promise<StepTrace> {
    requireInputs(this.#program, inputs);
    if (this.#plain.traces) return this.#plain.run(inputs, true);
    this.#traced ??= this.#host.open(loadable(this.#program, this.#form, true));
    return (await this.#traced).run(inputs, true);
  }

  /** @throws StepInputsError, InvalidStateError, InvalidStepError at the first step whose guard is above 2^20. */
  steps(request: StepsRequest): Promise<StepsResult> {
    // The session holds one state.
    const result = this.#lastSteps.then(() => this.#advance(request));
    this.#lastSteps = result.catch(() => undefined);
    return result;
  }

  /** Closes the host too. */
  close(): Promise<void> {
    return this.#host.close();
  }

  /** Ends the sessions and leaves the host open. */
  async release(): Promise<void> {
    await this.#host.release(this.#plain);
    if (this.#traced !== null) await this.#host.release(await this.#traced);
  }

  async #advance(request: StepsRequest): Promise<StepsResult> {
    requireState(this.#program, request.state);
    assertValidState(request.state);
    await this.#plain.load(request.state);
    const underWay: Promise<StepReport>[] = [];
    let guard = 0;
    let reported = 0;
    const report = async (): Promise<void> => {
      const next = await underWay.shift()!;
      const step = reported++;
      assertValidStep(step, next.guard);
      guard = Math.max(guard, next.guard);
      request.onStep?.(step, next);
    };
    try {
      for (let step = 0; step < request.count; step++) {
        request.signal?.throwIfAborted();
        const sources = requireSources(this.#program, await request.inputs(step));
        const started = this.#plain.advance(sources, request.ranges?.(step) ?? []);
        // Whoever awaits it sees the error; those behind it fail for the same reason.
        started.catch(() => undefined);
        underWay.push(started);
        if (underWay.length === WINDOW) await report();
      }
      while (underWay.length > 0) {
        request.signal?.throwIfAborted();
        await report();
      }
      return { state: await this.#plain.unload(), guard };
    } finally {
      await Promise.allSettled(underWay);
    }
  }
}
