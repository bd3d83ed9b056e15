import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { deflateRawSync, gzipSync } from "node:zlib";
import { readArrays } from "../../shared/data/arrayFormats.ts";
import { readCsv } from "../../shared/data/csv.ts";
import { DataFileError } from "../../shared/data/errors.ts";
import { dataFilesIn } from "../../shared/data/files.ts";
import { readIdx } from "../../shared/data/idx.ts";
import { readNpy } from "../../shared/data/npy.ts";
import { readNpz } from "../../shared/data/npz.ts";
import { readParquet } from "../../shared/data/parquet.ts";
import type { DataFile, SourceArray, Wanted } from "../../shared/data/sourceArray.ts";
import { type ArrayData, dataSection } from "../../shared/task/taskData.ts";

// Written by NumPy, and by hand from the formats' descriptions (test/fixtures/data/write.py).
const FOLDER = path.resolve(import.meta.dirname, "../fixtures/data");
const expected: Record<
  string,
  Record<string, { rows: number; width: number; values: (number | string)[] }>
> = JSON.parse(readFileSync(path.join(FOLDER, "expected.json"), "utf8"));
const { compressors } = dataFilesIn(FOLDER);

const DEEP = process.env.TOUCHSTONE_DEEP === "1";

const fixture = (name: string): DataFile => ({ name, bytes: new Uint8Array(readFileSync(path.join(FOLDER, name))) });
const withBytes = (bytes: Uint8Array): DataFile => ({ name: "file", bytes: new Uint8Array(bytes) });
const encode = (text: string): DataFile => withBytes(new TextEncoder().encode(text));

/** A section of the kind, which says nothing more than it must. */
function sectionOf(kind: ArrayData["kind"]): ArrayData {
  const separate = kind === "npy" || kind === "idx";
  const field = { dtype: "float32", ...(separate ? { files: "*" } : {}) };
  return dataSection.parse({ kind, ...(separate ? {} : { files: "*" }), fields: { x: field } }) as ArrayData;
}

const KINDS: readonly (readonly [RegExp, ArrayData["kind"]])[] = [
  [/\.npy$/, "npy"],
  [/\.npz$/, "npz"],
  [/-idx\d/, "idx"],
  [/\.safetensors$/, "safetensors"],
  [/\.csv$/, "csv"],
  [/\.parquet$/, "parquet"],
];
const kindOf = (file: string): ArrayData["kind"] => KINDS.find(([pattern]) => pattern.test(file))![1];

async function assertRefused(read: () => unknown, place: RegExp, problem: RegExp): Promise<void> {
  await assert.rejects(
    async () => read(),
    (error: DataFileError) => {
      assert.ok(error instanceof DataFileError, String(error));
      assert.match(error.place, place, error.message);
      assert.match(error.message, problem);
      assert.ok(error.remedy, error.message);
      return true;
    },
  );
}

describe("files of arrays", () => {
  for (const [file, arrays] of Object.entries(expected)) {
    it(`are read as others wrote them: ${file}`, async () => {
      const names = Object.keys(arrays);
      const wanted = names.map((name): Wanted => {
        return { columns: [name], isText: typeof arrays[name]!.values[0] === "string" };
      });
      const { bytes } = fixture(file);
      // Part of a greater buffer, at an odd place, as Node's own readers give it.
      const shifted = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(9)]).subarray(3, 3 + bytes.length);
      for (const content of [bytes, shifted]) {
        const found = await readArrays(sectionOf(kindOf(file)), { name: file, bytes: content }, wanted, compressors);
        assert.equal(found.length, names.length);
        for (const [index, name] of names.entries()) {
          const { rows, width, values } = found[index]!;
          const numbers = arrays[name]!.values.map((value) => (typeof value === "boolean" ? Number(value) : value));
          assert.deepEqual({ rows, width, values: [...values] }, { ...arrays[name], values: numbers }, name);
        }
      }
    });
  }

  it("are refused at every truncation, each with a typed error", async () => {
    for (const file of Object.keys(expected).filter((name) => !name.endsWith(".csv"))) {
      const whole = fixture(file);
      const wanted: Wanted[] = Object.keys(expected[file]!).map((name) => ({ columns: [name], isText: false }));
      for (let length = 0; length < whole.bytes.length; length++) {
        const cut = { name: file, bytes: whole.bytes.slice(0, length) };
        await assert.rejects(
          readArrays(sectionOf(kindOf(file)), cut, wanted, compressors),
          (error) => error instanceof DataFileError,
          `${file} cut to ${length} bytes`,
        );
      }
    }
  });

  it("give a typed error or numbers, whatever byte is changed", async () => {
    for (const file of Object.keys(expected)) {
      const whole = fixture(file);
      const wanted: Wanted[] = Object.keys(expected[file]!).map((name) => ({ columns: [name], isText: true }));
      for (let at = 0; at < whole.bytes.length; at++) {
        for (const mask of DEEP ? [1, 2, 4, 8, 16, 32, 64, 128, 255] : [[255, 128, 1][at % 3]!]) {
          const bytes = whole.bytes.slice();
          bytes[at]! ^= mask;
          try {
            await readArrays(sectionOf(kindOf(file)), { name: file, bytes }, wanted, compressors);
          } catch (error) {
            assert.ok(error instanceof DataFileError, `${file}, byte ${at} ^ ${mask}: ${(error as Error).stack}`);
          }
        }
      }
    }
  });
});

