/** What can be wrong with data: one file of it, or what the task file's `data` section asks for. */
import { TouchstoneError } from "../errors.ts";

/** A data file that cannot be taken. */
export class DataFileError extends TouchstoneError {
  readonly code = "DATA_FILE";
  readonly file: string;
  /** Where in the file: `header`, `row 3`, `line 7, column "age"`. */
  readonly place: string;

  constructor(file: string, place: string, problem: string, remedy: string, cause?: unknown) {
    super(`${file}, ${place}: ${problem}.`, { remedy, cause });
    this.file = file;
    this.place = place;
  }
}

/** Files that are sound one by one, but not the dataset that the `data` section describes. */
export class DatasetError extends TouchstoneError {
  readonly code = "DATASET";
  /** The place in the task file. */
  readonly path: string;

  constructor(path: string, problem: string, remedy: string) {
    super(`The data at ${path}: ${problem}.`, { remedy });
    this.path = path;
  }
}
