/** Comma-separated values (RFC 4180): quotes, doubled quotes, either line end; every record with the same number of fields. */
import { DataFileError } from "./errors.ts";
import type { DataFile, SourceArray, Wanted } from "./sourceArray.ts";
import { decodeText } from "./utf8.ts";

export interface CsvOptions {
  readonly delimiter: string;
  /** Whether the first record names the columns; otherwise they are named 1, 2, 3 … */
  readonly hasHeader: boolean;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** One array for each wanted one. @throws DataFileError that names the line. */
export function readCsv(file: DataFile, wanted: readonly Wanted[], options: CsvOptions): SourceArray[] {
  const fail: Fail = (line, problem, remedy) => new DataFileError(file.name, `line ${line}`, problem, remedy);
  const records = recordsOf(decodeText(file), options.delimiter, fail);
  const first = records.next();
  if (first.done) throw fail(1, "the file is empty", "Give a file with rows.");
  const { fields, line: firstLine } = first.value;
  const names = options.hasHeader ? fields.map((name) => name.trim()) : fields.map((_, column) => String(column + 1));
  const columns = wanted.map((each) => new Columns(file.name, each, positionsOf(names, each, firstLine, fail)));
  const lines: number[] = [];
  const append = (record: CsvRecord): void => {
    if (record.fields.length !== names.length) {
      const problem = `it has ${record.fields.length} fields, the first line ${names.length}`;
      throw fail(record.line, problem, "Complete or remove the row.");
    }
    lines.push(record.line);
    for (const column of columns) column.append(record);
  };
  if (!options.hasHeader) append(first.value);
  for (const record of records) append(record);
  if (lines.length === 0) throw fail(firstLine, "no row follows the header", "Give a file with rows.");
  return columns.map((column) => column.finish(lines));
}

type Fail = (line: number, problem: string, remedy: string) => DataFileError;

function positionsOf(names: readonly string[], { columns }: Wanted, line: number, fail: Fail): number[] {
  return columns.map((column) => {
    const at = names.indexOf(column);
    if (at < 0) throw fail(line, `no column is named ${JSON.stringify(column)}`, `There are ${names.join(", ")}.`);
    if (names.includes(column, at + 1)) {
      throw fail(line, `two columns are named ${JSON.stringify(column)}`, "Rename one of them.");
    }
    return at;
  });
}

/** The values of one wanted array, as they come. */
class Columns {
  readonly #file: string;
  readonly #wanted: Wanted;
  readonly #positions: readonly number[];
  readonly #texts: string[] = [];
  #numbers = new Float64Array(1024);
  #count = 0;

  constructor(file: string, wanted: Wanted, positions: readonly number[]) {
    this.#file = file;
    this.#wanted = wanted;
    this.#positions = positions;
  }

  append({ line, fields }: CsvRecord): void {
    for (const [column, position] of this.#positions.entries()) {
      const text = fields[position]!.trim();
      if (this.#wanted.isText) this.#texts.push(text);
      else if (NUMBER.test(text)) this.#appendNumber(Number(text));
      else {
        const remedy = "Correct or remove the row; name the values as classes if they are names.";
        throw new DataFileError(
          this.#file,
          this.#place(line, column),
          `${JSON.stringify(text)} is not a number`,
          remedy,
        );
      }
    }
  }

  finish(lines: readonly number[]): SourceArray {
    return {
      rows: lines.length,
      width: this.#positions.length,
      values: this.#wanted.isText ? this.#texts : this.#numbers.subarray(0, this.#count),
      place: (row, column) => this.#place(lines[row]!, column),
    };
  }

  #appendNumber(value: number): void {
    if (this.#count === this.#numbers.length) {
      const longer = new Float64Array(2 * this.#count);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    this.#numbers[this.#count++] = value;
  }

  #place(line: number, column: number): string {
    return `line ${line}, column ${JSON.stringify(this.#wanted.columns[column])}`;
  }
}

interface CsvRecord {
  /** The line that it begins on, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** The records one by one; empty lines at the end belong to none. */
function* recordsOf(text: string, delimiter: string, fail: Fail): Generator<CsvRecord, void> {
  const end = text.length - /(\r?\n)*$/.exec(text.slice(-END_OF_TEXT))![0].length;
  let line = 1;
  let at = 0;
  while (at < end) {
    const started = line;
    const fields: string[] = [];
    for (;;) {
      let field = "";
      if (text[at] === '"') {
        const opened = line;
        for (at++; ; at++) {
          const close = text.indexOf('"', at);
          if (close < 0) throw fail(opened, "a quote is never closed", "Close it, or double a quote inside a field.");
          field += text.slice(at, close);
          at = close + 1;
          if (text[at] !== '"') break;
          field += '"';
        }
        line += field.split("\n").length - 1;
        if (at < text.length && text[at] !== delimiter && !/^\r?\n/.test(text.slice(at, at + 2))) {
          throw fail(line, "text follows a closing quote", "Quote the whole field, doubling quotes inside.");
        }
      } else {
        const start = at;
        while (at < text.length && text[at] !== delimiter && text[at] !== "\n") at++;
        const isLineEnd = text[at] !== delimiter && text[at - 1] === "\r";
        field = text.slice(start, isLineEnd && at > start ? at - 1 : at);
      }
      fields.push(field);
      if (text[at] !== delimiter) break;
      at++;
    }
    yield { line: started, fields };
    if (text[at] === "\r") at++;
    at++;
    line++;
  }
}

/** Characters at the end that are looked through for empty lines. */
const END_OF_TEXT = 4096;
