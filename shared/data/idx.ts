/** The IDX format of the MNIST family: 0, 0, element type, rank, sizes as big-endian uint32, elements; plain or gzipped. */
import { decodeElements, ELEMENT_BYTES, type ElementType } from "./elements.ts";
import { DataFileError } from "./errors.ts";
import { inflate, isGzip } from "./inflate.ts";
import { type DataFile, MAXIMUM_INFLATED_BYTES, placeInArray, rowsOf, type SourceArray } from "./sourceArray.ts";

const TYPES: ReadonlyMap<number | undefined, ElementType> = new Map([
  [0x08, "uint8"],
  [0x09, "int8"],
  [0x0b, "int16"],
  [0x0c, "int32"],
  [0x0d, "float32"],
  [0x0e, "float64"],
]);

/** @throws DataFileError for anything but one whole array. */
export async function readIdx(file: DataFile, maximumBytes = MAXIMUM_INFLATED_BYTES): Promise<SourceArray> {
  const fail = (place: string, problem: string, cause?: unknown) =>
    new DataFileError(file.name, place, problem, "Get the file again from its source.", cause);
  let { bytes } = file;
  if (isGzip(bytes)) {
    try {
      bytes = await inflate(bytes, "gzip", maximumBytes);
    } catch (cause) {
      throw fail("gzip", (cause as Error).message.replace(/\.$/, ""), cause);
    }
  }
  const type = TYPES.get(bytes[2]);
  const rank = bytes[3];
  if (bytes[0] !== 0 || bytes[1] !== 0 || type === undefined || rank === undefined) {
    throw fail("start", "it is no IDX file");
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw fail("sizes", "the file ends inside them");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = rowsOf(shape);
  if (size === null) throw fail("sizes", `an array of sizes [${shape}] has no rows or no values`);
  const expected = size.rows * size.width * ELEMENT_BYTES[type];
  if (bytes.length - start !== expected) {
    throw fail("elements", `a ${type} array of sizes [${shape}] takes ${expected} bytes, not ${bytes.length - start}`);
  }
  const values = decodeElements(type, bytes.subarray(start), true, (_, problem) => fail("elements", problem));
  return { ...size, values, place: placeInArray };
}
