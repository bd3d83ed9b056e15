import type { Command } from "commander";
import { createOutput } from "../../shared/cli.ts";
import { type DataDescription, describeData, type FieldDescription, type FieldExample } from "../describeData.ts";
import { prepareData } from "../prepare.ts";

export function addData(program: Command): void {
  program
    .command("data")
    .argument("<taskfile>", "JSON file that describes the task (docs/task.md)")
    .summary("what a task's data become, before there is a model for them")
    .description(
      "Reads the files of the task file's data section and tells the fields, their bounds, how many samples there are, the\n" +
        "size of the vocabulary, and the first samples. The model is not read, nothing is sent anywhere.",
    )
    .option("--json", "one JSON object")
    .action(async (file: string, { json = false }: { readonly json?: boolean }) => {
      const { task, data } = await prepareData(file);
      const description = describeData(task.data.kind, data, task.training.kind !== "inference");
      createOutput(json).event("data", { ...description }, tell(description));
    });
}

const NUMBERS_SHOWN = 8;
const TEXT_SHOWN = 60;

function tell({ kind, fields, training, heldOut, bytes, vocabulary, warnings, examples }: DataDescription): string {
  const count = (value: number): string => value.toLocaleString("en-US");
  return [
    `${kind}: ${count(training)} training samples, ${count(heldOut)} held out; ${count(bytes)} bytes in the package`,
    ...fields.map(tellField),
    ...(vocabulary === null
      ? []
      : [`vocabulary: ${count(vocabulary)} tokens; the model needs as many rows in its embedding, and as many logits`]),
    ...examples.map((example, sample) => {
      const values = Object.entries(example).map(([name, value]) => `${name} ${tellExample(value)}`);
      return `sample ${sample}: ${values.join("; ")}`;
    }),
    ...warnings.map((warning) => `WARNING: ${warning}`),
  ].join("\n");
}

function tellField({ name, dtype, width, minimum, maximum, classes }: FieldDescription): string {
  const known =
    classes === undefined ? "" : `; classes ${classes.map((text, number) => `${number} ${text}`).join(", ")}`;
  return `field ${name}: ${dtype}, ${width} ${width === 1 ? "word" : "words"} from ${minimum} to ${maximum}${known}`;
}

function tellExample(value: FieldExample): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > TEXT_SHOWN ? `${value.slice(0, TEXT_SHOWN)}…` : value);
  const shown = value
    .slice(0, NUMBERS_SHOWN)
    .map((word) => (typeof word === "number" ? Number(word.toPrecision(4)) : word));
  return `[${shown.join(", ")}${value.length > NUMBERS_SHOWN ? ", …" : ""}]`;
}
