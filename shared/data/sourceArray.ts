/** What every reader of a file format gives: arrays of rows, before they become the fields of a dataset. */

/** Numbers as float64 can hold them. 64-bit integers come as a Float64Array once they are known to fit. */
export type Values =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Rows of `width` values each, row-major. */
export interface SourceArray {
  readonly rows: number;
  readonly width: number;
  /** Text only where it was asked for. */
  readonly values: Values | readonly string[];
  /** Where a value stands in its file, for error messages. */
  readonly place: (row: number, column: number) => string;
}

/** The array of a file to read. */
export interface Wanted {
  /** Arrays or columns of the file, in the order of the words; empty where the file holds one array. */
  readonly columns: readonly string[];
  /** Whether the values are names of classes. */
  readonly isText: boolean;
}

export interface DataFile {
  /** As error messages name it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Decompression that the platform has besides what every browser has. */
export type Compressors = Partial<Record<string, (bytes: Uint8Array, outputLength: number) => Uint8Array>>;

/** Words of a dataset at most: what a store takes as one file. */
export const MAXIMUM_WORDS = 2 ** 28;
/** Bytes that a compressed file may grow to. */
export const MAXIMUM_INFLATED_BYTES = 2 ** 31;

/** Place of a value in an array that has no lines or names. */
export const placeInArray = (row: number, column: number): string => `row ${row}, value ${column}`;

/** Rows and width of an array of any rank, or null where it has no row or no value. */
export function rowsOf(shape: readonly number[]): { rows: number; width: number } | null {
  if (shape.length === 0) return null;
  const width = shape.slice(1).reduce((product, size) => product * size, 1);
  const rows = shape[0]!;
  return rows >= 1 && width >= 1 ? { rows, width } : null;
}
