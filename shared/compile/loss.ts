/** From a model's outputs to the loss. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { ImportedModel } from "../import/import.ts";
import { binaryCrossEntropy } from "../layers/binaryCrossEntropy.ts";
import { constant } from "../layers/leaf.ts";
import { meanSquaredError } from "../layers/meanSquaredError.ts";
import { reshape } from "../layers/reshape.ts";
import { scale } from "../layers/scale.ts";
import { softmaxCrossEntropy } from "../layers/softmaxCrossEntropy.ts";
import { Dtype, wordCount } from "../program/descriptor.ts";
import { ModelError, SettingError } from "../program/errors.ts";
import type { LossSettings } from "../task/settings.ts";
import type { LossSeed } from "./differentiate.ts";
import type { BatchFields } from "./fields.ts";
import { outputOf } from "./forward.ts";

/** The field that holds what the model should give. */
export const TARGET_FIELD = "target";
/** The output of a model that computes its own loss. */
const LOSS_OUTPUT = "loss";

export interface LossPart extends LossSeed {
  /** What the model gives, for evaluation. */
  readonly prediction: ValueId;
}

/** The rows that a part of the loss is over, and the factor that it counts with. */
export interface LossRows {
  readonly first: number;
  readonly count: number;
  readonly share: number;
}

/** @throws ModelError or SettingError when outputs, targets and loss do not fit together. */
export function lossPart(
  graph: SourceGraph,
  settings: LossSettings,
  model: ImportedModel,
  fields: BatchFields,
  rows: LossRows,
): LossPart {
  if (settings.kind === "output") return ownLoss(graph, model, settings.prediction ?? null, rows.share);
  const prediction = outputOf(graph, model, settings.output ?? null);
  const layout = fields.layout(TARGET_FIELD);
  const target = fields.part(TARGET_FIELD, rows.first, rows.count);
  const shape = graph.shape(prediction);
  const { share } = rows;
  if (settings.kind === "softmaxCrossEntropy") {
    const classes = shape.at(-1) ?? 0;
    if (layout.dtype !== Dtype.int32) throw new SettingError("loss", "softmaxCrossEntropy takes int32 targets");
    if (layout.maximum >= classes || wordCount(shape) !== classes * wordCount(graph.shape(target))) {
      throw new ModelError(
        `its output [${shape}] is not [${rows.count}, at least ${layout.maximum + 1}], one row for each of ${wordCount(graph.shape(target))} targets`,
        "It must give one logit for each class, for each target.",
      );
    }
    if (layout.minimum < 0 && settings.ignore === undefined) {
      throw new SettingError("loss.ignore", `targets go down to ${layout.minimum} and none is ignored`);
    }
    const { smoothing, ignore } = settings;
    return { prediction, loss: softmaxCrossEntropy(graph, prediction, target, "loss", { smoothing, ignore, share }) };
  }
  if (wordCount(shape) !== wordCount(graph.shape(target))) {
    throw new ModelError(
      `its output [${shape}] has not the ${wordCount(graph.shape(target))} words of the targets`,
      "It must give one number for each target.",
    );
  }
  if (settings.kind === "binaryCrossEntropy" && (layout.minimum < 0 || layout.maximum > 1)) {
    throw new SettingError(
      "loss",
      `binaryCrossEntropy takes targets from 0 to 1, not ${layout.minimum} to ${layout.maximum}`,
    );
  }
  const layer = settings.kind === "binaryCrossEntropy" ? binaryCrossEntropy : meanSquaredError;
  return { prediction, loss: layer(graph, prediction, target, "loss", { share }) };
}

/** The model's own loss times `share`. */
function ownLoss(graph: SourceGraph, model: ImportedModel, prediction: string | null, share: number): LossPart {
  const value = outputOf(graph, model, LOSS_OUTPUT);
  if (wordCount(graph.shape(value)) !== 1) {
    throw new ModelError(`its output "${LOSS_OUTPUT}" is [${graph.shape(value)}]`, "Reduce it to one number.");
  }
  const loss = scale(graph, reshape(graph, value, [1]), share, "loss");
  const gradient = constant(graph, "loss.seed", { dtype: Dtype.float32, shape: [1], words: ONE });
  return { prediction: prediction === null ? loss : outputOf(graph, model, prediction), loss, gradient };
}

const ONE = new Uint32Array(Float32Array.of(1).buffer);
