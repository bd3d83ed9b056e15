/**
 * Gas of the referee at realistic sizes, against the checked-in record `test/snapshots/referee-gas.json`. A change, for better or
 * worse, must be recorded on purpose: TOUCHSTONE_UPDATE_SNAPSHOTS=1 rewrites the record.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { type Abi, bytesToHex, encodeFunctionData, type Hex } from "viem";
import { element, type ReducingOperator } from "../../shared/operators/element.ts";
import {
  type Family,
  type MapInstruction,
  MapOpcode,
  type MapOperator,
  type Operator,
} from "../../shared/program/descriptor.ts";
import { encodeOperator, reduces } from "../../shared/program/encoding.ts";
import { ordinaryFloat } from "../helpers/float32.ts";
import { operand } from "../helpers/operators.ts";
import { Random } from "../helpers/random.ts";
import { World } from "./world.ts";

const SNAPSHOT = new URL("../snapshots/referee-gas.json", import.meta.url);
const { viem } = await network.connect();

/** Words of a weight matrix [512, 512], rows and columns of it, and a batch of token rows. */
const SIDE = 512;
const MATRIX = SIDE * SIDE;
/** Operators and state tensors of a small transformer with its optimizer. */
const OPERATORS = 600;
const STATE = 120;

interface Cost {
  /** Receipt gas of a transaction that does nothing else: 21 000, calldata, execution. */
  readonly transaction: number;
  /** Gas of the call itself. */
  readonly execution: number;
  readonly calldataBytes: number;
}

const random = new Random(1);
const matrix = (): Uint32Array => Uint32Array.from({ length: MATRIX }, () => ordinaryFloat(random));
const scalar = (): Uint32Array => Uint32Array.of(ordinaryFloat(random) & 0x7fffffff);
const peak = (): Uint32Array => Uint32Array.of(130 << 23);
const rows = (): Uint32Array => Uint32Array.from({ length: SIDE }, () => random.below(SIDE));

/** The few tensors that the measured operators read stand among many that only give the trees their depth. */
function listOf(length: number, tensors: readonly Uint32Array[]): Uint32Array[] {
  return Array.from({ length }, (_, i) => tensors[i] ?? scalar());
}

const world = new World(
  {
    operator: listOf(OPERATORS, [matrix(), peak(), peak(), scalar(), scalar(), scalar(), rows()]),
    state: listOf(STATE, [matrix(), matrix(), matrix()]),
    constant: [scalar()],
  },
  Array.from({ length: 1000 }, () => Uint32Array.from({ length: 129 }, () => random.word())),
  Uint32Array.from({ length: 3000 }, () => ordinaryFloat(random)),
  { seed: 1n, step: 700, steps: 1000, sampleCount: 1000, sampleWords: 129, scheduleWidth: 3 },
);

const whole = [SIDE, 1];
const instructions = ((): MapInstruction[] => {
  const { add, sub, mul, div, sqrt, max } = MapOpcode;
  // The mix of an AdamW update with its flushes: products and sums, a root, two quotients, a clamp.
  const mix = [mul, mul, add, mul, mul, mul, add, sub, add, sub, div, div, sqrt, add, div, mul, add, mul, sub, max];
  return Array.from({ length: 40 }, (_, i): MapInstruction => [mix[i % mix.length]!, i % 14, 8 + (i % 3), 0]);
})();

