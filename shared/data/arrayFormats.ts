/** The readers of files that hold arrays, behind one function. */
import type { ArrayData } from "../task/taskData.ts";
import { readCsv } from "./csv.ts";
import { decodeElements } from "./elements.ts";
import { DataFileError } from "./errors.ts";
import { readIdx } from "./idx.ts";
import { readNpy } from "./npy.ts";
import { readNpz } from "./npz.ts";
import { readParquet } from "./parquet.ts";
import { type RawTensor, readRawSafetensors, SafetensorsError } from "./safetensors.ts";
import { type Compressors, type DataFile, placeInArray, rowsOf, type SourceArray, type Wanted } from "./sourceArray.ts";

/**
 * The wanted arrays of a file, in their order.
 * @throws DataFileError when the file is not of its kind, is damaged, or lacks one.
 */
export async function readArrays(
  section: ArrayData,
  file: DataFile,
  wanted: readonly Wanted[],
  compressors: Compressors,
): Promise<SourceArray[]> {
  switch (section.kind) {
    case "npy":
      return [readNpy(file)];
    case "idx":
      return [await readIdx(file)];
    case "npz":
      return await Promise.all(wanted.map(({ columns }) => readNpz(file, columns[0]!)));
    case "safetensors": {
      const tensors = rawTensorsOf(file);
      return wanted.map(({ columns }) => arrayOf(file, tensors, columns[0]!));
    }
    case "csv":
      return readCsv(file, wanted, { delimiter: section.delimiter, hasHeader: section.header });
    case "parquet":
      return await readParquet(file, wanted, compressors);
  }
}

export function rawTensorsOf({ name, bytes }: DataFile): readonly RawTensor[] {
  try {
    return readRawSafetensors(bytes);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    const problem = error.message.replace(/\. [^.]*\.$/, "");
    throw new DataFileError(name, error.reason, problem, "Write the file again with safetensors' save_file.", error);
  }
}

function arrayOf(file: DataFile, tensors: readonly RawTensor[], name: string): SourceArray {
  const fail = (place: string, problem: string, remedy: string) => new DataFileError(file.name, place, problem, remedy);
  const tensor = tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) {
    const names = tensors.map((candidate) => candidate.name).join(", ");
    throw fail("header", `no tensor is named ${JSON.stringify(name)}`, `It holds ${names}.`);
  }
  const size = rowsOf(tensor.shape);
  if (size === null) throw fail(name, `a tensor of shape [${tensor.shape}] has no rows or no values`, "Save it again.");
  const { width } = size;
  const values = decodeElements(tensor.type, tensor.bytes, false, (at, problem) =>
    fail(`${name}, ${placeInArray(Math.floor(at / width), at % width)}`, problem, "Use smaller integers."),
  );
  return { ...size, values, place: (row, column) => `${name}, ${placeInArray(row, column)}` };
}
