/** Columns of a Parquet file: numbers, booleans, lists of numbers of one length, and texts where classes are wanted. */
import { type FileMetaData, parquetMetadata, parquetReadObjects } from "hyparquet";
import { DataFileError } from "./errors.ts";
import { requirePages, requireSchema } from "./parquetStructure.ts";
import { type Compressors, type DataFile, MAXIMUM_WORDS, type SourceArray, type Wanted } from "./sourceArray.ts";

const WRITE_AGAIN = "Write the file again, for example with pyarrow.parquet.write_table.";

/** One array for each wanted one. @throws DataFileError that names the row and the column. */
export async function readParquet(
  file: DataFile,
  wanted: readonly Wanted[],
  compressors: Compressors,
): Promise<SourceArray[]> {
  const fail = (place: string, problem: string, remedy = WRITE_AGAIN, cause?: unknown) =>
    new DataFileError(file.name, place, problem, remedy, cause);
  const { buffer } = new Uint8Array(file.bytes);
  const magic = (at: number) => new TextDecoder().decode(file.bytes.subarray(at, at + 4));
  if (buffer.byteLength < 12 || magic(0) !== "PAR1" || magic(buffer.byteLength - 4) !== "PAR1") {
    throw fail("start and end", "it is no Parquet file, or cut off");
  }
  const columns = [...new Set(wanted.flatMap((array) => array.columns))];
  let rows: Record<string, unknown>[];
  const metadata = metadataOf(buffer, fail);
  const count = requireColumns(metadata, columns, fail);
  try {
    requirePages(new Uint8Array(buffer), metadata, columns);
    rows = await parquetReadObjects({ file: buffer, metadata, columns, compressors: compressors as object });
  } catch (cause) {
    throw fail("pages", `they cannot be read (${(cause as Error).message})`, WRITE_AGAIN, cause);
  }
  if (rows.length !== count) throw fail("pages", `they hold ${rows.length} rows, the footer says ${count}`);
  return wanted.map((array) => arrayOf(rows, array, fail));
}

type Fail = (place: string, problem: string, remedy?: string, cause?: unknown) => DataFileError;

function metadataOf(buffer: ArrayBuffer, fail: Fail): FileMetaData {
  try {
    requireSchema(new Uint8Array(buffer));
    return parquetMetadata(buffer);
  } catch (cause) {
    throw fail("footer", `it cannot be read (${(cause as Error).message})`, WRITE_AGAIN, cause);
  }
}

/** Rows that the footer claims, which every wanted column must have. */
function requireColumns(
  { num_rows, schema, row_groups }: FileMetaData,
  columns: readonly string[],
  fail: Fail,
): number {
  const names = new Set(
    row_groups.flatMap((group) => group.columns.map(({ meta_data }) => meta_data?.path_in_schema[0])),
  );
  for (const column of columns) {
    if (!names.has(column)) {
      const known =
        [...names].join(", ") ||
        schema
          .slice(1)
          .map(({ name }) => name)
          .join(", ");
      throw fail("footer", `no column is named ${JSON.stringify(column)}`, `There are ${known}.`);
    }
  }
  const count = Number(num_rows);
  const values = row_groups.flatMap((group) =>
    group.columns.map(({ meta_data }) => Number(meta_data?.num_values ?? 0)),
  );
  if (count < 1) throw fail("footer", "the file has no row", "Give a file with rows.");
  if (count > MAXIMUM_WORDS || values.some((claimed) => !(claimed >= 0 && claimed <= MAXIMUM_WORDS))) {
    throw fail("footer", `it claims ${num_rows} rows`, `At most ${MAXIMUM_WORDS} values are read.`);
  }
  return count;
}

function arrayOf(rows: readonly Record<string, unknown>[], { columns, isText }: Wanted, fail: Fail): SourceArray {
  const place = (row: number, column: number): string =>
    `row ${row}, column ${JSON.stringify(columns.length === 1 ? columns[0] : columns[column])}`;
  const flat = (row: Record<string, unknown>): unknown[] =>
    columns.flatMap((column) => {
      const value = row[column];
      return ArrayBuffer.isView(value) && !(value instanceof DataView) ? [...(value as Uint8Array)] : value;
    });
  const width = flat(rows[0]!).length;
  if (width === 0) throw fail(place(0, 0), "its list is empty");
  const texts: string[] = [];
  const values = isText ? new Float64Array() : new Float64Array(rows.length * width);
  for (const [index, row] of rows.entries()) {
    const cells = flat(row);
    if (cells.length !== width) {
      throw fail(
        place(index, 0),
        `it has ${cells.length} values, the first row ${width}`,
        "Lists must have one length.",
      );
    }
    for (const [column, cell] of cells.entries()) {
      if (isText) texts.push(textOf(cell, () => place(index, column), fail));
      else values[index * width + column] = numberOf(cell, () => place(index, column), fail);
    }
  }
  return { rows: rows.length, width, values: isText ? texts : values, place };
}

function numberOf(cell: unknown, place: () => string, fail: Fail): number {
  if (typeof cell === "number") return cell;
  if (typeof cell === "boolean") return cell ? 1 : 0;
  if (typeof cell === "bigint") {
    if (!Number.isSafeInteger(Number(cell)))
      throw fail(place(), `the integer ${cell} is beyond 2^53`, "Scale it down.");
    return Number(cell);
  }
  const what = cell === null || cell === undefined ? "there is no value" : `it is ${describe(cell)}, not a number`;
  throw fail(place(), what, "Fill or drop such rows, and turn other types into numbers or lists of numbers.");
}

function textOf(cell: unknown, place: () => string, fail: Fail): string {
  if (typeof cell === "string" || typeof cell === "boolean" || typeof cell === "bigint") return String(cell);
  if (typeof cell === "number" && Number.isInteger(cell)) return String(cell);
  throw fail(place(), `the name of a class is ${describe(cell)}`, "Classes are texts or integers.");
}

function describe(cell: unknown): string {
  if (typeof cell === "string") return "text";
  if (cell instanceof Date) return "a time";
  return typeof cell === "object" ? "a structure" : String(cell);
}
