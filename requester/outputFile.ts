/** Files that a command writes where its user says. */
import { stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { TouchstoneError } from "../shared/errors.ts";

export class OutputFileError extends TouchstoneError {
  readonly code = "OUTPUT_FILE";
  constructor(file: string, problem: string, cause?: unknown) {
    super(`${file} cannot be written: ${problem}.`, {
      cause,
      remedy: "Give a file in a folder that exists and is yours.",
    });
  }
}

/** To be asked before the work whose result goes there. @throws OutputFileError when the file's folder is none. */
export async function requireFolderOf(file: string): Promise<void> {
  const folder = path.dirname(path.resolve(file));
  const found = await stat(folder).catch((cause: Error) => {
    throw new OutputFileError(file, `its folder ${folder} is not there`, cause);
  });
  if (!found.isDirectory()) throw new OutputFileError(file, `${folder} is no folder`);
}

/** @throws OutputFileError */
export async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(file, bytes);
  } catch (cause) {
    throw new OutputFileError(file, (cause as Error).message, cause);
  }
}
