/** What the referee refuses, and by which name: every witness that does not prove what the rule reads, every call outside the rules. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import type { ReducingOperator } from "../../shared/operators/element.ts";
import { witnessTiles } from "../../shared/operators/witness.ts";
import type { GatherOperator, JoinOperator, MapOperator, Operator } from "../../shared/program/descriptor.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { encodeOperator, reduces } from "../../shared/program/encoding.ts";
import { FAMILIES, garbageOperator } from "../helpers/descriptors.ts";
import { floats, ints, operand } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";
import { type BatchedCall, type CallBatch, deployCallBatch, type Target } from "./callBatch.ts";
import { anyOperator, anyWorld, type Witness, World } from "./world.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1" ? 20 : 1;
const { viem } = await network.connect();

interface Adjudication {
  readonly operator: Operator;
  readonly index: number;
  readonly world: World;
  readonly witness: readonly Witness[];
}

function call({ operator, index, world, witness }: Adjudication, roots = world.roots): BatchedCall {
  return { functionName: "element", args: [bytesToHex(encodeOperator(operator)), BigInt(index), roots, witness] };
}

/** An element that the referee decides, with at least `least` tiles. */
function anyAdjudication(random: Random, least: number): Adjudication {
  for (;;) {
    const world = anyWorld(random);
    const operator = anyOperator(random, world, random.pick(FAMILIES));
    const index = random.below(wordCount(operator.shape));
    const length = "length" in operator ? operator.length : 1;
    if (length > 64 || (reduces(operator.family) && world.spansTiles(operator, index, 0, length))) continue;
    const witness = world.witness(operator, index, 0, length);
    if (witness.length >= least) return { operator, index, world, witness };
  }
}

function flipBit(random: Random, hex: Hex): Hex {
  const bytes = hexToBytes(hex);
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return bytesToHex(bytes);
}

const replace = <T>(list: readonly T[], at: number, item: T): T[] => list.map((old, i) => (i === at ? item : old));

/** One way to spoil a witness, and the errors by which it may be refused. */
interface Spoiling {
  readonly errors: readonly string[];
  /** Null where this witness cannot be spoiled so. */
  spoil(random: Random, case_: Adjudication, at: number): readonly Witness[] | null;
}

const SPOILINGS: Readonly<Record<string, Spoiling>> = {
  "a tile too few": {
    // Gather takes its index from the end: without it, the table's tile stands where the index's should.
    errors: ["WitnessMissing", "WitnessUnused", "TreeProofLength", "TreeProofMismatch"],
    spoil: (_random, { witness }, at) => witness.filter((_, i) => i !== at),
  },
  "a tile too many": {
    errors: ["WitnessUnused", "TreeProofLength", "TreeProofMismatch"],
    spoil: (random, { witness }) => witness.toSpliced(random.below(witness.length + 1), 0, random.pick(witness)),
  },
  "a tile that is short": {
    errors: ["TileLength"],
    spoil: (random, { witness }, at) =>
      replace(witness, at, {
        ...witness[at]!,
        words: witness[at]!.words.slice(0, 2 + 2 * random.below(256)) as Hex,
      }),
  },
  "a tile that is long": {
    errors: ["TileLength"],
    spoil: (random, { witness }, at) =>
      replace(witness, at, { ...witness[at]!, words: `${witness[at]!.words}${"00".repeat(random.between(1, 300))}` }),
  },
  "a changed word": {
    errors: ["TreeProofMismatch"],
    spoil: (random, { witness }, at) =>
      replace(witness, at, { ...witness[at]!, words: flipBit(random, witness[at]!.words) }),
  },
  "a changed sibling": {
    errors: ["TreeProofMismatch"],
    spoil: (random, { witness }, at) => {
      const { siblings } = witness[at]!;
      if (siblings.length === 0) return null;
      const height = random.below(siblings.length);
      const changed = replace(siblings, height, flipBit(random, siblings[height]!));
      return replace(witness, at, { ...witness[at]!, siblings: changed });
    },
  },
  "a sibling too few": {
    errors: ["TreeProofLength"],
    spoil: (random, { witness }, at) => {
      const { siblings } = witness[at]!;
      if (siblings.length === 0) return null;
      return replace(witness, at, { ...witness[at]!, siblings: siblings.toSpliced(random.below(siblings.length), 1) });
    },
  },
  "a sibling too many": {
    errors: ["TreeProofLength"],
    spoil: (random, { witness }, at) => {
      const { siblings } = witness[at]!;
      const longer = siblings.toSpliced(random.below(siblings.length + 1), 0, `0x${"00".repeat(32)}`);
      return replace(witness, at, { ...witness[at]!, siblings: longer });
    },
  },
  "another operand's tile": {
    errors: ["TreeProofLength", "TreeProofMismatch"],
    spoil: (random, { witness }, at) => {
      const other = random.pick(witness);
      if (other.words === witness[at]!.words) return null;
      return replace(witness, at, other);
    },
  },
};

