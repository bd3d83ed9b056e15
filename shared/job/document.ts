/**
 * A whole program as one JSON document: what a task file points to and what a solver downloads. Operators are their committed
 * descriptors in hex, so the document cannot say something that the descriptors do not. The words of constants are not in it: those of a
 * frozen model are too many for text.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { TouchstoneError } from "../errors.ts";
import { parseHostileJson } from "../hostileJson.ts";

import { sameShape, wordCount } from "../program/descriptor.ts";
import { decodeOperator, encodeOperator } from "../program/encoding.ts";
import type { Program, Tensor } from "../program/program.ts";

export const PROGRAM_FORMAT = "touchstone-program";
export const PROGRAM_FORMAT_VERSION = 1;

/** A program document that cannot be read; `path` is the place in it. */
export class ProgramDocumentError extends TouchstoneError {
  readonly code = "PROGRAM_DOCUMENT_MALFORMED";
  readonly path: string;

  constructor(path: string, detail: string, cause?: unknown) {
    super(`Malformed program document at ${path}: ${detail}.`, {
      cause,
      remedy: "Take the document as the compiler wrote it.",
    });
    this.path = path;
  }
}

const u32 = z.int().min(0).max(0xffffffff);
const dtype = z.union([z.literal(0), z.literal(1)]);
const shape = z.array(u32).max(6);
const role = z.enum(["parameter", "running", "moment", "output"]);

const schema = z.strictObject({
  format: z.literal(PROGRAM_FORMAT),
  version: z.literal(PROGRAM_FORMAT_VERSION),
  operators: z.array(z.strictObject({ name: z.string(), descriptor: z.string().regex(/^(?:[0-9a-f]{2})*$/) })),
  state: z.array(
    z.strictObject({ name: z.string(), dtype, shape, source: u32.nullable(), role: role.exactOptional() }),
  ),
  constants: z.array(z.strictObject({ dtype, shape })),
  sample: z.strictObject({
    words: u32,
    fields: z.array(
      z.strictObject({ name: z.string(), dtype, offset: u32, width: u32, minimum: z.number(), maximum: z.number() }),
    ),
  }),
  scheduleColumns: z.array(z.string()),
  loss: u32,
  logits: u32.nullable(),
});

/** The document's JSON text; the same program gives the same text. @throws HostileJsonError when it is larger than anyone reads. */
export function programToJson(program: Program): string {
  const document: z.input<typeof schema> = {
    format: PROGRAM_FORMAT,
    version: PROGRAM_FORMAT_VERSION,
    operators: program.operators.map(({ name, operator }) => ({
      name,
      descriptor: bytesToHex(encodeOperator(operator)),
    })),
    state: program.state.map(({ name, dtype, shape, source, role }) => ({
      name,
      dtype,
      shape: [...shape],
      source,
      ...(role === undefined ? {} : { role }),
    })),
    constants: program.constants.map(({ dtype, shape }) => ({ dtype, shape: [...shape] })),
    sample: {
      words: program.sample.words,
      fields: program.sample.fields.map(({ name, dtype, offset, width, minimum, maximum }) => ({
        name,
        dtype,
        offset,
        width,
        minimum,
        maximum,
      })),
    },
    scheduleColumns: [...program.scheduleColumns],
    loss: program.loss,
    logits: program.logits,
  };
  const text = JSON.stringify(document);
  // Whoever reads it refuses more, so more must not be posted.
  parseHostileJson(text);
  return text;
}

/**
 * Reads a document strictly: no unknown field, every descriptor decodes, every constant has the words of its shape. Whether the
 * program is well-formed is for `validate.ts` to say.
 * @param constants the words of the program's constants.
 * @throws ProgramDocumentError
 */
export function programFromJson(text: string, constants: readonly Tensor[]): Program {
  let json: unknown;
  try {
    json = parseHostileJson(text);
  } catch (cause) {
    if (cause instanceof TouchstoneError) throw cause;
    throw new ProgramDocumentError("$", "it is not JSON", cause);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new ProgramDocumentError(pathOf(issue.path), issue.message, parsed.error);
  }
  const document = parsed.data;
  requireConstants(document.constants, constants);
  return {
    operators: document.operators.map(({ name, descriptor }, index) => ({
      name,
      operator: at(`$.operators[${index}]`, () => decodeOperator(hexToBytes(descriptor))),
    })),
    state: document.state,
    constants,
    sample: document.sample,
    scheduleColumns: document.scheduleColumns,
    loss: document.loss,
    logits: document.logits,
  };
}

function requireConstants(declared: readonly Omit<Tensor, "words">[], given: readonly Tensor[]): void {
  if (declared.length !== given.length)
    throw new ProgramDocumentError("$.constants", `it has ${declared.length} constants and is given ${given.length}`);
  for (const [index, { dtype, shape }] of declared.entries()) {
    const constant = given[index]!;
    if (constant.dtype !== dtype || !sameShape(constant.shape, shape) || constant.words.length !== wordCount(shape))
      throw new ProgramDocumentError(
        `$.constants[${index}]`,
        `it is of dtype ${dtype} and shape [${shape}], not what is given`,
      );
  }
}

function at<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ProgramDocumentError(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => text + (typeof key === "number" ? `[${key}]` : `.${String(key)}`), "$");
}
