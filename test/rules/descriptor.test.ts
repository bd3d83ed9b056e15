/** Descriptor.sol and Address.sol against the TypeScript decoder and address arithmetic: the same bytes are decodable, with the same meaning. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import { bytesToHex } from "viem";
import { tensorDepth } from "../../shared/commitment/tensorRoot.ts";
import { addressAt, multiIndex, operandLine } from "../../shared/operators/address.ts";
import {
  FAMILY_CODE,
  type JoinOperator,
  type MapOperator,
  type Operator,
  SAMPLE_ORDER,
  wordCount,
} from "../../shared/program/descriptor.ts";
import {
  DescriptorError,
  decodeOperator,
  decodeState,
  encodeOperator,
  encodeState,
  reduces,
  type StateDescriptor,
} from "../../shared/program/encoding.ts";
import { FAMILIES, garbageOperator } from "../helpers/descriptors.ts";
import { Random } from "../helpers/random.ts";
import { type CallBatch, deployCallBatch, type Target } from "./callBatch.ts";

const DEEP = process.env.TOUCHSTONE_DEEP === "1" ? 20 : 1;
const { viem } = await network.connect();

/** The decoded operator, or null when the bytes are refused for a stated reason. */
function orRefused<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    assert.ok(error instanceof DescriptorError, String(error));
    return null;
  }
}

/** What DescriptorHarness.decode says of an operator. */
function fieldsOf(operator: Operator): Record<string, unknown> {
  const number = (value: number): bigint => BigInt(value);
  const length = "length" in operator ? operator.length : 0;
  const a =
    "bits" in operator
      ? operator.bits
      : "mode" in operator
        ? operator.mode
        : operator.family === "batch"
          ? SAMPLE_ORDER[operator.order]
          : 0;
  const b =
    operator.family === "sumByIndex" || operator.family === "join"
      ? operator.axis
      : operator.family === "gather"
        ? operator.rowStride
        : operator.family === "batch"
          ? operator.offset
          : operator.family === "schedule"
            ? operator.column
            : operator.family === "random"
              ? operator.stream
              : 0;
  const count = wordCount(operator.shape);
  return {
    family: number(FAMILY_CODE[operator.family]),
    dtype: number(operator.dtype),
    shape: operator.shape.map(number),
    length: number(length),
    attributeA: number(a),
    attributeB: number(b),
    attributeC: number(operator.family === "gather" ? operator.rows : 0),
    operandCount: number(operator.operands.length),
    immediateCount: number(operator.family === "map" ? operator.immediates.length : 0),
    instructionCount: number(operator.family === "map" ? operator.instructions.length : 0),
    count: number(count),
    depth: number(tensorDepth(count)),
  };
}

/** A change that may or may not leave the bytes decodable. */
function damage(random: Random, bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  switch (random.below(6)) {
    case 0:
      return changed.slice(0, random.below(changed.length));
    case 1:
      return Uint8Array.from([...changed, ...Array.from({ length: random.between(1, 8) }, () => random.below(256))]);
    case 2:
      changed[random.below(changed.length)] = random.below(256);
      return changed;
    case 3:
      // Fixed fields and counts stand in front: small changes there.
      changed[random.below(Math.min(46, changed.length))]! ^= 1 << random.below(8);
      return changed;
    case 4:
      changed.fill(random.pick([0, 0xff]), random.below(changed.length), changed.length);
      return changed;
    default:
      changed[random.below(changed.length)] = random.pick([0, 1, 2, 3, 6, 7, 8, 9, 22, 23, 64, 65, 0xff]);
      return changed;
  }
}

