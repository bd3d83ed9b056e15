/** Samples of named fields, for training and held out, and where their files come from. */
import type { SampleLayout } from "./samples.ts";
import type { Compressors } from "./sourceArray.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";

/** What a text dataset was made of. */
export interface TextSource {
  readonly tokenizer: Tokenizer;
  /** Tokens of every training text, for count models. */
  readonly trainingTexts: readonly Uint32Array[];
}

export interface Dataset {
  /** Fields in the order of the section (of a text: `input`, `target`), with bounds that hold for all samples. */
  readonly layout: SampleLayout;
  /** `[N, layout.words]`, row-major. */
  readonly training: Uint32Array;
  /** `[M, layout.words]`; empty when the section holds nothing out. */
  readonly heldOut: Uint32Array;
  /** Names of the classes of those fields that have them. */
  readonly classes: Readonly<Record<string, readonly string[]>>;
  /** What a text dataset was made of; null for arrays. */
  readonly text: TextSource | null;
}

/** A file that a glob has found. */
export interface FileHandle {
  /** The path as error messages tell it. */
  readonly name: string;
  readonly read: () => Promise<Uint8Array>;
}

/** Where a dataset's files come from. */
export interface DataFiles {
  /**
   * The files that match a glob, in the bytewise order of their paths; at least one.
   * @param key the place in the task file that names the glob, for errors.
   */
  readonly list: (pattern: string, key: string) => Promise<readonly FileHandle[]>;
  /** Decompression for Parquet besides Snappy, by the codec's name there. */
  readonly compressors: Compressors;
}
