/**
 * A step's committed tensors with their trees, operators over them, and the witnesses that the referee wants. The witness rule
 * is written out here from IReferee's text, not taken from `shared/operators/witness.ts`, so that the two can be compared.
 */
import { bytesToHex, type Hex } from "viem";
import { tensorRoot } from "../../shared/commitment/tensorRoot.ts";
import { TensorsTree, type TileProof } from "../../shared/commitment/tensorsTree.ts";
import { sampleAt } from "../../shared/numerics/sampleOrder.ts";
import { addressAt, type Line, multiIndex, operandLine } from "../../shared/operators/address.ts";
import type { Read, StepPosition } from "../../shared/operators/read.ts";
import type { WitnessTile } from "../../shared/operators/witness.ts";
import {
  Dtype,
  type Family,
  type Operand,
  type Operator,
  type ReferenceKind,
} from "../../shared/program/descriptor.ts";
import { reduces } from "../../shared/program/encoding.ts";
import { garbageOperator } from "../helpers/descriptors.ts";
import { anyFloat } from "../helpers/float32.ts";
import type { Random } from "../helpers/random.ts";

export interface Witness {
  readonly words: Hex;
  readonly siblings: readonly Hex[];
}

/** The struct of contracts/interfaces/IReferee.sol. */
export interface StepRoots {
  readonly traceRoot: Hex;
  readonly stateRoot: Hex;
  readonly constantsRoot: Hex;
  readonly datasetRoot: Hex;
  readonly scheduleRoot: Hex;
  readonly operatorCount: number;
  readonly stateCount: number;
  readonly constantCount: number;
  readonly sampleCount: number;
  readonly sampleWords: number;
  readonly scheduleWidth: number;
  readonly steps: number;
  readonly step: number;
  readonly seed: bigint;
}

export type Lists = Readonly<Record<ReferenceKind, readonly Uint32Array[]>>;

/** One step: what its witnesses are proved against, and what its rules read. */
export class World {
  readonly lists: Lists;
  readonly position: StepPosition;
  readonly #samples: readonly Uint32Array[];
  readonly #table: Uint32Array;
  readonly #trees: Readonly<Record<ReferenceKind | "sample", TensorsTree | null>>;
  readonly #tableTree: TensorsTree;

