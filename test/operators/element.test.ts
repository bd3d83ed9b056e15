import assert from "node:assert/strict";
import { test } from "node:test";
import { canonical } from "../../shared/numerics/float32.ts";
import { combine, element, finish, partialValue, type ReducingOperator } from "../../shared/operators/element.ts";
import type { StepPosition } from "../../shared/operators/read.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { reduces } from "../../shared/program/encoding.ts";
import { FAMILIES, garbageOperator } from "../helpers/descriptors.ts";
import { anyFloat } from "../helpers/float32.ts";
import { Random } from "../helpers/random.ts";

/** A word that depends on where it is read, so that reading elsewhere shows. */
function noisyRead(seed: number): (operand: number, address: number) => number {
  return (operand, address) =>
    anyFloat(new Random(seed ^ Math.imul(operand + 1, 0x9e3779b1) ^ Math.imul(address, 0x85ebca6b)));
}

function anyPosition(random: Random): StepPosition {
  const wild = (): number => random.pick([0, 1, 5, random.below(1000), random.word(), 0xffffffff]);
  return {
    seed: (BigInt(random.word()) << 32n) | BigInt(random.word()),
    step: wild(),
    steps: wild(),
    sampleCount: wild(),
    sampleWords: wild(),
    scheduleWidth: wild(),
  };
}

test("every rule is total: garbage descriptors and words give a word, canonical where it is a float32", () => {
  const random = new Random(51);
  for (let i = 0; i < 4000; i++) {
    const operator = garbageOperator(random, FAMILIES[i % FAMILIES.length]);
    const index = random.below(wordCount(operator.shape));
    const word = element(operator, index, noisyRead(i), anyPosition(random));
    assert.ok(Number.isInteger(word) && word >= 0 && word <= 0xffffffff, `${word}`);
    if (operator.dtype === 0) assert.equal(word, canonical(word));
  }
});

test("rules read only addresses that lie inside the operand", () => {
  const random = new Random(52);
  for (let i = 0; i < 3000; i++) {
    const operator = garbageOperator(random, FAMILIES[i % FAMILIES.length]);
    const position = anyPosition(random);
    const read = noisyRead(i);
    element(
      operator,
      random.below(wordCount(operator.shape)),
      (operand, address) => {
        assert.ok(Number.isInteger(address) && address >= 0);
        if (operator.family === "batch") assert.ok(operand < position.sampleCount && address < position.sampleWords);
        else if (operator.family === "schedule")
          assert.ok(BigInt(address) < BigInt(position.steps) * BigInt(position.scheduleWidth));
        else assert.ok(address < operator.operands[operand]!.count);
        return read(operand, address);
      },
      position,
    );
  }
});

test("parts of an element combine to the whole, however the axis is cut", () => {
  const random = new Random(53);
  const families = FAMILIES.filter(reduces);
  for (let i = 0; i < 600; i++) {
    const operator = garbageOperator(random, families[i % families.length]) as ReducingOperator;
    const index = random.below(wordCount(operator.shape));
    const read = noisyRead(i);
    const whole = partialValue(operator, index, 0, operator.length, read);
    const part = Math.ceil(operator.length / 16);
    const parts = Array.from({ length: 16 }, (_, p) => {
      const edge = (at: number): number => Math.min(at * part, operator.length);
      return partialValue(operator, index, edge(p), edge(p + 1), read);
    });
    for (const { exponent } of parts) assert.equal(exponent, whole.exponent);
    assert.equal(
      combine(
        operator,
        parts.map(({ value }) => value),
      ),
      whole.value,
    );
    const position = anyPosition(random);
    assert.equal(finish(operator, whole.value, whole.exponent), element(operator, index, read, position));
  }
});
