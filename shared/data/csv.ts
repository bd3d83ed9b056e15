/** Comma-separated values (RFC 4180): quotes, doubled quotes, either line end; every record with the same number of fields. */
import { DataFileError } from "./errors.ts";
import type { DataFile, SourceArray, Wanted } from "./sourceArray.ts";

export interface CsvOptions {
  readonly delimiter: string;
  /** Whether the first record names the columns; otherwise they are named 1, 2, 3 … */
  readonly hasHeader: boolean;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** One array for each wanted one. @throws DataFileError that names the line. */
export function readCsv(file: DataFile, wanted: readonly Wanted[], options: CsvOptions): SourceArray[] {
  const fail: Fail = (line, problem, remedy) => new DataFileError(file.name, `line ${line}`, problem, remedy);
  const records = parse(textOf(file), options.delimiter, fail);
  const first = records[0];
  if (first === undefined) throw fail(1, "the file is empty", "Give a file with rows.");
  const names = options.hasHeader ? first.fields : first.fields.map((_, column) => String(column + 1));
  const rows = options.hasHeader ? records.slice(1) : records;
  if (rows.length === 0) throw fail(first.line, "no row follows the header", "Give a file with rows.");
  for (const { line, fields } of records) {
    if (fields.length !== names.length) {
      throw fail(line, `it has ${fields.length} fields, the first line ${names.length}`, "Complete or remove the row.");
    }
  }
  return wanted.map(({ columns, isText }) => {
    const positions = columns.map((column) => position(names, column, first.line, fail));
    const place = (row: number, column: number) => `line ${rows[row]!.line}, column ${JSON.stringify(columns[column])}`;
    const texts = rows.flatMap(({ fields }) => positions.map((column) => fields[column]!.trim()));
    const size = { rows: rows.length, width: columns.length, place };
    if (isText) return { ...size, values: texts };
    const values = Float64Array.from(texts, (text, at) => {
      if (NUMBER.test(text)) return Number(text);
      const where = place(Math.floor(at / columns.length), at % columns.length);
      const remedy = "Correct or remove the row; name the values as classes if they are names.";
      throw new DataFileError(file.name, where, `${JSON.stringify(text)} is not a number`, remedy);
    });
    return { ...size, values };
  });
}

type Fail = (line: number, problem: string, remedy: string) => DataFileError;

function textOf({ name, bytes }: DataFile): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataFileError(name, "text", "it is not UTF-8", "Convert the file to UTF-8.", cause);
  }
}

function position(names: readonly string[], column: string, line: number, fail: Fail): number {
  const at = names.findIndex((name) => name.trim() === column);
  if (at < 0) throw fail(line, `no column is named ${JSON.stringify(column)}`, `There are ${names.join(", ")}.`);
  if (names.findIndex((name, other) => other > at && name.trim() === column) >= 0) {
    throw fail(line, `two columns are named ${JSON.stringify(column)}`, "Rename one of them.");
  }
  return at;
}

interface Row {
  readonly line: number;
  readonly fields: string[];
  /** Whether the line has no character at all. */
  readonly isBlank: boolean;
}

function parse(text: string, delimiter: string, fail: Fail): Row[] {
  const records: Row[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const record: Row = { line, fields: [], isBlank: /^\r?(\n|$)/.test(text.slice(at, at + 2)) };
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
        let end = at;
        while (end < text.length && text[end] !== delimiter && text[end] !== "\n") end++;
        field = text.slice(at, end);
        at = end;
        if (field.endsWith("\r") && (at >= text.length || text[at] === "\n")) field = field.slice(0, -1);
      }
      record.fields.push(field);
      if (text[at] === delimiter) {
        at++;
        continue;
      }
      if (text[at] === "\r") at++;
      at++;
      line++;
      break;
    }
    records.push(record);
  }
  // Empty lines at the end belong to no record.
  while (records.at(-1)?.isBlank) records.pop();
  return records;
}
