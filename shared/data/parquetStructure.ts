/**
 * What a Parquet file claims about itself, checked before a reader believes it: a reader that is told of 2^31 values or children makes
 * room for them. Field numbers are those of parquet.thrift.
 */
import type { FileMetaData } from "hyparquet";
import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";

/** Values that a column chunk may have besides eight for each of its bytes: runs of equal values take next to nothing. */
const FREE_VALUES = 2 ** 24;
const MAXIMUM_PAGE_BYTES = 2 ** 30;

/** A claim that cannot be true. */
export class ParquetClaimError extends Error {}

function demand(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new ParquetClaimError(problem);
}

/** @throws ParquetClaimError, or whatever the decoder throws, unless the schema in the footer is one tree. */
export function requireSchema(file: Uint8Array): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = file.length - 8;
  const start = end - view.getUint32(end, true);
  demand(start >= 4, "the footer leaves the file");
  const footer = deserializeTCompactProtocol({
    view: new DataView(file.buffer, file.byteOffset + start, end - start),
    offset: 0,
  });
  const schema: unknown = footer.field_2;
  demand(Array.isArray(schema) && schema.length > 0, "there is no schema");
  // Elements stand parent first: those still to come are counted.
  let open = 1;
  for (const element of schema as { readonly field_5?: unknown }[]) {
    const children = element.field_5 ?? 0;
    demand(open > 0 && Number.isInteger(children) && (children as number) >= 0, "the schema is no tree");
    open += (children as number) - 1;
  }
  demand(open === 0, "the schema is no tree");
}

/** @throws ParquetClaimError, or whatever the decoder throws, unless the pages of the columns have the sizes and counts of their chunks. */
export function requirePages(file: Uint8Array, { row_groups }: FileMetaData, columns: readonly string[]): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (const { meta_data: chunk } of row_groups.flatMap((group) => group.columns)) {
    if (chunk === undefined || !columns.includes(chunk.path_in_schema[0]!)) continue;
    const offsets = [chunk.data_page_offset, chunk.dictionary_page_offset ?? 0n]
      .map(Number)
      .filter((offset) => offset > 0);
    const [values, bytes, size] = [chunk.num_values, chunk.total_compressed_size, chunk.total_uncompressed_size].map(
      Number,
    );
    const start = Math.min(...offsets);
    const end = start + bytes!;
    demand(start >= 4 && bytes! >= 0 && end <= file.length, "a column chunk leaves the file");
    demand(values! >= 0 && values! <= FREE_VALUES + 8 * Math.max(0, size!), `a column chunk claims ${values} values`);
    for (let offset = start; offset < end; ) {
      const reader = { view, offset };
      const header = deserializeTCompactProtocol(reader);
      const [uncompressed, compressed] = [header.field_2, header.field_3];
      demand(
        isSize(uncompressed, MAXIMUM_PAGE_BYTES) && isSize(compressed, end - reader.offset),
        "a page leaves its column chunk",
      );
      for (const page of [header.field_5, header.field_8]) {
        demand(page === undefined || isSize(page.field_1, values!), "a page claims more values than its column chunk");
      }
      const dictionary = header.field_7;
      demand(
        dictionary === undefined || isSize(dictionary.field_1, uncompressed),
        "a dictionary claims more values than bytes",
      );
      offset = reader.offset + compressed;
    }
  }
}

function isSize(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}
