/**
 * A large dispute without a large run: 4096 steps, 300 operators, a Dot of 2^20 outputs over 64 positions. Only the disputed step is
 * computed; the other leaves of the segment are arbitrary, the same for both sides.
 */

import { toBytes32 } from "../../../shared/commitment/bytes32.ts";
import { TensorsTree } from "../../../shared/commitment/tensorsTree.ts";
import { MerkleTree } from "../../../shared/commitment/tree.ts";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import { type Job, stepInputs } from "../../../shared/job/job.ts";
import { Dtype } from "../../../shared/program/descriptor.ts";
import type { Program } from "../../../shared/program/program.ts";
import { along, ProgramBuilder, view } from "../../helpers/builder.ts";
import { exampleJob, exampleState } from "../../helpers/programs.ts";
import { Random } from "../../helpers/random.ts";
import { randomBytes } from "../../helpers/randomBytes.ts";
import type { Claimed, ClaimedStep } from "./claimed.ts";

const ROWS = 1024;
const LENGTH = 64;
const OPERATORS = 300;
const STEP = 2741;

export function deepProgram(): Program {
  const build = new ProgramBuilder();
  const x = build.batch("x", ROWS, LENGTH, Dtype.float32, -4, 4);
  const rate = build.schedule("rate");
  const weight = build.state("weight", [ROWS, LENGTH]);
  const product = build.matmul("product", x, weight, { bTransposed: true });
  let loss = build.map("first", [1], [view(product, [0])], (body, value) => void body.flush(value));
  for (let n = 7; n < OPERATORS; n++) {
    loss = build.map(`filler${n}`, [1], [view(loss, [0]), view(rate, [0])], (body, value, r) => {
      body.clamp(body.flush(body.do("mul", value, r)), 8);
    });
  }
  const operands = [along(weight, 2, [0, 1]), view(rate, [0, 0])];
  const next = build.map("weight.next", [ROWS, LENGTH], operands, (body, w, r) => {
    body.clamp(body.flush(body.do("sub", w, r)), 8);
  });
  build.update(weight, next);
  return build.build(loss);
}

export interface DeepClaims {
  readonly job: Job;
  readonly initial: ReturnType<typeof exampleState>;
  readonly honest: Claimed;
  readonly false: Claimed;
}

/** The claims differ in one word of the Dot's output. */
export async function deepClaims(): Promise<DeepClaims> {
  const program = deepProgram();
  const job = exampleJob(program, 1, { samples: 16, steps: 4096, interval: 4096 });
  const initial = exampleState(program, 1);
  const before = initial.map(({ words }) => words);
  const { outputs, state } = await new ReferenceEngine(program).trace(stepInputs(job, STEP, initial));
  const after = new TensorsTree(state.map(({ words }) => words));
  const beforeTree = new TensorsTree(before);
  const leaves = randomBytes(new Random(8), 2 * 4096 * 32);
  const hashes = Array.from({ length: 2 * 4096 }, (_, at) => toBytes32(leaves, at * 32));
  hashes[2 * STEP - 1] = beforeTree.root;
  hashes[2 * STEP + 1] = after.root;
  const claim = (words: Uint32Array[]): Claimed => {
    const trace = new TensorsTree(words);
    const step: ClaimedStep = {
      words: { outputs: words, state: state.map((tensor) => tensor.words) },
      trace,
      state: after,
    };
    const previous: ClaimedStep = { words: { outputs: [], state: before }, trace, state: beforeTree };
    const steps: ClaimedStep[] = [];
    steps[STEP - 1] = previous;
    steps[STEP] = step;
    const segment = MerkleTree.ofHashes(hashes.with(2 * STEP, trace.root));
    return { job, firstStep: 0, start: { words: before, tree: beforeTree }, steps, segment };
  };
  const words = outputs.map((tensor) => tensor.words);
  const wrong = words.with(4, words[4]!.slice());
  wrong[4]![777_777]! ^= 1;
  return { job, initial, honest: claim(words), false: claim(wrong) };
}
