import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Operator } from "../../shared/program/descriptor.ts";
import {
  DescriptorError,
  type DescriptorErrorReason,
  decodeOperator,
  decodeState,
  encodeOperator,
  encodeState,
  stateDescriptor,
} from "../../shared/program/encoding.ts";
import { FAMILIES, garbageOperator } from "../helpers/descriptors.ts";
import { Random } from "../helpers/random.ts";

function fails(reason: DescriptorErrorReason, run: () => unknown): void {
  assert.throws(run, (error) => error instanceof DescriptorError && error.reason === reason);
}

const dot: Operator = {
  family: "dot",
  dtype: 0,
  shape: [2, 3],
  length: 4,
  bits: 20,
  operands: [
    { reference: { kind: "operator", index: 5 }, dtype: 0, count: 8, offset: 0, strides: [4, 0, 1] },
    { reference: { kind: "state", index: 1 }, dtype: 0, count: 12, offset: 0, strides: [0, 4, 1] },
    { reference: { kind: "operator", index: 6 }, dtype: 0, count: 1, offset: 0, strides: [0, 0, 0] },
    { reference: { kind: "constant", index: 2 }, dtype: 0, count: 1, offset: 0, strides: [0, -1, 0] },
  ],
};

test("the bytes of a Dot are those of docs/protocol.md, written out by hand", () => {
  const hex = [
    "01 02 00", // version, family, dtype
    "02 00000002 00000003", // rank and dimensions
    "00000004 14 00000000 00000000", // K, P, B, C
    "04",
    "01 00 00000005 00000008 00000000 00000004 00000000 00000001",
    "02 00 00000001 0000000c 00000000 00000000 00000004 00000001",
    "01 00 00000006 00000001 00000000 00000000 00000000 00000000",
    "03 00 00000002 00000001 00000000 00000000 ffffffff 00000000",
  ];
  assert.equal(bytesToHex(encodeOperator(dot)), hex.join("").replaceAll(" ", ""));
});

test("the bytes of a Map end in its immediates and instructions", () => {
  const map: Operator = {
    family: "map",
    dtype: 0,
    shape: [],
    operands: [{ reference: { kind: "state", index: 0 }, dtype: 1, count: 1, offset: 0, strides: [] }],
    immediates: [0x3f800000],
    instructions: [[3, 0, 1, 0]],
  };
  const hex =
    "01 01 00 00 00000000 00 00000000 00000000 01 02 01 00000000 00000001 00000000 01 3f800000 01 03000100".replaceAll(
      " ",
      "",
    );
  assert.equal(bytesToHex(encodeOperator(map)), hex);
});

test("every descriptor decodes to itself, and every strict prefix and extension is refused", () => {
  const random = new Random(1);
  for (let i = 0; i < 400; i++) {
    const operator = garbageOperator(random, FAMILIES[i % FAMILIES.length]);
    const bytes = encodeOperator(operator);
    assert.deepEqual(decodeOperator(bytes), operator);
    fails("short", () => decodeOperator(bytes.subarray(0, random.below(bytes.length))));
    fails("long", () => decodeOperator(Uint8Array.from([...bytes, 0])));
  }
});

test("bytes that decode are the bytes that encode", () => {
  const random = new Random(2);
  let decoded = 0;
  for (let i = 0; i < 4000; i++) {
    const bytes = encodeOperator(garbageOperator(random));
    bytes[random.below(bytes.length)]! = random.below(256);
    let operator: Operator;
    try {
      operator = decodeOperator(bytes);
    } catch (error) {
      assert.ok(error instanceof DescriptorError);
      continue;
    }
    decoded += 1;
    assert.deepEqual(encodeOperator(operator), bytes);
  }
  assert.ok(decoded > 1000, `${decoded} mutated descriptors decoded`);
});

