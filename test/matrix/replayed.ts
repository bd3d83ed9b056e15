/** One real step of an example, and its elements as calls of the Referee. */
import type { Hex } from "viem";
import type { TileProof } from "../../shared/commitment/tensorsTree.ts";
import { engineTracer } from "../../shared/dispute/engineTracer.ts";
import { toHex } from "../../shared/dispute/moves.ts";
import { asReducing } from "../../shared/dispute/partials.ts";
import { partsOf, type Range } from "../../shared/dispute/parts.ts";
import { Run } from "../../shared/dispute/run.ts";
import { SegmentEvidence, type StepTrees, type TracedStep, type Tracer } from "../../shared/dispute/segmentEvidence.ts";
import { readerOf } from "../../shared/dispute/stepReader.ts";
import type { Engine } from "../../shared/engine/engine.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { type Job, stepPosition } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { partialValue } from "../../shared/operators/element.ts";
import type { Read } from "../../shared/operators/read.ts";
import { isAdjudicable, witnessTiles } from "../../shared/operators/witness.ts";
import { reduces } from "../../shared/program/encoding.ts";
import type { Tensor } from "../../shared/program/program.ts";
import { exampleTask, shortened } from "../examples/examples.ts";
import type { BatchedCall } from "../rules/callBatch.ts";

/** Two steps of an example, by the default engine. */
export interface Replayed {
  readonly name: string;
  readonly job: Job;
  readonly run: Run;
  readonly initial: readonly Tensor[];
  readonly training: ReturnType<typeof commitTraining>;
  readonly evidence: SegmentEvidence;
  /** The step whose elements are replayed, and its trees. */
  readonly step: number;
  readonly trees: StepTrees;
}

const STEPS = 2;

export async function replayExample(name: string): Promise<Replayed> {
  const { taskPackage } = await exampleTask(name);
  const { initialState } = taskPackage;
  const job = shortened(taskPackage.job, STEPS, STEPS);
  const engine = await startOnnxRuntime(job.program);
  try {
    const range = { firstStep: 0, stepCount: STEPS };
    const evidence = await SegmentEvidence.replay(kept(engineTracer(job, engine)), initialState, range);
    const step = STEPS - 1;
    const training = commitTraining(job, initialState);
    return {
      name,
      job,
      run: new Run(job),
      initial: initialState,
      training,
      evidence,
      step,
      trees: await evidence.step(step),
    };
  } finally {
    await engine.close();
  }
}

/** The root of the same step's trace by another engine. */
export async function traceRootBy(engine: Engine, { job, initial, step }: Replayed): Promise<string> {
  const tracer = engineTracer(job, engine);
  const evidence = await SegmentEvidence.replay(tracer, initial, { firstStep: 0, stepCount: STEPS });
  return evidence.steps[step]!.traceRoot;
}

/** So that the trees of a step can be built when the engine is gone. */
function kept(tracer: Tracer): Tracer {
  const steps = new Map<number, Promise<TracedStep>>();
  return {
    trace(step, state) {
      const traced = steps.get(step) ?? tracer.trace(step, state);
      steps.set(step, traced);
      return traced;
    },
  };
}

/** A call of the Referee, and what the engine's trace says that it gives. */
export interface Expected {
  readonly what: string;
  readonly call: BatchedCall;
  readonly result: unknown;
}

/** Where a family's hazards are: the ends, the edges of tiles, the middle, and the words with the strangest values. */
export function elementsOf(words: Uint32Array, limit: number): number[] {
  const count = words.length;
  const magnitude = (word: number): number => word & 0x7fffffff;
  let [greatest, least] = [0, 0];
  for (let at = 1; at < count; at++) {
    if (magnitude(words[at]!) > magnitude(words[greatest]!)) greatest = at;
    const isLess = magnitude(words[at]!) < magnitude(words[least]!) || magnitude(words[least]!) === 0;
    if (magnitude(words[at]!) !== 0 && isLess) least = at;
  }
  const candidates = [
    0,
    count - 1,
    greatest,
    least,
    words.indexOf(0),
    Math.min(63, count - 1),
    Math.min(64, count - 1),
    count >> 1,
  ];
  return [...new Set(candidates.filter((at) => at >= 0))].slice(0, limit);
}

