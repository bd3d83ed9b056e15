/** Datasets of arrays: rows of named fields out of files of numbers. */
import { Dtype } from "../program/descriptor.ts";
import type { SampleField } from "../program/program.ts";
import type { ArrayData } from "../task/taskData.ts";
import { type ClassText, classWords, type FieldPlan, numberWords, planField } from "./arrayFields.ts";
import { readArrays } from "./arrayFormats.ts";
import { compareBytewise } from "./bytewise.ts";
import type { DataFiles, Dataset } from "./dataset.ts";
import { DataFileError, DatasetError } from "./errors.ts";
import { MAXIMUM_WORDS, type SourceArray, type Wanted } from "./sourceArray.ts";

/** Rows of one field. */
interface Column {
  readonly rows: number;
  readonly width: number;
  /** Words, or texts where the field's classes are named in the data. */
  readonly words: Uint32Array | null;
  readonly texts: readonly ClassText[];
}

/** @throws DataFileError, DatasetError, and what `files.list` throws. */
export async function arrayDataset(section: ArrayData, files: DataFiles): Promise<Dataset> {
  const plans = Object.entries(section.fields).map(([name, settings]) => planField(name, settings));
  const training = await readColumns(section, plans, files, "files");
  const separate = heldOutKeys(section);
  const heldOut = separate ? await readColumns(section, plans, files, "holdOutFiles") : null;
  const classes = plans.map((plan, index) => classesOf(plan, training[index]!));
  const isHeldOut = (row: number): boolean =>
    section.holdOutEvery !== undefined && row % section.holdOutEvery === section.holdOutEvery - 1;
  const parts = [training, ...(heldOut === null ? [] : [heldOut])].map((columns) =>
    columns.map((column, index) => column.words ?? classWords(plans[index]!, column.texts, classes[index]!)),
  );
  const layout = layoutOf(plans, training, classes, parts);
  const rows = training[0]!.rows;
  const kept = Array.from({ length: rows }, (_, row) => row).filter((row) => !isHeldOut(row));
  const split = Array.from({ length: rows }, (_, row) => row).filter(isHeldOut);
  const last = parts[1];
  requireSize(layout.words * (rows + (heldOut?.[0]?.rows ?? 0)));
  return {
    layout,
    training: interleave(layout, parts[0]!, kept),
    heldOut:
      last === undefined
        ? interleave(layout, parts[0]!, split)
        : interleave(
            layout,
            last,
            Array.from({ length: heldOut![0]!.rows }, (_, row) => row),
          ),
    classes: Object.fromEntries(plans.flatMap(({ name }, index) => (classes[index] ? [[name, classes[index]]] : []))),
    text: null,
  };
}

/** Whether held-out rows have files of their own; then every field needs them. */
function heldOutKeys(section: ArrayData): boolean {
  const given =
    section.kind === "npy" || section.kind === "idx"
      ? Object.values(section.fields).map(({ holdOutFiles }) => holdOutFiles !== undefined)
      : [section.holdOutFiles !== undefined];
  if (!given.some(Boolean)) return false;
  if (!given.every(Boolean)) {
    throw new DatasetError(
      "$.data.fields",
      "only some fields have holdOutFiles",
      "Give every field its held-out files.",
    );
  }
  if (section.holdOutEvery !== undefined) {
    throw new DatasetError("$.data.holdOutEvery", "there are holdOutFiles, too", "Hold out rows in one way.");
  }
  return true;
}

type FilesKey = "files" | "holdOutFiles";

/** Every field's rows out of all its files, one column for each plan. */
async function readColumns(
  section: ArrayData,
  plans: readonly FieldPlan[],
  files: DataFiles,
  key: FilesKey,
): Promise<Column[]> {
  if (section.kind === "npy" || section.kind === "idx") {
    const columns: Column[] = [];
    for (const plan of plans) {
      const pattern = section.fields[plan.name]![key]!;
      columns.push(...(await readFiles(section, [plan], files, pattern, `$.data.fields.${plan.name}.${key}`)));
    }
    for (const [index, { rows }] of columns.entries()) {
      if (rows === columns[0]!.rows) continue;
      const [first, other] = [plans[0]!.name, plans[index]!.name];
      const problem = `${other} has ${rows} rows, ${first} has ${columns[0]!.rows}`;
      throw new DatasetError(
        `$.data.fields.${other}.${key}`,
        problem,
        "The files of all fields must hold the same rows.",
      );
    }
    return columns;
  }
  return await readFiles(section, plans, files, section[key]!, `$.data.${key}`);
}

async function readFiles(
  section: ArrayData,
  plans: readonly FieldPlan[],
  files: DataFiles,
  pattern: string,
  key: string,
): Promise<Column[]> {
  const wanted = plans.map((plan) => wantedOf(section, plan));
  const chunks: Column[][] = plans.map(() => []);
  const most = section.first ?? Number.POSITIVE_INFINITY;
  let rows = 0;
  for (const handle of await files.list(pattern, key)) {
    if (rows >= most) break;
    const file = { name: handle.name, bytes: await handle.read() };
    const arrays = await readArrays(section, file, wanted, files.compressors);
    requireSameRows(file.name, plans, arrays);
    const count = Math.min(arrays[0]!.rows, most - rows);
    for (const [index, plan] of plans.entries()) {
      const chunk = columnOf(plan, file.name, head(arrays[index]!, count), wanted[index]!.isText);
      const width = chunks[index]![0]?.width ?? chunk.width;
      if (width !== chunk.width) {
        const problem = `a row of the field ${plan.name} has ${chunk.width} values, ${width} in the files before`;
        throw new DataFileError(file.name, "shape", problem, "All files must hold rows of one width.");
      }
      chunks[index]!.push(chunk);
    }
    rows += count;
    requireSize(rows);
  }
  return chunks.map(concatenated);
}