describe("contracts/libraries descriptors and shared/program/encoding.ts", () => {
  let harness: Target;
  let run: CallBatch;
  before(async () => {
    const { address, abi } = await viem.deployContract("DescriptorHarness");
    harness = { address, abi };
    run = await deployCallBatch(viem);
  });

  async function compareOperators(all: readonly Uint8Array[]): Promise<number> {
    const outcomes = await run(
      harness,
      all.map((bytes) => ({ functionName: "decode", args: [bytesToHex(bytes)] })),
    );
    let decodable = 0;
    for (const [i, outcome] of outcomes.entries()) {
      const operator = orRefused(() => decodeOperator(all[i]!));
      if (operator === null) {
        assert.ok("error" in outcome, `decoded only by Solidity: ${bytesToHex(all[i]!)}`);
        assert.match(outcome.error, /^Descriptor/);
        continue;
      }
      decodable++;
      assert.ok("result" in outcome, `decoded only by TypeScript: ${bytesToHex(all[i]!)}`);
      assert.deepEqual(outcome.result, fieldsOf(operator));
    }
    return decodable;
  }

  it("read every operator alike", async () => {
    const random = new Random(21);
    const all = Array.from({ length: 400 * DEEP }, (_, i) =>
      encodeOperator(garbageOperator(random, FAMILIES[i % FAMILIES.length])),
    );
    assert.equal(await compareOperators(all), all.length);
  });

  it("refuse the same damaged operators", async () => {
    const random = new Random(22);
    const all = Array.from({ length: 3000 * DEEP }, (_, i) =>
      damage(random, encodeOperator(garbageOperator(random, FAMILIES[i % FAMILIES.length]))),
    );
    const decodable = await compareOperators(all);
    assert.ok(decodable > all.length / 10 && decodable < all.length / 2, `${decodable} of ${all.length}`);
  });

  it("refuse the same edges of every fixed field", async () => {
    const random = new Random(23);
    const all: Uint8Array[] = [];
    for (const family of FAMILIES) {
      const bytes = encodeOperator(garbageOperator(random, family));
      const rank = bytes[3]!;
      // Version, family, dtype and rank; then K, A, B, C and the operand count, byte by byte.
      const places = [0, 1, 2, 3, ...Array.from({ length: 14 }, (_, i) => 4 + 4 * rank + i)];
      for (const place of places) {
        for (const value of [0, 1, 2, 3, 4, 5, 7, 8, 9, 22, 23, 255]) {
          const changed = bytes.slice();
          changed[place] = value;
          all.push(changed);
        }
      }
      for (let length = 0; length < bytes.length; length++) all.push(bytes.slice(0, length));
    }
    await compareOperators(all);
  });

  it("refuse operands where the family has none, or one too many", async () => {
    const random = new Random(27);
    const all = FAMILIES.map((family) => {
      // The list stands last in every family but Map and Join, whose bound is 8.
      const operator = garbageOperator(random, family === "map" || family === "join" ? "gather" : family);
      const bytes = encodeOperator(operator);
      const count = 4 + 4 * operator.shape.length + 13;
      const operand = new Uint8Array(14 + 4 * (operator.shape.length + (reduces(operator.family) ? 1 : 0))).fill(
        1,
        0,
        2,
      );
      const longer = Uint8Array.from([...bytes, ...operand]);
      longer[count]!++;
      return longer;
    });
    assert.equal(await compareOperators(all), 0);
  });

  it("bound Join's operands alike", async () => {
    const random = new Random(28);
    const join = garbageOperator(random, "join") as JoinOperator;
    const alone = encodeOperator({ ...join, operands: [join.operands[0]!], ranges: [join.ranges[0]!] });
    const count = 4 + 4 * join.shape.length + 13;
    const operand = alone.slice(count + 1, -8);
    const all = [0, 1, 2, 7, 8, 9, 16, 255].map((operands) =>
      Uint8Array.from([
        ...[...alone.slice(0, count), operands],
        ...Array.from({ length: operands }, () => [...operand]).flat(),
        ...Array.from({ length: 8 * operands }, () => random.below(256)),
      ]),
    );
    assert.equal(await compareOperators(all), 4);
  });

  it("bound Map's lists alike", async () => {
    const random = new Random(26);
    const { family, ...map } = garbageOperator(random, "map") as MapOperator;
    const empty = encodeOperator({ family, ...map, immediates: [], instructions: [] });
    const sizes = [0, 1, 63, 64, 65, 128, 255];
    const all = sizes.flatMap((immediates) =>
      sizes.map((instructions) => {
        const words = new Uint8Array(1 + 4 * immediates).fill(immediates, 0, 1);
        const code = new Uint8Array(1 + 4 * instructions).fill(instructions, 0, 1);
        return Uint8Array.from([...empty.slice(0, -2), ...words, ...code]);
      }),
    );
    assert.equal(await compareOperators(all), 16);
  });

  it("read and refuse the same state descriptors", async () => {
    const random = new Random(24);
    const all: Uint8Array[] = [];
    for (let i = 0; i < 300 * DEEP; i++) {
      const state: StateDescriptor = {
        dtype: random.below(2) as 0 | 1,
        count: random.pick([1, 64, 65, 0xffffffff, random.between(1, 1000)]),
        source: random.chance(0.4) ? null : random.word(),
      };
      all.push(encodeState(state), damage(random, encodeState(state)));
    }
    const outcomes = await run(
      harness,
      all.map((bytes) => ({ functionName: "decodeState", args: [bytesToHex(bytes)] })),
    );
    for (const [i, outcome] of outcomes.entries()) {
      const state = orRefused(() => decodeState(all[i]!));
      if (state === null) {
        assert.ok("error" in outcome, `decoded only by Solidity: ${bytesToHex(all[i]!)}`);
        assert.match(outcome.error, /^Descriptor/);
        continue;
      }
      assert.ok("result" in outcome, `decoded only by TypeScript: ${bytesToHex(all[i]!)}`);
      const { dtype, count, source } = state;
      assert.deepEqual(outcome.result, [
        { dtype: BigInt(dtype), count: BigInt(count), replaced: source !== null, source: BigInt(source ?? 0) },
        BigInt(tensorDepth(count)),
      ]);
    }
  });

  it("place operands at the same addresses", async () => {
    const random = new Random(25);
    const cases = Array.from({ length: 400 * DEEP }, (_, i) => {
      const operator = garbageOperator(random, FAMILIES[i % FAMILIES.length]);
      return { operator, element: random.below(wordCount(operator.shape)) };
    });
    const placed = await run(
      harness,
      cases.map(({ operator, element }) => ({
        functionName: "place",
        args: [bytesToHex(encodeOperator(operator)), BigInt(element)],
      })),
    );
    const addresses: { args: unknown[]; expected: number | null }[] = [];
    for (const [i, { operator, element }] of cases.entries()) {
      const outcome = placed[i]!;
      assert.ok("result" in outcome);
      const [index, lines] = outcome.result as [bigint[], { base: bigint; stride: bigint; count: bigint }[]];
      const expected = multiIndex(operator.shape, element);
      assert.deepEqual(index, [...expected, 0, 0, 0, 0, 0, 0].slice(0, 6).map(BigInt));
      for (const [position, operand] of operator.operands.entries()) {
        const line = operandLine(operand, expected);
        const { base, stride, count } = lines[position]!;
        assert.deepEqual({ base, stride: Number(stride), count: Number(count) }, line);
        const k = random.pick([0, 1, 63, 0xfffffffe, random.word()]);
        addresses.push({ args: [lines[position], BigInt(k)], expected: addressAt(line, k) });
      }
    }
    const found = await run(
      harness,
      addresses.map(({ args }) => ({ functionName: "addressAt", args })),
    );
    let inside = 0;
    for (const [i, { expected }] of addresses.entries()) {
      const outcome = found[i]!;
      assert.ok("result" in outcome);
      const [place, isInside] = outcome.result as [bigint, boolean];
      assert.equal(isInside ? Number(place) : null, expected);
      if (isInside) inside++;
    }
    assert.ok(inside > 20, `${inside} inside`);
  });
});