test("unknown codes are refused", () => {
  const mutate = (at: number, value: number) => {
    const bytes = encodeOperator(dot);
    bytes[at] = value;
    return () => decodeOperator(bytes);
  };
  fails("unknown", mutate(0, 2)); // version
  fails("unknown", mutate(1, 0)); // family
  fails("unknown", mutate(1, 9));
  fails("unknown", mutate(2, 2)); // dtype
  fails("unknown", mutate(3, 7)); // rank
  fails("unknown", mutate(26, 4)); // reference kind
  const peak = encodeOperator({ ...dot, family: "peak", mode: 1, operands: [dot.operands[0]] } as Operator);
  peak[16] = 2;
  fails("unknown", () => decodeOperator(peak));
});

test("descriptors of a family that cannot be are refused both ways", () => {
  const mutate = (at: number, value: number) => {
    const bytes = encodeOperator(dot);
    bytes[at] = value;
    return () => decodeOperator(bytes);
  };
  fails("range", mutate(7, 0)); // a dimension of 0
  fails("range", mutate(4, 0x80)); // 2^31 · 3 words
  fails("range", mutate(2, 1)); // a Dot of integers
  fails("range", mutate(15, 0)); // K = 0
  fails("range", mutate(16, 0)); // P = 0
  fails("range", mutate(16, 23));
  fails("range", mutate(19, 1)); // attribute B of Dot
  fails("long", mutate(25, 3)); // operand count of Dot: the fourth is left over
  const three = encodeOperator(dot).subarray(0, -26);
  three[25] = 3;
  fails("range", () => decodeOperator(three));
  const byIndex = { ...dot, family: "sumByIndex", operands: dot.operands.slice(1) } as object;
  fails("range", () => encodeOperator({ ...byIndex, axis: 2 } as Operator));
  fails("range", () =>
    encodeOperator({ family: "batch", dtype: 1, shape: [4], order: "replacement", offset: 0, operands: [] }),
  );
  fails("range", () => encodeOperator({ family: "schedule", dtype: 1, shape: [1], column: 0, operands: [] }));
});

test("values that do not fit their field are refused", () => {
  const operand = dot.operands[0];
  const other = (change: object): Operator => ({ ...dot, ...change }) as Operator;
  const first = (change: object): Operator =>
    other({ operands: [{ ...operand, ...change }, ...dot.operands.slice(1)] });
  fails("range", () => encodeOperator(other({ shape: [2, -1] })));
  fails("range", () => encodeOperator(other({ shape: [2, 2 ** 32] })));
  fails("range", () => encodeOperator(other({ shape: [1, 1, 1, 1, 1, 1, 1] })));
  fails("range", () => encodeOperator(other({ bits: 256 })));
  fails("range", () => encodeOperator(other({ length: 1.5 })));
  fails("range", () => encodeOperator(other({ operands: dot.operands.slice(1) })));
  fails("range", () => encodeOperator(first({ strides: [1, 2] })));
  fails("range", () => encodeOperator(first({ strides: [1, 2, 2 ** 31] })));
  fails("range", () => encodeOperator(first({ offset: -1 })));
  fails("range", () => encodeOperator(first({ count: Number.NaN })));
});

test("state descriptors", () => {
  const state = { dtype: 0, count: 12, source: 7 } as const;
  assert.equal(bytesToHex(encodeState(state)), "01000000000c0100000007");
  assert.deepEqual(decodeState(encodeState(state)), state);
  const fixed = stateDescriptor({ name: "w", dtype: 1, shape: [2, 3], source: null });
  assert.equal(bytesToHex(encodeState(fixed)), "0101000000060000000000");
  assert.deepEqual(decodeState(encodeState(fixed)), fixed);
  fails("short", () => decodeState(encodeState(state).subarray(0, 10)));
  fails("long", () => decodeState(Uint8Array.from([...encodeState(state), 0])));
  const named = encodeState(fixed);
  named[10] = 1;
  fails("range", () => decodeState(named));
  named[6] = 2;
  fails("unknown", () => decodeState(named));
  fails("range", () => encodeState({ ...state, source: -1 }));
  fails("range", () => encodeState({ ...state, count: 0 }));
});
