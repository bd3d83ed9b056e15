/** The `data` section of the task file (docs/task.md, docs/data.md). */
import { z } from "zod";

const count = z.int().min(1).max(0xffffffff);
/** Relative to the task file; the files are taken in the bytewise order of their paths. */
const glob = z.string().min(1);
/** Names of ONNX inputs, without those that JavaScript would reorder. */
const fieldName = z
  .string()
  .regex(/^(?!__proto__$)[A-Za-z_][\w.:/-]{0,63}$/, "must begin with a letter and be at most 64 long");

/** What is held out for evaluation; nothing when neither key is given. */
const holdOut = {
  /** Every n-th file of a text, every n-th row of arrays. */
  holdOutEvery: z.int().min(2).max(0xffffffff).optional(),
  /** Glob of separate files. */
  holdOutFiles: glob.optional(),
};

const text = z.strictObject({
  kind: z.literal("text"),
  files: glob,
  ...holdOut,
  /** Last characters of every file that are held out, as a fraction. */
  holdOutLast: z.number().gt(0).lt(1).optional(),
  /** "characters", "bytes", or the path of a Hugging Face tokenizer.json. */
  tokenizer: z
    .string()
    .regex(/^(characters|bytes|.*\.json)$/, 'must be "characters", "bytes" or the path of a tokenizer.json')
    .default("characters"),
  /** Tokens that the model sees. */
  context: z.int().min(1).max(65536),
  /** Tokens between the starts of two samples. */
  stride: count,
  /** Rarer characters become the unknown token. */
  minimumCount: count.default(1),
  /** Whether the model predicts the token after the context, or the one after every position. */
  targets: z.enum(["last", "every"]).default("last"),
});

const factor = z.union([z.number(), z.array(z.number()).min(1)]);

const field = {
  dtype: z.enum(["float32", "int32"]),
  /** value · scale + shift; one for each word of the field where they are lists. */
  scale: factor.optional(),
  shift: factor.optional(),
  /** Names of the classes 0, 1, …; "found": the different texts in the training rows, sorted. */
  classes: z.union([z.array(z.string().min(1)).min(2), z.literal("found")]).optional(),
};

const fields = <F extends z.ZodType>(shape: F) =>
  z.record(fieldName, shape).refine((record) => Object.keys(record).length > 0, "must name at least one field");

const arrays = {
  /** Only the first n rows of the files, and of the held-out files. */
  first: count.optional(),
};

/** One array a file: every field has files of its own. */
const filesByField = <K extends "npy" | "idx">(kind: K) =>
  z.strictObject({
    kind: z.literal(kind),
    fields: fields(z.strictObject({ files: glob, holdOutFiles: glob.optional(), ...field })),
    holdOutEvery: holdOut.holdOutEvery,
    ...arrays,
  });

/** Named arrays in one file. */
const arraysByName = <K extends "npz" | "safetensors">(kind: K) =>
  z.strictObject({
    kind: z.literal(kind),
    files: glob,
    ...holdOut,
    /** `array`: its name in the file, by default the field's. */
    fields: fields(z.strictObject({ array: z.string().min(1).optional(), ...field })),
    ...arrays,
  });

const columns = {
  files: glob,
  ...holdOut,
  /** `columns`: one or more, one after the other; by default the one with the field's name. */
  fields: fields(
    z.strictObject({ columns: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(), ...field }),
  ),
  ...arrays,
};

const csv = z.strictObject({
  kind: z.literal("csv"),
  ...columns,
  delimiter: z
    .string()
    .regex(/^[^"\r\n]$/, "must be one character")
    .default(","),
  /** Whether the first line names the columns; otherwise they are "1", "2", … */
  header: z.boolean().default(true),
});

const parquet = z.strictObject({ kind: z.literal("parquet"), ...columns });

export const dataSection = z.discriminatedUnion("kind", [
  text,
  filesByField("npy"),
  filesByField("idx"),
  arraysByName("npz"),
  arraysByName("safetensors"),
  csv,
  parquet,
]);

export type DataSection = z.output<typeof dataSection>;
export type TextData = z.output<typeof text>;
export type ArrayData = Exclude<DataSection, TextData>;
export type ArrayFieldData = ArrayData["fields"][string];