const adamW: MapOperator = {
  family: "map",
  dtype: 0,
  shape: [SIDE, SIDE],
  operands: [
    operand("operator", 0, MATRIX, whole),
    operand("state", 0, MATRIX, whole),
    operand("state", 1, MATRIX, whole),
    operand("state", 2, MATRIX, whole),
    operand("operator", 3, 1, [0, 0]),
    operand("operator", 4, 1, [0, 0]),
  ],
  immediates: Array.from({ length: 8 }, () => ordinaryFloat(random)),
  instructions,
};
const line = operand("operator", 0, MATRIX, [SIDE, 0, 1]);
const OPERATORS_MEASURED: Readonly<Record<string, { operator: Operator; lo?: number; hi?: number }>> = {
  "element of Map, 6 operands, 40 instructions": { operator: adamW },
  "element of Map, 2 operands, 1 instruction": {
    operator: {
      ...adamW,
      operands: adamW.operands.slice(0, 2),
      immediates: [],
      instructions: [[MapOpcode.add, 0, 1, 0]],
    },
  },
  "element of Map, 8 operands, 64 roots": {
    operator: {
      ...adamW,
      operands: [...adamW.operands, ...adamW.operands.slice(1, 3)],
      instructions: Array.from({ length: 64 }, (_, i): MapInstruction => [MapOpcode.sqrt, i % 16, 0, 0]),
    },
  },
  "partialValue of Dot, 64 positions": {
    operator: {
      family: "dot",
      dtype: 0,
      shape: [SIDE, SIDE],
      length: SIDE,
      bits: 20,
      operands: [
        line,
        operand("state", 0, MATRIX, [0, SIDE, 1]),
        operand("operator", 1, 1, [0, 0, 0]),
        operand("operator", 2, 1, [0, 0, 0]),
      ],
    },
    lo: 128,
    hi: 192,
  },
  "partialValue of Dot, 1 position": {
    operator: {
      family: "dot",
      dtype: 0,
      shape: [SIDE, SIDE],
      length: SIDE,
      bits: 20,
      operands: [
        line,
        operand("state", 0, MATRIX, [0, 1, SIDE]),
        operand("operator", 1, 1, [0, 0, 0]),
        operand("operator", 2, 1, [0, 0, 0]),
      ],
    },
    lo: 128,
    hi: 129,
  },
  "partialValue of Sum, 64 positions": {
    operator: {
      family: "sum",
      dtype: 0,
      shape: [SIDE],
      length: SIDE,
      bits: 20,
      operands: [operand("operator", 0, MATRIX, [SIDE, 1]), operand("operator", 1, 1, [0, 0])],
    },
    lo: 128,
    hi: 192,
  },
  "partialValue of SumByIndex, 64 positions": {
    operator: {
      family: "sumByIndex",
      dtype: 0,
      shape: [SIDE, SIDE],
      length: SIDE,
      bits: 20,
      axis: 0,
      operands: [
        operand("operator", 0, MATRIX, [0, 0, 1]),
        operand("operator", 1, 1, [0, 0, 0]),
        operand("operator", 6, SIDE, [0, 0, 1], { dtype: 1 }),
      ],
    },
    lo: 128,
    hi: 192,
  },
  "partialValue of Peak, 64 positions": {
    operator: {
      family: "peak",
      dtype: 0,
      shape: [SIDE],
      length: SIDE,
      mode: 1,
      operands: [operand("operator", 0, MATRIX, [SIDE, 1])],
    },
    lo: 128,
    hi: 192,
  },
  "element of Gather": {
    operator: {
      family: "gather",
      dtype: 0,
      shape: [SIDE, SIDE],
      rowStride: SIDE,
      rows: SIDE,
      operands: [operand("state", 0, MATRIX, [0, 1]), operand("operator", 6, SIDE, [1, 0], { dtype: 1 })],
    },
  },
  "element of Batch": {
    operator: { family: "batch", dtype: 1, shape: [16, 128], order: "replacement", offset: 1, operands: [] },
  },
  "element of Batch, in a permutation": {
    operator: { family: "batch", dtype: 1, shape: [16, 128], order: "permutation", offset: 1, operands: [] },
  },
  "element of Join, the last of 8 operands": {
    operator: {
      family: "join",
      dtype: 0,
      shape: [SIDE, 8 * 64],
      axis: 1,
      operands: Array.from({ length: 8 }, () => operand("operator", 0, MATRIX, whole)),
      ranges: Array.from({ length: 8 }, (_, i) => ({ start: 64 * i, extent: 64 })),
    },
  },
  "element of Random": { operator: { family: "random", dtype: 0, shape: [SIDE, SIDE], stream: 3, operands: [] } },
  "element of Schedule": { operator: { family: "schedule", dtype: 0, shape: [1], column: 2, operands: [] } },
};

/** Elements and tiles of families where they are not what they are in the others. */
const ELEMENT: Partial<Record<Family, number>> = { batch: 300, schedule: 0, join: 7 * 64 + 5 };
const TILES: Partial<Record<Family, number>> = { batch: 1, schedule: 1, join: 1, random: 0 };