describe("npy files", () => {
  const refused = (name: string, place: RegExp, problem: RegExp) =>
    assertRefused(() => readNpy(fixture(name)), place, problem);

  it("are refused when their elements are no numbers", async () => {
    await refused("records.npy", /header/, /records/);
    await refused("strings.npy", /header/, /<U3/);
    await refused("objects.npy", /header/, /\|O/);
  });

  it("are refused in Fortran order, without rows, and with integers that float64 lacks", async () => {
    await refused("fortran.npy", /header/, /Fortran[\s\S]*ascontiguousarray/);
    await refused("scalar.npy", /header/, /no rows/);
    await refused("empty.npy", /header/, /no rows/);
    await refused("tooGreat.npy", /row 1, value 0/, /9007199254740994/);
  });

  it("are refused when the header claims more or less than there is, or says something else", async () => {
    const { bytes } = fixture("float32.npy");
    const text = Buffer.from(bytes).toString("latin1");
    const changed = (from: string, to: string) =>
      withBytes(Buffer.from(text.replace(from, to.padEnd(from.length)), "latin1"));
    await assertRefused(() => readNpy(changed("(3, 2, 2)", "(3, 2, 9)")), /elements/, /216 bytes, not 48/);
    await assertRefused(() => readNpy(changed("(3, 2, 2)", "(3, 2, 1)")), /elements/, /24 bytes/);
    await assertRefused(() => readNpy(changed("(3, 2, 2)", "(99999999")), /header/, /descr, fortran_order/);
    await assertRefused(() => readNpy(changed("'descr'", "'other'")), /header/, /descr, fortran_order/);
    await assertRefused(() => readNpy(changed("False", "Maybe")), /header/, /descr, fortran_order/);
    await assertRefused(() => readNpy(changed("NUMPY\u0001", "NUMPY\u0009")), /start/, /version 9/);
    await assertRefused(() => readNpy(encode("a,b\n1,2\n")), /start/, /no npy/);
  });
});

describe("npz files", () => {
  it("name what they hold when an array is missing", async () => {
    await assertRefused(() => readNpz(fixture("stored.npz"), "z"), /directory/, /"z"[\s\S]*x, y/);
  });

  it("are refused when they hold more than they claim, claim too much, or are damaged", async () => {
    await assertRefused(() => readNpz(fixture("bomb.npz"), "x"), /x\.npy/, /more than it claims/);
    await assertRefused(() => readNpz(fixture("stored.npz"), "x", 64), /x\.npy/, /claims 176 bytes/);
    const { bytes } = fixture("stored.npz");
    const end = Buffer.from(bytes).indexOf("NUMPY") + 150;
    bytes[end]! ^= 1;
    await assertRefused(() => readNpz(withBytes(bytes), "x"), /x\.npy/, /checksum/);
    await assertRefused(() => readNpz(withBytes(new Uint8Array(30)), "x"), /end/, /no ZIP directory/);
  });
});

describe("IDX files", () => {
  it("are refused with another magic, type or size, and when they inflate beyond the limit", async () => {
    const { bytes } = fixture("images-idx3-ubyte");
    const changed = (at: number, value: number) => withBytes(bytes.with(at, value));
    await assertRefused(() => readIdx(changed(0, 1)), /start/, /no IDX/);
    await assertRefused(() => readIdx(changed(2, 0x0a)), /start/, /no IDX/);
    await assertRefused(() => readIdx(changed(4, 0xff)), /elements/, /takes/);
    await assertRefused(() => readIdx(changed(7, 0)), /sizes/, /no rows/);
    await assertRefused(() => readIdx(changed(3, 200)), /sizes/, /ends inside/);
    const bomb = gzipSync(new Uint8Array(1 << 20));
    await assertRefused(() => readIdx(withBytes(bomb), 1 << 16), /gzip/, /more than 65536/);
    await assertRefused(() => readIdx(withBytes(gzipSync(bytes).fill(0xff, 12, 20))), /gzip/, /damaged/);
    await assertRefused(() => readIdx(withBytes(deflateRawSync(bytes))), /start/, /no IDX/);
  });
});

