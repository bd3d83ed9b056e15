import assert from "node:assert/strict";
import { test } from "node:test";
import { MapBuilder } from "../../shared/graph/mapBuilder.ts";
import { MAX_MAP_IMMEDIATES, MAX_MAP_INSTRUCTIONS, MAX_MAP_OPERANDS } from "../../shared/program/encoding.ts";
import { operand } from "../helpers/operators.ts";

const read = (map: MapBuilder, index: number) => map.operand(operand("operator", index, 4, [1]));

test("equal operands, immediates and subexpressions are written once", () => {
  const map = new MapBuilder();
  const [x, again] = [read(map, 0), read(map, 0)];
  const square = map.mul(x, again);
  const parts = map.finish(map.add(map.add(square, map.immediate(1)), map.add(map.mul(x, x), map.immediate(1))))!;
  assert.equal(parts.operands.length, 1);
  assert.deepEqual(parts.immediates, [0x3f800000]);
  assert.deepEqual(parts.instructions, [
    [3, 0, 0, 0],
    [1, 2, 1, 0],
    [1, 3, 3, 0],
  ]);
});

test("what the result does not need is left out, and the result is the last register", () => {
  const map = new MapBuilder();
  const [x, y] = [read(map, 0), read(map, 1)];
  const wanted = map.sub(y, map.immediate(2));
  map.mul(x, map.immediate(3));
  assert.deepEqual(map.finish(wanted), {
    operands: [operand("operator", 1, 4, [1])],
    immediates: [0x40000000],
    instructions: [[2, 0, 1, 0]],
  });
});

test("an operand alone is a copy", () => {
  const map = new MapBuilder();
  const x = read(map, 5);
  map.add(x, x);
  assert.deepEqual(map.finish(x), { operands: [operand("operator", 5, 4, [1])], immediates: [], instructions: [] });
});

test("select and polynomial mean what they say", () => {
  const map = new MapBuilder();
  const x = read(map, 0);
  const parts = map.finish(map.select(map.less(x, map.immediate(0)), map.neg(x), map.polynomial(x, [1, 2, 3])))!;
  const evaluate = (value: number) => {
    const registers = [value, ...new Float32Array(Uint32Array.from(parts.immediates).buffer)];
    for (const [opcode, a, b, c] of parts.instructions) {
      const [x, y, z] = [registers[a]!, registers[b]!, registers[c]!];
      registers.push({ 1: x + y, 3: x * y, 7: -x, 10: Number(x < y), 12: x !== 0 ? y : z }[opcode] as number);
    }
    return registers.at(-1);
  };
  assert.equal(evaluate(-3), 3);
  assert.equal(evaluate(2), 1 + 2 * 2 + 3 * 4);
});

test("a Map beyond the limits of a descriptor is refused", () => {
  const wide = new MapBuilder();
  const sum = (count: number) =>
    Array.from({ length: count }, (_, i) => read(wide, i)).reduce((a, b) => wide.add(a, b));
  assert.notEqual(wide.finish(sum(MAX_MAP_OPERANDS)), null);
  assert.equal(wide.finish(sum(MAX_MAP_OPERANDS + 1)), null);
  const long = new MapBuilder();
  let x = read(long, 0);
  for (let i = 0; i < MAX_MAP_INSTRUCTIONS; i++) x = long.mul(x, x);
  assert.notEqual(long.finish(x), null);
  assert.equal(long.finish(long.mul(x, x)), null);
  const constants = new MapBuilder();
  const immediates = Array.from({ length: MAX_MAP_IMMEDIATES + 1 }, (_, i) => constants.immediate(i));
  assert.equal(constants.finish(immediates.reduce((a, b) => constants.add(a, b))), null);
});