describe("gas of contracts/Referee.sol", async () => {
  const referee = await viem.deployContract("Referee");
  const meter = await viem.deployContract("CallBatch");
  const [wallet] = await viem.getWalletClients();
  const client = await viem.getPublicClient();
  const measured: Record<string, Cost> = {};

  async function measure(name: string, data: Hex): Promise<void> {
    const hash = await wallet!.sendTransaction({ to: referee.address, data, gas: 2n ** 24n });
    const receipt = await client.getTransactionReceipt({ hash });
    assert.equal(receipt.status, "success");
    const execution = await meter.read.gasOf([referee.address, data]);
    measured[name] = {
      transaction: Number(receipt.gasUsed),
      execution: Number(execution),
      calldataBytes: data.length / 2 - 1,
    };
  }

  it("is what the record says", async () => {
    const { abi } = referee;
    for (const [name, { operator, lo, hi }] of Object.entries(OPERATORS_MEASURED)) {
      const index = ELEMENT[operator.family] ?? 77;
      const descriptor = bytesToHex(encodeOperator(operator));
      const witness = world.witness(operator, index, lo, hi);
      const expected = TILES[operator.family] ?? operator.operands.length;
      assert.equal(witness.length, expected, `${name}: every operand is read`);
      const data =
        lo === undefined || hi === undefined
          ? encodeFunctionData({
              abi,
              functionName: "element",
              args: [descriptor, BigInt(index), world.roots, witness],
            })
          : encodeFunctionData({
              abi,
              functionName: "partialValue",
              args: [descriptor, BigInt(index), BigInt(lo), BigInt(hi), world.roots, witness],
            });
      await measure(name, data);
      if (!reduces(operator.family)) {
        const word = await referee.read.element([descriptor, BigInt(index), world.roots, witness]);
        assert.equal(word, element(operator, index, world.read(operator), world.position));
      }
    }
    const dot = OPERATORS_MEASURED["partialValue of Dot, 64 positions"]!.operator as ReducingOperator;
    const descriptor = bytesToHex(encodeOperator(dot));
    const values = Array.from({ length: 16 }, () => BigInt(random.word()) * BigInt(random.word()) - 2n ** 63n);
    await measure(
      "combine",
      encodeFunctionData({ abi: abi as Abi, functionName: "combine", args: [descriptor, values] }),
    );
    await measure("finish", encodeFunctionData({ abi, functionName: "finish", args: [descriptor, values[0]!, -34n] }));

    const medians = await float32Medians();
    const record = { referee: measured, float32Median: medians };
    if (process.env.TOUCHSTONE_UPDATE_SNAPSHOTS === "1")
      writeFileSync(SNAPSHOT, `${JSON.stringify(record, null, 2)}\n`);
    assert.deepEqual(record, JSON.parse(readFileSync(SNAPSHOT, "utf8")));
  });

  it("keeps an adjudication within the protocol's goal", () => {
    const transactions = Object.values(measured).map(({ transaction }) => transaction);
    transactions.sort((a, b) => a - b);
    assert.ok(transactions[Math.floor(transactions.length / 2)]! <= 300_000);
    assert.ok(transactions.at(-1)! <= 500_000);
    // The rules' own bound, whatever the descriptor: what contracts/Referee.t.sol allows arbitrary ones.
    for (const { execution } of Object.values(measured)) assert.ok(execution <= 600_000);
  });
});

/** Median gas of the arithmetic over numbers of ordinary size. */
async function float32Medians(): Promise<Record<string, number>> {
  const harness = await viem.deployContract("NumericsHarness");
  const medians: Record<string, number> = {};
  for (const name of ["add", "sub", "mul", "div", "sqrt"] as const) {
    const numbers = new Random(2);
    const words = Array.from({ length: 1000 }, () => [
      ordinaryFloat(numbers) & 0x7fffffff,
      ordinaryFloat(numbers),
      0,
    ]).flat();
    const packed: Hex = `0x${words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")}`;
    const used = await harness.read.float32Gas([BigInt(MapOpcode[name]), packed]);
    medians[name] = Number([...used].sort((a, b) => Number(a - b))[500]);
  }
  return medians;
}
