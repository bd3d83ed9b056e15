/** Reads an ONNX file, with the files beside it that hold its weights. */
import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { TouchstoneError } from "../shared/errors.ts";
import { fileProblem } from "../shared/fileProblem.ts";
import { OnnxFormatError } from "../shared/onnx/errors.ts";
import { embedExternalData } from "../shared/onnx/external.ts";

/** A model's file that is not there, or that may not be read. */
export class ModelFileError extends TouchstoneError {
  readonly code = "MODEL_FILE";
  constructor(file: string, cause: unknown) {
    super(`${file} cannot be read: ${fileProblem(cause)}.`, { cause, remedy: "Give an ONNX file." });
  }
}

/**
 * As `readModelFile`, where a person names the file.
 * @throws ModelFileError, OnnxFormatError.
 */
export async function openModelFile(file: string): Promise<Uint8Array> {
  try {
    return await readModelFile(file);
  } catch (error) {
    throw error instanceof TouchstoneError ? error : new ModelFileError(file, error);
  }
}

/**
 * The bytes of a model, all its data inside. Data may lie in the model's folder and below, and nowhere else.
 * @throws OnnxFormatError; and as `readFile`, for the model itself.
 */
export async function readModelFile(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file);
  return embedExternalData(bytes, async (location) => {
    const folder = await realpath(path.dirname(path.resolve(file)));
    try {
      // Links are followed first, so that none leads outside.
      const inside = await realpath(path.resolve(folder, location));
      if (path.isAbsolute(location) || path.relative(folder, inside).split(path.sep)[0] === "..") {
        throw new OnnxFormatError(`external data "${location}"`, "they are not in the model's folder");
      }
      return await readFile(inside);
    } catch (cause) {
      if (cause instanceof OnnxFormatError) throw cause;
      throw new OnnxFormatError(`external data "${location}"`, `the file cannot be read (${fileProblem(cause)})`, {
        cause,
      });
    }
  });
}
