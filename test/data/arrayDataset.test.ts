import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { buildDataset } from "../../shared/data/buildDataset.ts";
import type { Dataset } from "../../shared/data/dataset.ts";
import { DataFileError, DatasetError } from "../../shared/data/errors.ts";
import { DataFilesError, dataFilesIn } from "../../shared/data/files.ts";
import { checkSamples } from "../../shared/data/samples.ts";
import { datasetWarnings } from "../../shared/data/warnings.ts";
import { fromNumber } from "../../shared/numerics/float32.ts";
import { flush, isFlushed } from "../../shared/numerics/flush.ts";
import { dataSection } from "../../shared/task/taskData.ts";
import { memoryFiles } from "../helpers/memoryFiles.ts";
import { Random } from "../helpers/random.ts";

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/data");
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(path.join(FOLDER, name)));

const fromDisk = (section: object): Promise<Dataset> => buildDataset(dataSection.parse(section), dataFilesIn(FOLDER));
const csv = (contents: Readonly<Record<string, string>>, section: object): Promise<Dataset> =>
  buildDataset(dataSection.parse({ kind: "csv", files: "*.csv", ...section }), memoryFiles(contents));

/** Values of one field, one list a sample. */
function valuesOf({ layout }: Dataset, samples: Uint32Array, name: string): number[][] {
  const { offset, width, dtype } = layout.fields.find((field) => field.name === name)!;
  const { buffer, byteOffset, length } = samples;
  const all = dtype === 0 ? new Float32Array(buffer, byteOffset, length) : new Int32Array(buffer, byteOffset, length);
  return Array.from({ length: length / layout.words }, (_, sample) => {
    return [...all.subarray(sample * layout.words + offset, sample * layout.words + offset + width)];
  });
}

async function assertWrong(build: Promise<unknown>, where: string, problem: RegExp): Promise<void> {
  await assert.rejects(build, (error: DatasetError) => {
    assert.ok(error instanceof DatasetError, String(error));
    assert.equal(error.path, where, error.message);
    assert.match(error.message, problem);
    return true;
  });
}

