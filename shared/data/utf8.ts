/** Text files. */
import { DataFileError } from "./errors.ts";
import type { DataFile } from "./sourceArray.ts";

/** Bytes of a text at most: JavaScript's strings are not much longer. */
const MAXIMUM_TEXT_BYTES = 2 ** 29 - 2 ** 10;

/** The text of a UTF-8 file, without a byte order mark. @throws DataFileError when it is none, or too long. */
export function decodeText({ name, bytes }: DataFile, maximumBytes = MAXIMUM_TEXT_BYTES): string {
  if (bytes.length > maximumBytes) {
    throw new DataFileError(
      name,
      "text",
      `it has ${bytes.length} bytes`,
      `Split it into files of at most ${maximumBytes}.`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataFileError(name, "text", "it is not UTF-8", "Convert the file to UTF-8.", cause);
  }
}
