/** `bench -- memory`: a model of 100 million parameters trains, commits, and has one operator disputed and decided, in one process. */
import type { Command } from "commander";
import { stateRoot } from "../shared/commitment/stateRoot.ts";
import { engineTracer } from "../shared/dispute/engineTracer.ts";
import { Run } from "../shared/dispute/run.ts";
import { SegmentEvidence, type TracedStep, type Tracer } from "../shared/dispute/segmentEvidence.ts";
import { startOnnxRuntime } from "../shared/engine/onnxruntime.ts";
import { type Job, segmentSteps, sourceOutputs } from "../shared/job/job.ts";
import type { Program } from "../shared/program/program.ts";
import { lyingPartials } from "../solver/cheats/lyingPartials.ts";
import { play, subjectOf } from "../test/dispute/play.ts";
import { type GptSizes, gptTraining } from "./models/gpt.ts";

const SIZES = {
  full: { layers: 12, width: 768, heads: 12, context: 32, vocabulary: 10240 },
  small: { layers: 2, width: 32, heads: 2, context: 16, vocabulary: 64 },
} as const;
const STEPS = 3;
const DISPUTED_STEP = 0;

export interface MemoryResult {
  readonly parameters: number;
  readonly stateMiB: number;
  readonly steps: number;
  readonly stepMs: number;
  readonly commitmentMs: number;
  /** Both sides' evidence and the walk. */
  readonly disputeMs: number;
  readonly root: string;
  /** The operator that was lied about, and how the walk ended. */
  readonly disputed: string;
  readonly outcome: string;
  /** Most memory of the process, after each part. */
  readonly peakMiB: { readonly compiled: number; readonly trained: number; readonly disputed: number };
}

export function addMemory(program: Command): void {
  program
    .command("memory")
    .summary("100 million parameters: three steps, a commitment and a dispute")
    .description(
      "Trains a transformer of 100 million parameters for three steps, commits to its state, and has one word of one operator\n" +
        "disputed and decided, both sides in this process. Prints the most memory that the process held.",
    )
    .option("--small", "a model of some thousand parameters instead, to try the whole way quickly")
    .option("--json", "one JSON object on the last line")
    .action(async ({ small = false, json = false }: { small?: boolean; json?: boolean }) => {
      const result = await measure(SIZES[small ? "small" : "full"], (line) => process.stderr.write(`${line}\n`));
      process.stdout.write(json ? `${JSON.stringify(result)}\n` : report(result));
    });
}

async function measure(sizes: GptSizes, note: (line: string) => void): Promise<MemoryResult> {
  const { job: compiled, initialState } = gptTraining("gpt-memory", sizes, { batch: 1, stepsOfRound: 1, samples: 16 });
  const job: Job = {
    ...compiled,
    steps: STEPS,
    interval: STEPS,
    schedule: compiled.schedule.slice(0, STEPS * compiled.program.scheduleColumns.length),
  };
  const words = initialState.reduce((sum, tensor) => sum + tensor.words.length, 0);
  const compiledPeak = peakMiB();
  note(`compiled ${words / 3} parameters: ${compiledPeak.toFixed(0)} MiB`);

  const engine = await startOnnxRuntime(job.program);
  try {
    const started = performance.now();
    const { state } = await engine.steps({
      state: initialState,
      count: STEPS,
      inputs: (step) => sourceOutputs(job, step),
    });
    const trained = performance.now();
    const root = stateRoot(state);
    const committed = performance.now();
    const trainedPeak = peakMiB();
    note(`trained ${STEPS} steps and committed: ${trainedPeak.toFixed(0)} MiB`);

    const run = new Run(job);
    const honest = once(engineTracer(job, engine));
    const operator = disputedOperator(job.program);
    const range = segmentSteps(job, 0);
    const [defendant, challenger] = await Promise.all([
      SegmentEvidence.replay(liar(honest, operator), initialState, range),
      SegmentEvidence.replay(honest, initialState, range),
    ]);
    note(`both sides have their roots: ${peakMiB().toFixed(0)} MiB`);
    const game = await play(run, subjectOf(job, 0, defendant), defendant, challenger, {
      claimPartials: lyingPartials,
    });
    const { outcome } = game.walk;
    return {
      parameters: words / 3,
      stateMiB: (words * 4) / 2 ** 20,
      steps: STEPS,
      stepMs: (trained - started) / STEPS,
      commitmentMs: committed - trained,
      disputeMs: performance.now() - committed,
      root,
      disputed: job.program.operators[operator]!.name,
      outcome: JSON.stringify(outcome),
      peakMiB: { compiled: compiledPeak, trained: trainedPeak, disputed: peakMiB() },
    };
  } finally {
    await engine.close();
  }
}

/** The product in the middle of the forward pass. */
function disputedOperator({ operators }: Program): number {
  const dots = operators.flatMap(({ operator }, index) => (operator.family === "dot" ? [index] : []));
  return dots[Math.floor(dots.length / 6)]!;
}

/** Computes a step once for all who ask for it; both sides share what they agree on. */
function once(tracer: Tracer): Tracer {
  let last: { readonly step: number; readonly traced: Promise<TracedStep> } | null = null;
  return {
    trace(step, state) {
      if (last?.step !== step) last = { step, traced: tracer.trace(step, state) };
      return last.traced;
    },
  };
}

/** One bit of one word of an operator is another; everything after it is honest. */
function liar(honest: Tracer, operator: number): Tracer {
  return {
    async trace(step, state) {
      const traced = await honest.trace(step, state);
      if (step !== DISPUTED_STEP) return traced;
      const tensor = traced.outputs[operator]!;
      const words = tensor.words.slice();
      words[words.length >> 1]! ^= 1;
      return { ...traced, outputs: traced.outputs.with(operator, { ...tensor, words }) };
    },
  };
}

function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}

function report(result: MemoryResult): string {
  const { parameters, stateMiB, steps, stepMs, commitmentMs, disputeMs, peakMiB } = result;
  return (
    `${parameters} parameters, a state of ${stateMiB.toFixed(0)} MiB: ${steps} steps of ${stepMs.toFixed(0)} ms, ` +
    `a commitment in ${commitmentMs.toFixed(0)} ms\n` +
    `one word of ${result.disputed} disputed and decided in ${(disputeMs / 1000).toFixed(0)} s: ${result.outcome}\n` +
    `most memory: ${peakMiB.compiled.toFixed(0)} MiB compiled, ${peakMiB.trained.toFixed(0)} trained, ${peakMiB.disputed.toFixed(0)} disputed\n`
  );
}