function wantedOf(section: ArrayData, { name, settings }: FieldPlan): Wanted {
  const isTable = section.kind === "csv" || section.kind === "parquet";
  const isText = isTable && settings.classes !== undefined;
  if (!isTable && settings.classes === "found") {
    const problem = `${section.kind} files hold no texts to find classes in`;
    throw new DatasetError(`$.data.fields.${name}.classes`, problem, "List the names of the classes 0, 1, …");
  }
  if ("columns" in settings) return { columns: [settings.columns ?? name].flat(), isText };
  if ("array" in settings) return { columns: [settings.array ?? name], isText };
  return { columns: [name], isText };
}

function requireSameRows(file: string, plans: readonly FieldPlan[], arrays: readonly SourceArray[]): void {
  for (const [index, { rows }] of arrays.entries()) {
    if (rows === arrays[0]!.rows) continue;
    const problem = `${plans[index]!.name} has ${rows} rows, ${plans[0]!.name} has ${arrays[0]!.rows}`;
    throw new DataFileError(file, "shape", problem, "All fields must have the same rows.");
  }
}

function head(source: SourceArray, rows: number): SourceArray {
  return rows === source.rows ? source : { ...source, rows, values: source.values.slice(0, rows * source.width) };
}

function columnOf(plan: FieldPlan, file: string, source: SourceArray, isText: boolean): Column {
  const { rows, width } = source;
  if (!isText) return { rows, width, words: numberWords(plan, file, source), texts: [] };
  const texts = (source.values as readonly string[]).map((text, at): ClassText => {
    const place = source.place(Math.floor(at / width), at % width);
    if (text === "") throw new DataFileError(file, place, "the name of a class is empty", "Fill or drop the row.");
    return { text, file, place };
  });
  return { rows, width, words: null, texts };
}

function concatenated(chunks: readonly Column[]): Column {
  if (chunks.length === 1) return chunks[0]!;
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
  const width = chunks[0]!.width;
  if (chunks[0]!.words === null) return { rows, width, words: null, texts: chunks.flatMap(({ texts }) => texts) };
  const words = new Uint32Array(rows * width);
  let at = 0;
  for (const chunk of chunks) {
    words.set(chunk.words!, at);
    at += chunk.words!.length;
  }
  return { rows, width, words, texts: [] };
}

function classesOf({ name, settings }: FieldPlan, column: Column): readonly string[] | null {
  const { classes } = settings;
  if (classes === undefined) return null;
  if (classes === "found") {
    const found = [...new Set(column.texts.map(({ text }) => text))].sort(compareBytewise);
    if (found.length >= 2) return found;
    throw new DatasetError(
      `$.data.fields.${name}`,
      `its only class is ${found[0]}`,
      "Give rows of at least two classes.",
    );
  }
  const twice = classes.find((text, index) => classes.indexOf(text) !== index);
  if (twice === undefined) return classes;
  throw new DatasetError(
    `$.data.fields.${name}.classes`,
    `${JSON.stringify(twice)} is named twice`,
    "Name each class once.",
  );
}

/** One field after the other, with the bounds of what they hold. */
function layoutOf(
  plans: readonly FieldPlan[],
  columns: readonly Column[],
  classes: readonly (readonly string[] | null)[],
  parts: readonly (readonly Uint32Array[])[],
): Dataset["layout"] {
  let offset = 0;
  const fields = plans.map(({ name, dtype }, index): SampleField => {
    const { width } = columns[index]!;
    const found = boundsOf(
      dtype,
      parts.map((part) => part[index]!),
    );
    const bounds = classes[index] ? { minimum: 0, maximum: classes[index].length - 1 } : found;
    if (found.minimum < bounds.minimum || found.maximum > bounds.maximum) {
      const beyond = found.minimum < bounds.minimum ? found.minimum : found.maximum;
      const problem = `a row is of class ${beyond}, and the ${classes[index]!.length} classes are numbered from 0`;
      throw new DatasetError(`$.data.fields.${name}.classes`, problem, "Name every class.");
    }
    offset += width;
    return { name, dtype, offset: offset - width, width, ...bounds };
  });
  return { words: offset, fields };
}

function boundsOf(dtype: Dtype, parts: readonly Uint32Array[]): { minimum: number; maximum: number } {
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { buffer, byteOffset, length } of parts) {
    const values =
      dtype === Dtype.float32
        ? new Float32Array(buffer, byteOffset, length)
        : new Int32Array(buffer, byteOffset, length);
    for (const value of values) {
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
  }
  return { minimum, maximum };
}

/** The given rows of all fields as samples. */
function interleave(layout: Dataset["layout"], columns: readonly Uint32Array[], rows: readonly number[]): Uint32Array {
  const samples = new Uint32Array(rows.length * layout.words);
  for (const [index, { offset, width }] of layout.fields.entries()) {
    const words = columns[index]!;
    for (const [sample, row] of rows.entries()) {
      samples.set(words.subarray(row * width, (row + 1) * width), sample * layout.words + offset);
    }
  }
  return samples;
}

function requireSize(words: number): void {
  if (words <= MAXIMUM_WORDS) return;
  throw new DatasetError(
    "$.data",
    `it has more than ${MAXIMUM_WORDS} words of 4 bytes`,
    'Take less, for example by "first".',
  );
}