describe("contracts/Referee.sol refuses", () => {
  let referee: Target;
  let run: CallBatch;
  before(async () => {
    const { address, abi } = await viem.deployContract("Referee");
    referee = { address, abi };
    run = await deployCallBatch(viem);
  });

  async function refused(calls: readonly BatchedCall[], errors: readonly string[]): Promise<void> {
    for (const outcome of await run(referee, calls)) {
      assert.ok("error" in outcome, `gave ${JSON.stringify(outcome)}`);
      assert.ok(errors.includes(outcome.error), outcome.error);
    }
  }

  for (const [position, [name, { errors, spoil }]] of Object.entries(SPOILINGS).entries()) {
    it(`${name}`, async () => {
      const random = new Random(400 + position);
      const calls: BatchedCall[] = [];
      while (calls.length < 60 * DEEP) {
        const adjudication = anyAdjudication(random, 1);
        const at = random.below(adjudication.witness.length);
        const witness = spoil(random, adjudication, at);
        if (witness !== null) calls.push(call({ ...adjudication, witness }));
      }
      await refused(calls, errors);
    });
  }

  it("a true tile of another root, place or tree size", async () => {
    const random = new Random(420);
    const calls: BatchedCall[] = [];
    for (let i = 0; i < 60 * DEEP; i++) {
      const adjudication = anyAdjudication(random, 1);
      const { roots } = adjudication.world;
      const wrong = `0x${"11".repeat(32)}`;
      const names = ["traceRoot", "stateRoot", "constantsRoot", "datasetRoot", "scheduleRoot"];
      calls.push(call(adjudication, { ...roots, ...Object.fromEntries(names.map((name) => [name, wrong])) }));
    }
    await refused(calls, ["TreeProofMismatch"]);
  });

  it("the tile beside the one that is read", async () => {
    const [x, y, z] = [0, 1, 2].map((tensor) => Uint32Array.from({ length: 300 }, (_, i) => 1000 * tensor + i));
    const world = new World({ operator: [x!], state: [y!, z!], constant: [] }, [], new Uint32Array(0), {
      seed: 0n,
      step: 0,
      steps: 1,
      sampleCount: 0,
      sampleWords: 1,
      scheduleWidth: 0,
    });
    const read = (kind: "operator" | "state", index: number, offset: number): MapOperator => ({
      family: "map",
      dtype: 0,
      shape: [],
      operands: [operand(kind, index, 300, [], { offset })],
      immediates: [],
      instructions: [],
    });
    const wanted = read("state", 1, 100);
    const calls = [read("state", 1, 10), read("state", 1, 299), read("state", 0, 100)].map((other) =>
      call({ operator: wanted, index: 0, world, witness: world.witness(other, 0) }),
    );
    await refused(calls, ["TreeProofMismatch"]);
    const shorter = { ...wanted, operands: [{ ...wanted.operands[0]!, count: 128 }] };
    await refused(
      [call({ operator: shorter, index: 0, world, witness: world.witness(wanted, 0) })],
      ["TreeProofLength"],
    );
  });

  it("elements and ranges outside, ranges too long, and parts of families that do not reduce", async () => {
    const random = new Random(421);
    const roots = anyWorld(random).roots;
    for (const family of FAMILIES) {
      const operator = garbageOperator(random, family);
      const descriptor = bytesToHex(encodeOperator(operator));
      const count = BigInt(wordCount(operator.shape));
      const outside = [count, count + 1n, 2n ** 256n - 1n];
      await refused(
        outside.map((index) => ({ functionName: "element", args: [descriptor, index, roots, []] })),
        ["RefereeElementOutside"],
      );
      const part = (index: bigint, lo: bigint, hi: bigint): BatchedCall => {
        return { functionName: "partialValue", args: [descriptor, index, lo, hi, roots, []] };
      };
      const nothing = Array.from({ length: 16 }, () => 0n);
      if (!reduces(family)) {
        await refused(
          [
            part(0n, 0n, 1n),
            { functionName: "combine", args: [descriptor, nothing] },
            { functionName: "finish", args: [descriptor, 0n, 0n] },
          ],
          ["RefereeFamilyDoesNotReduce"],
        );
        continue;
      }
      await refused([part(count, 0n, 1n)], ["RefereeElementOutside"]);
      const length = BigInt((operator as ReducingOperator).length);
      const most = 2n ** 256n - 1n;
      await refused(
        [part(0n, 0n, 0n), part(0n, 1n, 0n), part(0n, length, length + 1n), part(0n, most, 0n), part(0n, 0n, most)],
        ["RefereeRangeOutside"],
      );
      const long = bytesToHex(encodeOperator({ ...(operator as ReducingOperator), length: 0xffffffff }));
      await refused(
        [
          { functionName: "partialValue", args: [long, 0n, 7n, 72n, roots, []] },
          { functionName: "partialValue", args: [long, 0n, 0n, 0xffffffffn, roots, []] },
          { functionName: "element", args: [long, 0n, roots, []] },
        ],
        ["RefereeRangeTooLong"],
      );
    }
  });

  it("every descriptor that is not decodable, in every function", async () => {
    const random = new Random(422);
    const roots = anyWorld(random).roots;
    const calls: BatchedCall[] = [];
    for (const family of FAMILIES) {
      const descriptor: Hex = `${bytesToHex(encodeOperator(garbageOperator(random, family)))}00`;
      calls.push(
        { functionName: "element", args: [descriptor, 0n, roots, []] },
        { functionName: "partialValue", args: [descriptor, 0n, 0n, 1n, roots, []] },
        { functionName: "combine", args: [descriptor, Array.from({ length: 16 }, () => 0n)] },
        { functionName: "finish", args: [descriptor, 0n, 0n] },
      );
    }
    await refused(calls, ["DescriptorLength"]);
  });

  it("a tile of an operand that does not hold a Join's element", async () => {
    const tensors = [1, 2, 3].map((tensor) => floats(...Array.from({ length: 70 }, (_, i) => 100 * tensor + i)));
    const position = { seed: 0n, step: 0, steps: 1, sampleCount: 0, sampleWords: 1, scheduleWidth: 0 };
    const world = new World({ operator: tensors, state: [], constant: [] }, [], new Uint32Array(0), position);
    const join: JoinOperator = {
      family: "join",
      dtype: 0,
      shape: [40],
      axis: 0,
      operands: tensors.map((_, tensor) => operand("operator", tensor, 70, [1], { offset: 60 })),
      ranges: [2, 12, 22].map((start) => ({ start, extent: 10 })),
    };
    const decided = [0, 2, 8, 21, 31, 32].map((index) => ({ index, witness: world.witness(join, index) }));
    const words = await run(
      referee,
      decided.map(({ index, witness }) => call({ operator: join, index, world, witness })),
    );
    const expected = [0, 160, 166, 269, 369, 0];
    assert.deepEqual(
      words,
      expected.map((value) => ({ result: floats(value)[0] })),
    );
    const [none, first, behind, second] = decided.map(({ witness }) => witness);
    await refused([call({ operator: join, index: 2, world, witness: second! })], ["TreeProofMismatch"]);
    await refused([call({ operator: join, index: 2, world, witness: behind! })], ["TreeProofMismatch"]);
    await refused([call({ operator: join, index: 2, world, witness: none! })], ["WitnessMissing"]);
    await refused([call({ operator: join, index: 2, world, witness: [...first!, ...second!] })], ["WitnessUnused"]);
    await refused([call({ operator: join, index: 0, world, witness: first! })], ["WitnessUnused"]);
    const random: Operator = { family: "random", dtype: 0, shape: [4], stream: 1, operands: [] };
    await refused([call({ operator: random, index: 0, world, witness: first! })], ["WitnessUnused"]);
  });

  it("a Gather's table tile where its index reads no row", async () => {
    const table = floats(...Array.from({ length: 200 }, (_, i) => i + 1));
    const world = new World({ operator: [table], state: [ints(1, -1, 7, 8)], constant: [] }, [], new Uint32Array(0), {
      seed: 0n,
      step: 0,
      steps: 1,
      sampleCount: 0,
      sampleWords: 1,
      scheduleWidth: 0,
    });
    const gather: GatherOperator = {
      family: "gather",
      dtype: 0,
      shape: [4],
      rowStride: 25,
      rows: 8,
      operands: [operand("operator", 0, 200, [0]), operand("state", 0, 4, [1], { dtype: 1 })],
    };
    const words = await run(
      referee,
      [0, 1, 2, 3].map((index) => call({ operator: gather, index, world, witness: world.witness(gather, index) })),
    );
    assert.deepEqual(
      words,
      [26, 0, 176, 0].map((value) => ({ result: floats(value)[0] })),
    );
    const read = world.witness(gather, 0);
    await refused(
      [1, 3].map((index) => call({ operator: gather, index, world, witness: read })),
      ["WitnessUnused"],
    );
  });
});

describe("shared/operators/witness.ts", () => {
  it("names the tiles that the referee wants, in its order", () => {
    const random = new Random(430);
    for (let i = 0; i < 1500 * DEEP; i++) {
      const { operator, index, world, witness } = anyAdjudication(random, 0);
      const references = operator.operands.every(
        ({ reference }) => reference.index < world.lists[reference.kind].length,
      );
      if (!references) continue;
      const hi = "length" in operator ? operator.length : 1;
      const named = witnessTiles(operator, index, 0, hi, world.read(operator), world.position);
      assert.deepEqual(world.proofs(named), witness);
    }
  });
});
