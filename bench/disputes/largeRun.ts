/**
 * A run as large as one likes, of which only the disputed step exists: its other steps are arbitrary roots, the same for both sides.
 * What a walk costs depends on the depths of its trees alone, so it costs what it would in a run that was really trained.
 */
import { toBytes32 } from "../../shared/commitment/bytes32.ts";
import { TensorsTree } from "../../shared/commitment/tensorsTree.ts";
import { MerkleTree } from "../../shared/commitment/tree.ts";
import type { Evidence, StepTrees } from "../../shared/dispute/segmentEvidence.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { type Job, stepInputs } from "../../shared/job/job.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";
import { along, ProgramBuilder, view } from "../../test/helpers/builder.ts";
import { exampleJob, exampleState } from "../../test/helpers/programs.ts";
import { Random } from "../../test/helpers/random.ts";
import { randomBytes } from "../../test/helpers/randomBytes.ts";

/** Powers of two, except the name. */
export interface RunSize {
  readonly name: string;
  readonly log2Steps: number;
  readonly log2Operators: number;
  /** Words of the disputed product; even. */
  readonly log2Words: number;
  /** Positions that each of its words sums over. */
  readonly log2Length: number;
}

/** Scalar operations of a run whose operators are all like the disputed one. */
export function log2Operations({ log2Steps, log2Operators, log2Words, log2Length }: RunSize): number {
  return log2Steps + log2Operators + log2Words + log2Length;
}

export interface LargeRun {
  readonly job: Job;
  readonly initial: readonly Tensor[];
  /** The two sides differ in one word of the product. */
  readonly defendant: Evidence;
  readonly challenger: Evidence;
}

/** Operators that matmul makes before the product, and the product itself, as the builder counts them. */
const PRODUCT = "product";

function largeProgram({ log2Operators, log2Words, log2Length }: RunSize): Program {
  const rows = 2 ** (log2Words / 2);
  const length = 2 ** log2Length;
  const operators = 2 ** log2Operators;
  const build = new ProgramBuilder();
  const x = build.batch("x", rows, length, Dtype.float32, -4, 4);
  const rate = build.schedule("rate");
  const weight = build.state("weight", [rows, length]);
  const product = build.matmul(PRODUCT, x, weight, { bTransposed: true });
  let loss = build.map("first", [1], [view(product, [0])], (body, value) => void body.flush(value));
  // What remains of the operators does nothing: they make the trace as wide as it would be.
  const fillers = operators - product.reference.index - 3;
  for (let n = 0; n < fillers; n++) {
    loss = build.map(`filler${n}`, [1], [view(loss, [0]), view(rate, [0])], (body, value, r) => {
      body.clamp(body.flush(body.do("mul", value, r)), 8);
    });
  }
  const operands = [along(weight, 2, [0, 1]), view(rate, [0, 0])];
  const next = build.map("weight.next", [rows, length], operands, (body, w, r) => {
    body.clamp(body.flush(body.do("sub", w, r)), 8);
  });
  build.update(weight, next);
  return build.build(loss);
}

export async function largeRun(size: RunSize): Promise<LargeRun> {
  const program = largeProgram(size);
  const steps = 2 ** size.log2Steps;
  const disputed = Math.floor(steps * 0.669);
  const job = exampleJob(program, 1, { samples: 16, steps, interval: steps });
  const initial = exampleState(program, 1);
  const { outputs, state } = await new ReferenceEngine(program).trace(stepInputs(job, disputed, initial));
  const after = new TensorsTree(wordsOf(state));
  const before = { state: initial, tree: new TensorsTree(wordsOf(initial)) };
  const random = randomBytes(new Random(8), 2 * steps * 32);
  const leaves = Array.from({ length: 2 * steps }, (_, at) => toBytes32(random, at * 32));
  leaves[2 * disputed - 1] = before.tree.root;
  leaves[2 * disputed + 1] = after.root;
  const evidence = (claimed: readonly Tensor[]): Evidence => {
    const trace = new TensorsTree(wordsOf(claimed));
    const trees: StepTrees = { outputs: claimed, state, trace, after };
    const tree = MerkleTree.ofHashes(leaves.with(2 * disputed, trace.root));
    return {
      firstStep: 0,
      stepCount: steps,
      // SAFETY: a walk asks for roots by the tree, and for the steps that exist.
      steps: [],
      tree,
      segmentRoot: tree.root,
      startRoot: before.tree.root,
      endRoot: leaves[2 * steps - 1]!,
      step: async () => trees,
      before: async () => before,
      async *states() {
        yield state;
      },
    };
  };
  const product = program.operators.findIndex(({ name }) => name === PRODUCT);
  const words = outputs[product]!.words.slice();
  words[Math.floor(words.length * 0.742)]! ^= 1;
  const lie = [...outputs].with(product, { ...outputs[product]!, words });
  return { job, initial, defendant: evidence(lie), challenger: evidence(outputs) };
}

function wordsOf(tensors: readonly Tensor[]): Uint32Array[] {
  return tensors.map(({ words }) => words);
}