describe("CSV files", () => {
  const options = { delimiter: ",", hasHeader: true };
  const number = (...columns: string[]): Wanted[] => [{ columns, isText: false }];
  const read = (text: string, wanted = number("a"), more: Partial<typeof options> = {}): SourceArray[] =>
    readCsv(encode(text), wanted, { ...options, ...more });
  const values = (array: SourceArray | undefined) => [...array!.values];

  it("may lack a header, use another delimiter, begin with a mark, and end with empty lines", () => {
    assert.deepEqual(
      values(read("1;2\n3;4\n", number("2", "1"), { delimiter: ";", hasHeader: false })[0]),
      [2, 1, 4, 3],
    );
    assert.deepEqual(values(read("\u{FEFF}a,b\r\n1,2\r\n\r\n\r\n")[0]), [1]);
    assert.deepEqual(values(read('"a"\n"1"\n2')[0]), [1, 2]);
    assert.deepEqual(values(read("b,a\n1,", [{ columns: ["a"], isText: true }])[0]), [""]);
  });

  it("are refused with ragged rows, naming the line", async () => {
    await assertRefused(() => read("a,b\n1,2\n3\n"), /line 3/, /1 fields/);
    await assertRefused(() => read('a,b\n"1\n1",2\n3,4,5\n', number("b")), /line 4/, /3 fields/);
    await assertRefused(() => read("a,b\n1,2\n\n3,4\n"), /line 3/, /1 fields/);
  });

  it("are refused where a value is no finite number, naming line and column", async () => {
    for (const text of ["", "nan", "inf", "-Infinity", "0x10", "1e", "1,000", "1_0", "one", "--1", "."]) {
      await assertRefused(() => read(`a\n5\n"${text}"\n`), /line 3, column "a"/, /not a number/);
    }
  });

  it("are refused when they are empty, lack or repeat a column, or leave a quote open", async () => {
    await assertRefused(() => read(""), /line 1/, /empty/);
    await assertRefused(() => read("a\n"), /line 1/, /no row/);
    await assertRefused(() => read("b,c\n1,2"), /line 1/, /"a"[\s\S]*b, c/);
    await assertRefused(() => read("a,a\n1,2"), /line 1/, /two columns/);
    await assertRefused(() => read('a\n1\n"2'), /line 3/, /never closed/);
    await assertRefused(() => read('a\n"1"2\n'), /line 2/, /closing quote/);
    await assertRefused(() => readCsv(withBytes(Uint8Array.of(97, 10, 0xff)), number("a"), options), /text/, /UTF-8/);
  });
});

describe("Parquet files", () => {
  const read = (file: DataFile, column: string, isText = false) =>
    readParquet(file, [{ columns: [column], isText }], compressors);

  it("are refused when schema or pages claim what cannot be, before anybody makes room for it", async () => {
    const { bytes } = fixture("rows.parquet");
    const changed = (at: number, value: number) => withBytes(bytes.with(at, value));
    // The root's name, then the number of its children; integers are zigzag.
    const children = Buffer.from(bytes).indexOf("schema") + 7;
    assert.equal(bytes[children], 2 * 7);
    await assertRefused(() => read(changed(children, 2 * 8), "label"), /footer/, /no tree/);
    await assertRefused(() => read(changed(children, 2 * 63 - 1), "label"), /footer/, /no tree/);
    // The first page: type 0, 16 bytes, 16 bytes compressed, 4 values.
    assert.deepEqual([...bytes.subarray(4, 13)], [0x15, 0, 0x15, 32, 0x15, 32, 0x2c, 0x15, 8]);
    await assertRefused(() => read(changed(9, 126), "label"), /pages/, /a page leaves its column chunk/);
    await assertRefused(() => read(changed(9, 31), "label"), /pages/, /a page leaves its column chunk/);
    await assertRefused(() => read(changed(12, 10), "label"), /pages/, /more values than its column chunk/);
  });

  it("may have pages of no bytes", () => {
    assert.equal(compressors.GZIP!(gzipSync(new Uint8Array()), 0).length, 0);
    assert.throws(() => compressors.GZIP!(gzipSync(new Uint8Array(100)), 99));
  });

  it("are refused where a value is missing or no number, naming row and column", async () => {
    await assertRefused(() => read(fixture("holed.parquet"), "weight"), /row 1, column "weight"/, /no value/);
    await assertRefused(() => read(fixture("rows.parquet"), "kind"), /row 0, column "kind"/, /text/);
    await assertRefused(() => read(fixture("rows.parquet"), "size", true), /row 0, column "size"/, /0\.5/);
  });

  it("are refused when they lack the column, claim too much, or use a codec that is not here", async () => {
    await assertRefused(() => read(fixture("rows.parquet"), "price"), /footer/, /"price"[\s\S]*label, size/);
    await assertRefused(() => read(fixture("oversized.parquet"), "weight"), /footer/, /35184372088832 rows/);
    await assertRefused(() => read(fixture("lz4.parquet"), "weight"), /pages/, /LZ4/);
    await assertRefused(
      () => readParquet(fixture("rows.parquet"), [{ columns: ["size"], isText: false }], {}),
      /pages/,
      /GZIP/,
    );
    await assertRefused(() => read(encode("a,b\n1,2\n3,4\n"), "a"), /start and end/, /no Parquet/);
  });
});
