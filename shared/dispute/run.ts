/**
 * The public part of a training run as a dispute needs it: the job and the trees that its commitments are the roots of. The
 * same for both sides, so it never tells who lies.
 */
import type { Bytes32 } from "../commitment/bytes32.ts";
import { constantsTree } from "../commitment/constantsRoot.ts";
import { datasetTree, datasetTreeInTurns } from "../commitment/datasetTree.ts";
import { descriptorsTree } from "../commitment/descriptorsTree.ts";
import { TensorsTree } from "../commitment/tensorsTree.ts";
import type { MerkleTree } from "../commitment/tree.ts";
import type { Job } from "../job/job.ts";
import { encodeOperator, encodeState, stateDescriptor } from "../program/encoding.ts";
import type { Program } from "../program/program.ts";

/** A descriptor and its siblings in `operatorsRoot` or `statesRoot`. */
export interface DescriptorProof {
  readonly descriptor: Uint8Array;
  readonly siblings: readonly Bytes32[];
}

export class Run {
  readonly job: Job;
  readonly operators: MerkleTree;
  readonly states: MerkleTree;
  readonly #operatorDescriptors: readonly Uint8Array[];
  readonly #stateDescriptors: readonly Uint8Array[];
  #constants: TensorsTree | undefined;
  #dataset: TensorsTree | undefined;
  #schedule: TensorsTree | undefined;

  constructor(job: Job) {
    this.job = job;
    this.#operatorDescriptors = job.program.operators.map(({ operator }) => encodeOperator(operator));
    this.#stateDescriptors = job.program.state.map((tensor) => encodeState(stateDescriptor(tensor)));
    this.operators = descriptorsTree(this.#operatorDescriptors);
    this.states = descriptorsTree(this.#stateDescriptors);
  }

  get program(): Program {
    return this.job.program;
  }

  operator(index: number): DescriptorProof {
    return { descriptor: this.#operatorDescriptors[index]!, siblings: this.operators.proof(index) };
  }

  state(index: number): DescriptorProof {
    return { descriptor: this.#stateDescriptors[index]!, siblings: this.states.proof(index) };
  }

  /** @throws EmptyTreeError for a program without constants. */
  get constants(): TensorsTree {
    this.#constants ??= constantsTree(this.program.constants);
    return this.#constants;
  }

  /** Hashed when it is first asked for, with turns for others: a dataset may be large. @throws DatasetShapeError for a run without samples. */
  async hashedDataset(): Promise<TensorsTree> {
    this.#dataset ??= await datasetTreeInTurns(this.job.samples, this.program.sample.words);
    return this.#dataset;
  }

  /** The same at once. @throws DatasetShapeError for a run without samples. */
  get dataset(): TensorsTree {
    this.#dataset ??= datasetTree(this.job.samples, this.program.sample.words);
    return this.#dataset;
  }

  /** The schedule table as a tree of one tensor: its root is the table's tensor root. */
  get schedule(): TensorsTree {
    this.#schedule ??= new TensorsTree([this.job.schedule]);
    return this.#schedule;
  }
}
