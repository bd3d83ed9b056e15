import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgramDocumentError, programFromJson, programToJson } from "../../shared/job/document.ts";
import type { Program } from "../../shared/program/program.ts";
import { garbageOperator } from "../helpers/descriptors.ts";
import { Random } from "../helpers/random.ts";

function anyProgram(seed: number): Program {
  const random = new Random(seed);
  return {
    operators: Array.from({ length: 5 }, (_, i) => ({ name: `operator ${i} "é"`, operator: garbageOperator(random) })),
    state: [
      { name: "w", dtype: 0, shape: [2, 3], source: 4 },
      { name: "fixed", dtype: 1, shape: [], source: null },
    ],
    constants: [
      { dtype: 0, shape: [3], words: Uint32Array.of(1, 0xffffffff, random.word()) },
      { dtype: 1, shape: [0], words: new Uint32Array(0) },
    ],
    sample: { words: 3, fields: [{ name: "x", dtype: 0, offset: 0, width: 3, minimum: -1.5, maximum: 2 }] },
    scheduleColumns: ["rate"],
    loss: 3,
    logits: null,
  };
}

test("a program survives its document, and equal programs have equal documents", () => {
  for (let seed = 0; seed < 20; seed++) {
    const program = anyProgram(seed);
    const text = programToJson(program);
    const read = programFromJson(text, program.constants);
    assert.deepEqual(read, program);
    assert.equal(programToJson(read), text);
  }
});

/** The document with one place of it replaced (or removed, by undefined). */
function replaced(place: readonly (string | number)[], value: unknown): string {
  const document: unknown = JSON.parse(programToJson(anyProgram(1)));
  const parent = place.slice(0, -1).reduce((node, key) => (node as Record<string, unknown>)[key], document);
  (parent as Record<string, unknown>)[place.at(-1)!] = value;
  return JSON.stringify(document);
}

test("a document that is not exactly a program is refused with the place", () => {
  const descriptor = JSON.parse(programToJson(anyProgram(1))).operators[1].descriptor;
  const { constants } = anyProgram(1);
  const cases: readonly [path: string, place: (string | number)[], value: unknown][] = [
    ["$.version", ["version"], 2],
    ["$.format", ["format"], "onnx"],
    ["$", ["comment"], "x"],
    ["$.loss", ["loss"], undefined],
    ["$.loss", ["loss"], -1],
    ["$.logits", ["logits"], "0"],
    ["$.operators[1]", ["operators", 1, "descriptor"], `${descriptor}00`],
    ["$.operators[1].descriptor", ["operators", 1, "descriptor"], "0"],
    ["$.operators[0]", ["operators", 0, "extra"], 1],
    ["$.state[0].dtype", ["state", 0, "dtype"], 2],
    ["$.state[1].shape", ["state", 1, "shape"], [1, 1, 1, 1, 1, 1, 1]],
    ["$.constants[0]", ["constants", 0, "shape"], [4]],
    ["$.constants[1]", ["constants", 1, "dtype"], 0],
    ["$.constants", ["constants"], []],
    ["$.sample.fields[0].minimum", ["sample", "fields", 0, "minimum"], "0"],
  ];
  for (const [path, place, value] of cases) {
    assert.throws(
      () => programFromJson(replaced(place, value), constants),
      (error) => error instanceof ProgramDocumentError && error.path === path,
      path,
    );
  }
  assert.throws(() => programFromJson("{", constants), ProgramDocumentError);
  assert.throws(() => programFromJson("null", constants), ProgramDocumentError);
});