describe("datasets of arrays", () => {
  const images = {
    kind: "idx",
    fields: {
      input: { files: "images-idx3-ubyte", dtype: "float32", scale: 1 / 255 },
      target: { files: "labels-idx1-*", dtype: "int32" },
    },
  };

  it("scale pixels and keep labels, with the bounds of both", async () => {
    const data = await fromDisk({ ...images, holdOutEvery: 2 });
    const pixels = [...fixture("images-idx3-ubyte").subarray(16)].map((pixel) => Math.fround(pixel * (1 / 255)));
    assert.deepEqual(data.layout, {
      words: 7,
      fields: [
        { name: "input", dtype: 0, offset: 0, width: 6, minimum: Math.min(...pixels), maximum: Math.max(...pixels) },
        { name: "target", dtype: 1, offset: 6, width: 1, minimum: 0, maximum: 4 },
      ],
    });
    assert.deepEqual(valuesOf(data, data.training, "target").flat(), [3, 4, 1]);
    assert.deepEqual(valuesOf(data, data.heldOut, "target").flat(), [0, 1]);
    assert.deepEqual(valuesOf(data, data.training, "input")[1], pixels.slice(12, 18));
    assert.deepEqual(valuesOf(data, data.heldOut, "input")[0], pixels.slice(6, 12));
  });

  it("take separate files for what is held out, and only the first rows of either", async () => {
    const fields = Object.fromEntries(
      Object.entries(images.fields).map(([name, field]) => [name, { ...field, holdOutFiles: field.files }]),
    );
    const data = await fromDisk({ kind: "idx", fields, first: 3 });
    assert.deepEqual(data.training, data.heldOut);
    assert.deepEqual(valuesOf(data, data.training, "target").flat(), [3, 0, 4]);
    const one = { ...fields, target: images.fields.target };
    await assertWrong(fromDisk({ kind: "idx", fields: one }), "$.data.fields", /only some/);
    await assertWrong(fromDisk({ kind: "idx", fields, holdOutEvery: 2 }), "$.data.holdOutEvery", /holdOutFiles/);
  });

  it("read npy, npz, safetensors and Parquet by the names of their arrays", async () => {
    const x = { dtype: "float32" };
    const npz = await fromDisk({ kind: "npz", files: "{stored,deflated}.npz", fields: { x, y: { dtype: "int32" } } });
    assert.deepEqual(valuesOf(npz, npz.training, "y").flat(), [2, 0, 1, 2, 0, 1]);
    assert.deepEqual(npz.training.subarray(0, 15), npz.training.subarray(15));
    const npy = await fromDisk({ kind: "npy", fields: { x: { ...x, files: "float32.npy" } } });
    assert.deepEqual(valuesOf(npy, npy.training, "x"), valuesOf(npz, npz.training, "x").slice(0, 3));
    const named = { input: { ...x, array: "bf16" }, target: { dtype: "int32", array: "i64", shift: 7 } };
    const tensors = await fromDisk({ kind: "safetensors", files: "many.safetensors", fields: named });
    assert.deepEqual(valuesOf(tensors, tensors.training, "target").flat(), [0, 15, 16]);
    const rows = await fromDisk({
      kind: "parquet",
      files: "rows.parquet",
      fields: {
        input: { dtype: "float32", columns: ["size", "pixels"], scale: [0.5, 4, 4, 4], shift: [0, 1, 1, 1] },
        target: { dtype: "int32", columns: "kind", classes: "found" },
      },
    });
    assert.deepEqual(valuesOf(rows, rows.training, "input")[1], [-0.625, 4, 5, 6]);
    assert.deepEqual(valuesOf(rows, rows.training, "target").flat(), [1, 0, 0, 1]);
    assert.deepEqual(rows.classes, { target: ["cat", "dög"] });
  });

  it("take files in the bytewise order of their paths", async () => {
    // In UTF-16 the emoji would come before the full-width letter.
    const contents = { "b.csv": "x\n2", "a.csv": "x\n1", "B.csv": "x\n0", "😀.csv": "x\n4", "Ａ.csv": "x\n3" };
    const data = await csv(contents, { fields: { x: { dtype: "int32" } } });
    assert.deepEqual(valuesOf(data, data.training, "x").flat(), [0, 1, 2, 3, 4]);
  });

  it("number classes by the list, or by the bytewise order of what is found in training rows", async () => {
    const contents = { "a.csv": "kind\nb\nü\na\nz", "b.text": "kind\na" };
    const target = { dtype: "int32", columns: "kind" };
    const found = await csv(contents, { fields: { target: { ...target, classes: "found" } }, holdOutFiles: "*.text" });
    assert.deepEqual(found.classes, { target: ["a", "b", "z", "ü"] });
    assert.deepEqual(valuesOf(found, found.training, "target").flat(), [1, 3, 0, 2]);
    assert.deepEqual(valuesOf(found, found.heldOut, "target").flat(), [0]);
    const listed = await csv(contents, { fields: { target: { ...target, classes: ["z", "ü", "a", "b", "none"] } } });
    assert.deepEqual(valuesOf(listed, listed.training, "target").flat(), [3, 1, 2, 0]);
    assert.deepEqual(listed.layout.fields[0]!.maximum, 4);
    assert.match(datasetWarnings(listed).join(), /no training sample has the target none/);
    const few = csv(contents, { fields: { target: { ...target, classes: ["a", "b"] } } });
    await assert.rejects(few, (error: DataFileError) => error.place === 'line 3, column "kind"');
    const unseen = { ...contents, "b.text": "kind\nnew" };
    const strange = csv(unseen, { fields: { target: { ...target, classes: "found" } }, holdOutFiles: "*.text" });
    await assert.rejects(strange, (error: DataFileError) => error.file === "b.text");
  });

  it("hold flushed words, as the arithmetic does it", async () => {
    const random = new Random(11);
    const values = [0, -0, 1e-40, -1e-40, 2 ** -54, 2 ** -104, 2 ** -105, 1.5 * 2 ** -80, -1.5 * 2 ** -80, 2 ** 20];
    for (let round = 0; round < 2000; round++) values.push((random.unit() - 0.5) * 2 ** random.between(-120, 20));
    const data = await csv({ "a.csv": `x\n${values.join("\n")}\n` }, { fields: { x: { dtype: "float32" } } });
    for (const [index, value] of values.entries()) {
      assert.equal(data.training[index], flush(fromNumber(Math.fround(value))), `${value}`);
      assert.ok(isFlushed(data.training[index]!));
    }
    checkSamples(data.layout, data.training);
  });

  it("round once, after scale and shift in float64", async () => {
    const fields = { x: { dtype: "float32", scale: 0.01, shift: 1e-9 } };
    const data = await csv({ "a.csv": "x\n3\n16777217\n" }, { fields });
    assert.deepEqual(valuesOf(data, data.training, "x").flat(), [
      Math.fround(3 * 0.01 + 1e-9),
      Math.fround(16777217 * 0.01 + 1e-9),
    ]);
  });

  it("refuse values that a field cannot hold, naming the place", async () => {
    const one = (value: string, field: object) => csv({ "a.csv": `x\n1\n${value}\n` }, { fields: { x: field } });
    for (const [value, field, problem] of [
      ["1.5", { dtype: "int32" }, /no int32/],
      ["2147483648", { dtype: "int32" }, /no int32/],
      ["1048577", { dtype: "float32" }, /2\^20[\s\S]*scale/],
      ["1e999", { dtype: "float32" }, /Infinity/],
    ] as const) {
      await assert.rejects(one(value, field), (error: DataFileError) => {
        assert.deepEqual([error.file, error.place], ["a.csv", 'line 3, column "x"']);
        assert.match(error.message, problem);
        return true;
      });
    }
    const notANumber = fixture("float64.npy")
      .with(128 + 6, 0xf8)
      .with(128 + 7, 0x7f);
    const files = memoryFiles({ "a.npy": notANumber });
    const section = { kind: "npy", fields: { x: { files: "*.npy", dtype: "float32" } } };
    const broken = buildDataset(dataSection.parse(section), files);
    await assert.rejects(broken, (error: DataFileError) => error.place === "row 0, value 0");
  });

  it("refuse fields, files and classes that do not fit together", async () => {
    const x = { dtype: "float32" };
    const other = { ...images.fields, target: { files: "bool.npy", dtype: "int32" } };
    await assert.rejects(fromDisk({ kind: "idx", fields: other }), DataFileError);
    const rows = { a: { ...x, files: "float32.npy" }, b: { ...x, files: "uint8.npy" } };
    await assertWrong(fromDisk({ kind: "npy", fields: rows }), "$.data.fields.b.files", /4 rows, a has 3/);
    const widths = fromDisk({
      kind: "npy",
      fields: { a: { ...x, files: "{bool,float16}.npy" }, b: { ...x, files: "*t8.npy" } },
    });
    await assertWrong(widths, "$.data.fields.b.files", /rows/);
    const wide = fromDisk({ kind: "npy", fields: { a: { ...x, files: "{float32,uint8}.npy" } } });
    await assert.rejects(wide, (error: DataFileError) => error.file === "uint8.npy" && error.place === "shape");
    const tensors = fromDisk({ kind: "safetensors", files: "many*", fields: { f32: x, none: x } });
    await assert.rejects(tensors, (error: DataFileError) => /"none"[\s\S]*f32, bf16/.test(error.message));
    const a = { "a.csv": "x,y\n1,2\n" };
    await assertWrong(csv(a, { fields: { x: { ...x, scale: [1, 2] } } }), "$.data.fields.x.scale", /2 numbers/);
    await assertWrong(csv(a, { fields: { x: { ...x, classes: "found" } } }), "$.data.fields.x", /from 0/);
    const found = { dtype: "int32", classes: "found" };
    await assertWrong(csv(a, { fields: { x: found } }), "$.data.fields.x", /only class is 1/);
    await assertWrong(csv(a, { fields: { x: { ...found, classes: ["1", "1"] } } }), "$.data.fields.x.classes", /twice/);
    const labels = { files: "labels*", dtype: "int32" };
    const named = fromDisk({ kind: "idx", fields: { y: { ...labels, classes: ["zero", "one", "two", "three"] } } });
    await assertWrong(named, "$.data.fields.y.classes", /class 4/);
    const sought = fromDisk({ kind: "idx", fields: { y: { ...labels, classes: "found" } } });
    await assertWrong(sought, "$.data.fields.y.classes", /no texts/);
    await assert.rejects(fromDisk({ kind: "csv", files: "*.absent", fields: { x } }), (error: DataFilesError) => {
      return error instanceof DataFilesError && error.path === "$.data.files";
    });
  });

  it("warn of what is probably not meant", async () => {
    const data = await csv({ "a.csv": "x\n1\n1\n" }, { fields: { x: { dtype: "int32" } } });
    assert.deepEqual(
      datasetWarnings(data).map((warning) => warning.split(",")[0]),
      ["x is 1 in every sample", "nothing is held out"],
    );
    const files = memoryFiles({ "1.txt": "abcd", "2.txt": "abcd" });
    const text = { kind: "text", files: "*.txt", context: 2, stride: 1, holdOutEvery: 2 };
    const warningsOf = async (more: object) =>
      datasetWarnings(await buildDataset(dataSection.parse({ ...text, ...more }), files));
    assert.deepEqual(await warningsOf({}), []);
    assert.match((await warningsOf({ minimumCount: 50 })).join(), /one token/);
    const mixed = memoryFiles({ "1.txt": "aaaabbbbcd", "2.txt": "abcd" });
    const rare = await buildDataset(dataSection.parse({ ...text, minimumCount: 2 }), mixed);
    assert.match(datasetWarnings(rare).join(), /20 % of the characters/);
  });
});
