/** What about a model, beside its task's loss and data, is probably not meant. */

import type { TrainingSettings } from "../shared/compile/compile.ts";
import { inferenceWarnings, softmaxWarnings } from "../shared/compile/modelWarnings.ts";
import type { Dataset } from "../shared/data/dataset.ts";
import { decodeModel } from "../shared/onnx/decode.ts";
import { wordCount } from "../shared/program/descriptor.ts";
import type { Program } from "../shared/program/program.ts";

/** @param program what the settings were compiled to. */
export function modelWarnings(settings: TrainingSettings, program: Program, data: Dataset): string[] {
  const said = (name: string, warnings: readonly string[]) => warnings.map((warning) => `${name}: ${warning}`);
  switch (settings.kind) {
    case "step":
      return [];
    case "inference":
      return said("model", classWarnings(settings.model, settings.loss, program, settings.batch, data));
    case "gan":
      return [
        ...said("model", inferenceWarnings(decodeModel(settings.model))),
        ...said("discriminator.model", inferenceWarnings(decodeModel(settings.discriminatorModel))),
      ];
    default:
      return said("model", [
        ...inferenceWarnings(decodeModel(settings.model)),
        ...classWarnings(settings.model, settings.loss, program, settings.batch, data),
      ]);
  }
}

/** Of a model that chooses among classes. */
function classWarnings(
  model: Uint8Array,
  loss: { readonly kind: string; readonly output?: string | undefined } | undefined,
  { logits, operators }: Program,
  batch: number,
  { layout }: Dataset,
): string[] {
  if (loss?.kind !== "softmaxCrossEntropy") return [];
  const warnings = softmaxWarnings(decodeModel(model), loss.output ?? null);
  const target = layout.fields.find(({ name }) => name === "target");
  if (logits === null || target === undefined) return warnings;
  const classes = wordCount(operators[logits]!.operator.shape) / (batch * target.width);
  if (classes > target.maximum + 1) {
    warnings.push(
      `it gives ${classes} logits for each target, and the data have the classes 0 to ${target.maximum}: it only learns never to choose the others`,
    );
  }
  return warnings;
}
