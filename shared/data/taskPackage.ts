/**
 * A task's package: the files that a solver or a verifier needs, in the store, named by one manifest whose content id is posted
 * on-chain. Nothing in it is believed: what is read is committed to again and compared with what the task binds.
 */
import { z } from "zod";
import { TouchstoneError } from "../errors.ts";
import { parseHostileJson, requireReadableJson } from "../hostileJson.ts";
import { programFromJson, programToJson } from "../job/document.ts";
import type { Job } from "../job/job.ts";
import { commitTraining, type Training } from "../job/training.ts";
import { Dtype } from "../program/descriptor.ts";
import type { Tensor } from "../program/program.ts";
import { parseContentId } from "../store/contentId.ts";
import type { ContentId, Store } from "../store/store.ts";
import { decodeCheckpoint, putCheckpoint } from "./checkpoint.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";
import { decodeSamples, encodeSamples } from "./samples.ts";
import type { TokenizerSpec } from "./tokenizer/tokenizer.ts";

const MANIFEST_FORMAT = "touchstone-task";
const MANIFEST_VERSION = 1;

const contentId = z.string().regex(/^[0-9a-f]{64}$/);
const manifestSchema = z.strictObject({
  format: z.literal(MANIFEST_FORMAT),
  version: z.literal(MANIFEST_VERSION),
  name: z.string(),
  program: contentId,
  /** Absent when the program has none. */
  constants: contentId.optional(),
  samples: contentId,
  schedule: contentId,
  initialState: contentId,
  /** How text became tokens, for models of text. */
  tokenizer: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("characters"), vocabulary: z.array(z.string()) }),
      z.strictObject({ kind: z.literal("bytes") }),
      /** A tokenizer.json of its own. */
      z.strictObject({ kind: z.literal("json"), file: contentId }),
    ])
    .optional(),
  /** Names of the classes 0, 1, … of some fields. */
  classes: z.record(z.string(), z.array(z.string())).optional(),
});

/** Everything a run needs, and what the requester says about it. */
export interface TaskPackage {
  readonly name: string;
  readonly job: Job;
  readonly initialState: readonly Tensor[];
  readonly tokenizer?: TokenizerSpec | undefined;
  /** Names of the classes of fields that have them. */
  readonly classes?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** The package is not the one that the task binds, or cannot be read as one. */
export class TaskPackageError extends TouchstoneError {
  readonly code = "TASK_PACKAGE";

  constructor(detail: string, cause?: unknown) {
    super(`The task's package is not usable: ${detail}.`, {
      cause,
      remedy: "Do not work on this task; its requester published other files than it committed to.",
    });
  }
}

/**
 * Writes the package and returns the id of its manifest. A package that others would refuse to read is not written: its task would find nobody.
 * @throws HostileJsonError or SafetensorsError where a part is larger than readers take, and the store's errors.
 */
export async function putTaskPackage(
  store: Store,
  { name, job, initialState, tokenizer, classes }: TaskPackage,
): Promise<ContentId> {
  const { program, samples, schedule, steps } = job;
  const table = {
    name: "schedule",
    dtype: Dtype.float32,
    shape: [steps, program.scheduleColumns.length],
    words: schedule,
  };
  const manifest: z.input<typeof manifestSchema> = {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    name,
    program: await store.put(new TextEncoder().encode(programToJson(program))),
    ...(program.constants.length === 0 ? {} : { constants: await store.put(encodeConstants(program.constants)) }),
    samples: await store.put(encodeSamples(program.sample, samples)),
    schedule: await store.put(writeSafetensors([table])),
    initialState: await putCheckpoint(store, program.state, initialState),
    ...(tokenizer === undefined ? {} : { tokenizer: await packTokenizer(store, tokenizer) }),
    ...(classes === undefined ? {} : { classes: structuredClone(classes) as Record<string, string[]> }),
  };
  return await store.put(new TextEncoder().encode(requireReadableJson(JSON.stringify(manifest))));
}

/**
 * Reads a package and checks it against the commitments of its task.
 * @throws TaskPackageError, and the store's and the file formats' errors.
 */
export async function getTaskPackage(
  store: Pick<Store, "get">,
  manifestId: ContentId,
  training: Training,
): Promise<TaskPackage> {
  const manifest = parseManifest(await store.get(manifestId));
  const fetchFile = (id: string): Promise<Uint8Array> => store.get(parseContentId(id));
  const constants = manifest.constants === undefined ? [] : decodeConstants(await fetchFile(manifest.constants));
  const program = programFromJson(new TextDecoder().decode(await fetchFile(manifest.program)), constants);
  const [table, ...more] = readSafetensors(await fetchFile(manifest.schedule)).tensors;
  if (table === undefined || more.length > 0) throw new TaskPackageError("the schedule's file does not hold one table");
  const { seed, steps, interval } = training;
  const job: Job = {
    program,
    samples: decodeSamples(program.sample, await fetchFile(manifest.samples)).words,
    schedule: table.words,
    seed,
    steps,
    interval,
  };
  const initialState = decodeCheckpoint(
    program.state,
    await fetchFile(manifest.initialState),
    training.initialStateRoot,
  );
  requireSame(commitTraining(job, initialState), training);
  const { name, classes } = manifest;
  return { name, job, initialState, tokenizer: await unpackTokenizer(store, manifest.tokenizer), classes };
}

type PackedTokenizer = z.output<typeof manifestSchema>["tokenizer"];

async function packTokenizer(store: Store, spec: TokenizerSpec): Promise<PackedTokenizer> {
  if (spec.kind === "characters") return { kind: spec.kind, vocabulary: [...spec.vocabulary] };
  if (spec.kind === "bytes") return spec;
  return { kind: spec.kind, file: await store.put(new TextEncoder().encode(spec.source)) };
}

async function unpackTokenizer(store: Pick<Store, "get">, packed: PackedTokenizer): Promise<TokenizerSpec | undefined> {
  if (packed?.kind !== "json") return packed;
  return { kind: packed.kind, source: new TextDecoder().decode(await store.get(parseContentId(packed.file))) };
}

/** The constants' file: `constant.0`, `constant.1`, … in the order of the program. */
function encodeConstants(constants: readonly Tensor[]): Uint8Array {
  return writeSafetensors(constants.map((tensor, index) => ({ name: constantName(index), ...tensor })));
}

function decodeConstants(file: Uint8Array): Tensor[] {
  return readSafetensors(file).tensors.map(({ name, dtype, shape, words }, index) => {
    if (name !== constantName(index)) throw new TaskPackageError(`constant ${index} has the name "${name}"`);
    return { dtype, shape, words };
  });
}

const constantName = (index: number): string => `constant.${index}`;

function parseManifest(bytes: Uint8Array): z.output<typeof manifestSchema> {
  try {
    return manifestSchema.parse(parseHostileJson(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new TaskPackageError("the manifest is malformed", cause);
  }
}

/** @throws TaskPackageError that names the commitment that differs. */
function requireSame(actual: object, expected: object, path = ""): void {
  for (const [key, value] of Object.entries(actual)) {
    const bound: unknown = (expected as Record<string, unknown>)[key];
    if (typeof value === "object") requireSame(value, bound as object, `${path}${key}.`);
    else if (value !== bound) throw new TaskPackageError(`${path}${key} is ${value}, but the task binds ${bound}`);
  }
}
