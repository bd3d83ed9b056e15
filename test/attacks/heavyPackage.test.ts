/**
 * A requester who publishes a package that takes hours to check, or more memory than there is: verifiers that it draws would miss the clocks of
 * their disputes elsewhere, and lose their stakes to it.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSafetensors, SafetensorsError } from "../../shared/data/safetensors.ts";
import { getTaskPackage, TaskPackageError } from "../../shared/data/taskPackage.ts";
import { HostileJsonError, MOST_TEXT, MOST_VALUES } from "../../shared/hostileJson.ts";
import { programFromJson } from "../../shared/job/document.ts";
import { validate } from "../../shared/job/validate.ts";
import type { Operand, Operator } from "../../shared/program/descriptor.ts";
import type { Program } from "../../shared/program/program.ts";
import type { Store } from "../../shared/store/store.ts";
import { regressionProgram } from "../helpers/programs.ts";

const base = regressionProgram();
/** Words of the first state tensor. */
const COUNT = 6;
const WEIGHT = { kind: "state", index: 0 } as const;

const view = (reference: Operand["reference"], strides: readonly number[], count = COUNT): Operand => {
  return { reference, dtype: 0, count, offset: 0, strides };
};
const sumOf = (data: Operand["reference"], peak: Operand): Operator => {
  return { family: "sum", dtype: 0, shape: [1], length: COUNT, bits: 20, operands: [view(data, [0, 1]), peak] };
};
function withOperators(operators: readonly Operator[], changes: Partial<Program> = {}): Program {
  const named = operators.map((operator, at) => ({ name: `heavy${at}`, operator }));
  return { ...base, operators: [...base.operators, ...named], ...changes };
}

describe("a package that is heavy to check", () => {
  it("has constant peaks that are read once, however many operands they bound", () => {
    let passes = 0;
    class Counted extends Uint32Array {
      override [Symbol.iterator]() {
        passes++;
        return super[Symbol.iterator]();
      }
    }
    const words = new Counted(1000).fill(0x49800000);
    const constants = [...base.constants, { dtype: 0 as const, shape: [1000], words }];
    const peak = view({ kind: "constant", index: base.constants.length }, [0, 0], 1000);
    const sums = Array.from({ length: 100 }, () => sumOf(WEIGHT, peak));
    assert.deepEqual(validate(withOperators(sums, { constants })), []);
    assert.ok(passes <= 1, `${passes} passes`);
  });

  it("says of a bad constant peak what is wrong at every operand that it bounds", () => {
    const constants = [...base.constants, { dtype: 0 as const, shape: [1], words: Uint32Array.of(0x49000001) }];
    const peak = view({ kind: "constant", index: base.constants.length }, [0, 0], 1);
    const findings = validate(withOperators([sumOf(WEIGHT, peak), sumOf(WEIGHT, peak)], { constants }));
    assert.equal(findings.filter(({ message }) => message.includes("no power of two")).length, 2);
  });

  it("has a long chain of copies that every operator asks about", { timeout: 60_000 }, () => {
    const first = base.operators.length;
    const [copies, asked] = [100_000, 100_000];
    const operators: Operator[] = [
      { family: "peak", dtype: 0, shape: [1], length: COUNT, mode: 1, operands: [view(WEIGHT, [0, 1])] },
    ];
    let last: Operand["reference"] = WEIGHT;
    const links: Operand["reference"][] = [];
    for (let n = 0; n < copies; n++) {
      const operands = [view(last, [1])];
      operators.push({ family: "map", dtype: 0, shape: [COUNT], immediates: [], instructions: [], operands });
      last = { kind: "operator", index: first + operators.length - 1 };
      links.push(last);
    }
    const middle = links[copies / 2]!;
    operators.push({ family: "peak", dtype: 0, shape: [1], length: COUNT, mode: 1, operands: [view(middle, [0, 1])] });
    const measureOfMiddle = view({ kind: "operator", index: first + operators.length - 1 }, [0, 0], 1);
    const measureOfFirst = view({ kind: "operator", index: first }, [0, 0], 1);
    for (let n = 0; n < asked; n++) operators.push(sumOf(last, n % 2 === 0 ? measureOfFirst : measureOfMiddle));
    assert.deepEqual(validate(withOperators(operators)), []);
    const before = sumOf(links[copies / 2 - 1]!, measureOfMiddle);
    const [finding, ...more] = validate(withOperators([...operators.slice(0, copies + 2), before]));
    assert.match(finding!.message, /instead of what it bounds/);
    assert.deepEqual(more, []);
  });

  it("has samples of billions of words, and batches of all of them", { timeout: 60_000 }, () => {
    const width = 2 ** 32 - 1;
    const fields = [{ name: "all", dtype: 0 as const, offset: 0, width, minimum: 0, maximum: 1 }];
    const batch: Operator = {
      family: "batch",
      dtype: 0,
      shape: [1, width],
      offset: 0,
      order: "sequential",
      operands: [],
    };
    const findings = validate(withOperators(Array(1000).fill(batch), { sample: { words: width, fields } }));
    assert.ok(!findings.some(({ message }) => message.includes("in no field")));
  });

  it("has more fields than anyone goes through for every operator", () => {
    const fields = Array.from({ length: 1025 }, (_, at) => {
      return { name: `f${at}`, dtype: 0 as const, offset: at, width: 1, minimum: 0, maximum: 1 };
    });
    const findings = validate({ ...base, sample: { words: 1025, fields } });
    assert.deepEqual(
      findings.map(({ message }) => message),
      ["a sample has 1025 fields, more than 1024"],
    );
  });

  it("has a document with a wrong value for every few bytes of this program's heap", async () => {
    const zeros = `[${"0,".repeat(MOST_VALUES)}0]`;
    assert.throws(() => programFromJson(`{"operators":${zeros}}`, []), HostileJsonError);
    assert.throws(() => programFromJson(" ".repeat(MOST_TEXT + 1), []), HostileJsonError);
    const manifest = new TextEncoder().encode(`{"name":"x","tokenizer":{"kind":"characters","vocabulary":${zeros}}}`);
    const header = new Uint8Array(8 + 2 ** 24 + 8);
    new DataView(header.buffer).setBigUint64(0, BigInt(2 ** 24 + 8), true);
    assert.throws(() => readSafetensors(header), SafetensorsError);
    const store = { get: async () => manifest } as unknown as Store;
    await assert.rejects(getTaskPackage(store, "00".repeat(32) as never, {} as never), (error: unknown) => {
      assert.ok(error instanceof TaskPackageError && error.cause instanceof HostileJsonError);
      return true;
    });
  });
});