/** What the Referee is asked about one element: the whole, or by parts, all of them where they are at most `mostParts`, else three. */
export async function callsOf(
  replayed: Replayed,
  tensor: number,
  element: number,
  mostParts: number,
): Promise<Expected[]> {
  const { job, run, evidence, step, trees } = replayed;
  const { operator, name } = job.program.operators[tensor]!;
  const before = await evidence.before(step);
  const read = readerOf(run, operator, trees.outputs, before.state);
  const word = trees.outputs[tensor]!.words[element]!;
  const what = `${replayed.name}: ${name}[${element}]`;
  const descriptor = toHex(run.operator(tensor).descriptor);
  const roots = await rootsOf(replayed);
  const witness = (range: Range): { words: Hex; siblings: readonly Hex[] }[] =>
    witnessTiles(operator, element, range.lo, range.hi, read, stepPosition(job, step)).map(({ source, tile }) => {
      const proof = (): TileProof => {
        switch (source.kind) {
          case "operator":
            return trees.trace.tileProof(source.index, tile);
          case "state":
            return before.tree.tileProof(source.index, tile);
          case "constant":
            return run.constants.tileProof(source.index, tile);
          case "sample":
            return run.dataset.tileProof(source.index, tile);
          case "schedule":
            return run.schedule.tileProof(0, tile);
        }
      };
      const { words, siblings } = proof();
      return { words: toHex(words), siblings };
    });
  if (!reduces(operator.family)) {
    const call = { functionName: "element", args: [descriptor, element, roots, witness({ lo: 0, hi: 1 })] };
    return [{ what, call, result: word }];
  }
  const reducing = asReducing(operator);
  const whole = { lo: 0, hi: reducing.length };
  if (isAdjudicable(reducing, element, whole.lo, whole.hi)) {
    return [
      { what, call: { functionName: "element", args: [descriptor, element, roots, witness(whole)] }, result: word },
    ];
  }
  const parts = partsBelow(reducing, element, whole);
  const chosen =
    parts.length <= mostParts ? parts : [...new Set([parts[0]!, parts[parts.length >> 1]!, parts.at(-1)!])];
  const total = partialValue(reducing, element, whole.lo, whole.hi, read);
  return [
    ...chosen.map(({ lo, hi }) => {
      const { value, exponent } = partialValue(reducing, element, lo, hi, read as Read);
      const args = [descriptor, element, lo, hi, roots, witness({ lo, hi })];
      return {
        what: `${what}, ${lo} to ${hi}`,
        call: { functionName: "partialValue", args },
        result: [value, BigInt(exponent)],
      };
    }),
    {
      what: `${what}, finished`,
      call: { functionName: "finish", args: [descriptor, total.value, BigInt(total.exponent)] },
      result: word,
    },
  ];
}

/** The parts that are adjudicated, from left to right. */
export function partsBelow(operator: ReturnType<typeof asReducing>, element: number, range: Range): Range[] {
  return partsOf(range)
    .filter(({ lo, hi }) => lo < hi)
    .flatMap((part) =>
      isAdjudicable(operator, element, part.lo, part.hi) ? [part] : partsBelow(operator, element, part),
    );
}

async function rootsOf({ job, training, evidence, step, trees }: Replayed) {
  const { program, data, schedule } = training;
  return {
    traceRoot: trees.trace.root,
    stateRoot: (await evidence.before(step)).tree.root,
    constantsRoot: program.constantsRoot,
    datasetRoot: data.datasetRoot,
    scheduleRoot: schedule.scheduleRoot,
    operatorCount: program.operatorCount,
    stateCount: program.stateCount,
    constantCount: program.constantCount,
    sampleCount: data.sampleCount,
    sampleWords: data.sampleWords,
    scheduleWidth: schedule.width,
    steps: job.steps,
    step,
    seed: job.seed,
  };
}

/** Operators of the program by family, `limit` of each, spread over the program. */
export function spread({ job }: Replayed, limit: number): ReadonlyMap<string, readonly number[]> {
  const families = new Map<string, number[]>();
  for (const [at, { operator }] of job.program.operators.entries()) {
    families.set(operator.family, [...(families.get(operator.family) ?? []), at]);
  }
  for (const [family, operators] of families) {
    if (operators.length <= limit) continue;
    const chosen = Array.from(
      { length: limit },
      (_, i) => operators[Math.floor((i * (operators.length - 1)) / Math.max(1, limit - 1))]!,
    );
    families.set(family, [...new Set(chosen)]);
  }
  return families;
}
