/** What a task file's data become, for whoever writes the model that is to read them. */
import type { Dataset } from "../shared/data/dataset.ts";
import { encodeSamples } from "../shared/data/samples.ts";
import { datasetWarnings } from "../shared/data/warnings.ts";
import { Dtype } from "../shared/program/descriptor.ts";
import type { SampleField } from "../shared/program/program.ts";

export interface FieldDescription {
  readonly name: string;
  readonly dtype: "float32" | "int32";
  readonly width: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly classes?: readonly string[];
}

/** A field's value in one sample: its text, the names of its classes, or its numbers. */
export type FieldExample = string | readonly string[] | readonly number[];

export interface DataDescription {
  readonly kind: string;
  readonly fields: readonly FieldDescription[];
  readonly training: number;
  readonly heldOut: number;
  /** Size of the dataset's file in the package. */
  readonly bytes: number;
  /** Tokens of a text, null for other data. */
  readonly vocabulary: number | null;
  readonly warnings: readonly string[];
  /** The first training samples, by field. */
  readonly examples: readonly Readonly<Record<string, FieldExample>>[];
}

const EXAMPLES = 3;

/** @param trains whether something is to be learnt from the samples. */
export function describeData(kind: string, data: Dataset, trains = true): DataDescription {
  const { layout, training, heldOut, classes, text } = data;
  const count = training.length / layout.words;
  return {
    kind,
    fields: layout.fields.map(({ name, dtype, width, minimum, maximum }) => ({
      name,
      dtype: dtype === Dtype.float32 ? "float32" : "int32",
      width,
      minimum,
      maximum,
      ...(classes[name] === undefined ? {} : { classes: classes[name] }),
    })),
    training: count,
    heldOut: heldOut.length / layout.words,
    bytes: encodeSamples(layout, training).length,
    vocabulary: text?.tokenizer.size ?? null,
    warnings: datasetWarnings(data, trains),
    examples: Array.from({ length: Math.min(EXAMPLES, count) }, (_, sample) => {
      const words = training.subarray(sample * layout.words, (sample + 1) * layout.words);
      return Object.fromEntries(layout.fields.map((field) => [field.name, exampleOf(data, field, words)]));
    }),
  };
}

function exampleOf({ classes, text }: Dataset, field: SampleField, sample: Uint32Array): FieldExample {
  const words = sample.slice(field.offset, field.offset + field.width);
  if (text !== null) return text.tokenizer.decode(words);
  const names = classes[field.name];
  if (names !== undefined) return Array.from(words, (word) => names[word]!);
  return [...(field.dtype === Dtype.float32 ? new Float32Array(words.buffer) : new Int32Array(words.buffer))];
}