  constructor(lists: Lists, samples: readonly Uint32Array[], table: Uint32Array, position: StepPosition) {
    this.lists = lists;
    this.position = position;
    this.#samples = samples;
    this.#table = table;
    const tree = (tensors: readonly Uint32Array[]): TensorsTree | null =>
      tensors.length === 0 ? null : new TensorsTree(tensors);
    this.#trees = {
      operator: tree(lists.operator),
      state: tree(lists.state),
      constant: tree(lists.constant),
      sample: tree(samples),
    };
    this.#tableTree = new TensorsTree([table]);
  }

  get roots(): StepRoots {
    const zero: Hex = `0x${"00".repeat(32)}`;
    const { lists, position } = this;
    return {
      traceRoot: this.#trees.operator?.root ?? zero,
      stateRoot: this.#trees.state?.root ?? zero,
      constantsRoot: this.#trees.constant?.root ?? zero,
      datasetRoot: this.#trees.sample?.root ?? zero,
      scheduleRoot: tensorRoot(this.#table),
      operatorCount: lists.operator.length,
      stateCount: lists.state.length,
      constantCount: lists.constant.length,
      sampleCount: position.sampleCount,
      sampleWords: position.sampleWords,
      scheduleWidth: position.scheduleWidth,
      steps: position.steps,
      step: position.step,
      seed: position.seed,
    };
  }

  read(operator: Operator): Read {
    return (at, address) => {
      if (operator.family === "batch") return this.#samples[at]![address]!;
      if (operator.family === "schedule") return this.#table[address]!;
      return this.#tensor(operator.operands[at]!)?.[address] ?? 0;
    };
  }

  /** One tile for each operand that is read inside, in descriptor order; of the first tile where a range touches several. */
  witness(operator: Operator, element: number, lo = 0, hi = 1): Witness[] {
    const index = multiIndex(operator.shape, element);
    if (operator.family === "batch") {
      const { seed, step, sampleCount, sampleWords } = this.position;
      const address = operator.offset + index[1]!;
      if (sampleCount === 0 || address >= sampleWords) return [];
      const place = { step, rows: operator.shape[0]!, row: index[0]! };
      const sample = sampleAt(operator.order, seed, place, sampleCount);
      return [toWitness(this.#trees.sample!.tileProof(sample, address >> 6))];
    }
    if (operator.family === "schedule") {
      const address = this.position.step * this.position.scheduleWidth + operator.column;
      if (address >= this.position.steps * this.position.scheduleWidth) return [];
      return [toWitness(this.#tableTree.tileProof(0, address >> 6))];
    }
    if (operator.family === "join") {
      const { axis, ranges, operands } = operator;
      const place = index[axis]!;
      const at = ranges.findIndex(({ start, extent }) => start <= place && place - start < extent);
      const operand = operands[at];
      if (operand === undefined || this.#tensor(operand) === undefined) return [];
      const address = addressAt(operandLine(operand, index.with(axis, place - ranges[at]!.start)), 0);
      if (address === null) return [];
      return [toWitness(this.#trees[operand.reference.kind]!.tileProof(operand.reference.index, address >> 6))];
    }
    const witness: Witness[] = [];
    for (const [at, operand] of operator.operands.entries()) {
      let line: Line = operandLine(operand, index);
      let [from, to] = isPeak(operator.family, at) ? [0, 1] : [lo, hi];
      if (operator.family === "gather" && at === 0) {
        const row = this.#gatherRow(operator.operands[1], index);
        if (row < 0 || row >= operator.rows) continue;
        line = { ...line, stride: operator.rowStride };
        [from, to] = [row, row + 1];
      }
      const address = this.#tensor(operand) === undefined ? null : firstInside(line, from, to);
      if (address !== null)
        witness.push(toWitness(this.#trees[operand.reference.kind]!.tileProof(operand.reference.index, address >> 6)));
    }
    return witness;
  }

  /** The tiles that `shared/operators/witness.ts` names, with their proofs. */
  proofs(tiles: readonly WitnessTile[]): Witness[] {
    return tiles.map(({ source, tile }) => {
      if (source.kind === "schedule") return toWitness(this.#tableTree.tileProof(0, tile));
      return toWitness(this.#trees[source.kind]!.tileProof(source.index, tile));
    });
  }

  /** Whether some operand's addresses over the range lie in more than one tile. */
  spansTiles(operator: Operator, element: number, lo: number, hi: number): boolean {
    const index = multiIndex(operator.shape, element);
    return operator.operands.some((operand, at) => {
      if (isPeak(operator.family, at) || this.#tensor(operand) === undefined) return false;
      const line = operandLine(operand, index);
      const tiles = new Set<number>();
      for (let k = lo; k < hi; k++) {
        const address = addressAt(line, k);
        if (address !== null) tiles.add(address >> 6);
      }
      return tiles.size > 1;
    });
  }

  #tensor(operand: Operand): Uint32Array | undefined {
    return this.lists[operand.reference.kind][operand.reference.index];
  }

  #gatherRow(rows: Operand, index: readonly number[]): number {
    const address = addressAt(operandLine(rows, index), 0);
    return address === null ? 0 : (this.#tensor(rows)?.[address] ?? 0) | 0;
  }
}

function isPeak(family: Family, at: number): boolean {
  return (family === "dot" && at >= 2) || ((family === "sum" || family === "sumByIndex") && at === 1);
}

function firstInside(line: Line, lo: number, hi: number): number | null {
  for (let k = lo; k < hi; k++) {
    const address = addressAt(line, k);
    if (address !== null) return address;
  }
  return null;
}

function toWitness({ words, siblings }: TileProof): Witness {
  return { words: bytesToHex(words), siblings: siblings.map((sibling) => sibling) };
}

/** A tensor of numbers of every kind, of small integers (rows of a table), or of powers of two (peaks). */
function anyTensor(random: Random): Uint32Array {
  const count = random.pick([1, 2, 63, 64, 65, 128, random.between(1, 700)]);
  const kind = random.below(4);
  return Uint32Array.from({ length: count }, () => {
    if (kind === 0) return random.between(-2, 9) >>> 0;
    if (kind === 1) return random.between(90, 160) << 23;
    if (kind === 2) return ((random.word() & 0x807fffff) | (random.between(110, 140) << 23)) >>> 0;
    return anyFloat(random);
  });
}

export function anyWorld(random: Random): World {
  const list = (least: number): Uint32Array[] =>
    Array.from({ length: random.between(least, 9) }, () => anyTensor(random));
  const sampleWords = random.between(1, 150);
  const samples = Array.from({ length: random.between(0, 9) }, () =>
    Uint32Array.from({ length: sampleWords }, () => anyFloat(random)),
  );
  const steps = random.between(1, 60);
  const scheduleWidth = random.between(0, 5);
  const table = Uint32Array.from({ length: steps * scheduleWidth }, () => anyFloat(random));
  const lists = { operator: list(1), state: list(1), constant: list(0) };
  const seed = (BigInt(random.word()) << 32n) | BigInt(random.word());
  const step = random.below(steps);
  return new World(lists, samples, table, {
    seed,
    step,
    steps,
    sampleCount: samples.length,
    sampleWords,
    scheduleWidth,
  });
}

/**
 * A decodable operator whose operands are tensors of the world, by their true sizes so that they can be proved, seen through
 * strides that mostly stay inside; some leave it, some name tensors that do not exist, and some are garbage altogether.
 */
export function anyOperator(random: Random, world: World, family: Family): Operator {
  const garbage = garbageOperator(random, family);
  if (random.chance(0.1)) return { ...garbage, operands: garbage.operands.map((o) => astray(o, world)) } as Operator;
  const shape = garbage.shape.map(() => random.between(1, 5));
  if (garbage.family === "batch") {
    const offset = random.pick([0, 1, 63, 64, random.below(160)]);
    return { ...garbage, shape: [random.between(1, 5), random.between(1, 70)], offset };
  }
  if (garbage.family === "schedule") return { ...garbage, shape, column: random.below(7) };
  if (garbage.family === "random") return { ...garbage, shape };
  const operands = garbage.operands.map((operand): Operand => {
    if (random.chance(0.05)) return astray({ ...operand, strides: strides(random, shape.length, family) }, world);
    const kind = random.pick(
      (["operator", "state", "constant"] as const).filter((candidate) => world.lists[candidate].length > 0),
    );
    const index = random.below(world.lists[kind].length);
    const count = world.lists[kind][index]!.length;
    return {
      reference: { kind, index },
      dtype: random.chance(0.2) ? Dtype.int32 : Dtype.float32,
      count,
      offset: random.chance(0.6) ? random.below(Math.min(count, 66)) : random.below(count + 2),
      strides: strides(random, shape.length, family),
    };
  });
  const rest =
    garbage.family === "gather"
      ? { rowStride: random.pick([0, 1, 5, 64]), rows: random.pick([0, 1, 8, 0xffffffff]) }
      : "length" in garbage
        ? { length: random.chance(0.8) ? random.between(1, 64) : random.pick([65, 5000, 0xffffffff]) }
        : {};
  return { ...garbage, ...rest, shape, operands } as Operator;
}

/** The same operand of a tensor that is not there. */
function astray(operand: Operand, world: World): Operand {
  const { kind, index } = operand.reference;
  return { ...operand, reference: { kind, index: Math.max(index, world.lists[kind].length) } };
}

function strides(random: Random, rank: number, family: Family): number[] {
  return Array.from({ length: rank + (reduces(family) ? 1 : 0) }, () =>
    random.pick([0, 0, 1, 1, 1, -1, 2, 3, 8, random.between(-70, 70)]),
  );
}
