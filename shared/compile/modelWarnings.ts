/** What a model may be trained with and its author probably does not mean. */
import type { OnnxModel, OnnxNode } from "../onnx/model.ts";

const EXPORT_FOR_TRAINING =
  "export it with training=torch.onnx.TrainingMode.TRAINING and do_constant_folding=False (docs/models.md)";

/** What TorchScript calls weights that it has computed from others. */
const COMPUTED = /^onnx::/;

/** They change no number's place among the others. */
const MOVING = new Set(["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Cast"]);

/** Signs that a model was exported for inference: statistics that no longer move, and products that they were merged with. */
export function inferenceWarnings({ graph, operatorSets }: OnnxModel): string[] {
  const operatorSet = operatorSets.find(({ domain }) => domain === "")?.version ?? 0;
  const still = graph.nodes.filter((node) => isStill(node, operatorSet));
  const initializers = new Set(graph.initializers.map(({ name }) => name));
  const merged = graph.nodes.filter(
    ({ operator, inputs: [, weight = ""] }) =>
      /^Conv(Transpose)?$/.test(operator) && COMPUTED.test(weight) && initializers.has(weight),
  );
  return [
    ...(still.length === 0
      ? []
      : [
          `it was exported for inference: ${listed(still)} would keep the statistics that the file has; to train them, ${EXPORT_FOR_TRAINING}`,
        ]),
    ...(merged.length === 0
      ? []
      : [
          `it was exported for inference: the weights of ${listed(merged)} are merged with the normalisation behind them, under names that the exporter made up, ` +
            `so that it is not the model which was written that would be trained; ${EXPORT_FOR_TRAINING}`,
        ]),
  ];
}

/** The nodes between data and outputs that end a model in shares of a whole, by the name of the output. */
export function softmaxOutputs({ graph }: OnnxModel): Map<string, OnnxNode> {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const found = new Map<string, OnnxNode>();
  for (const { name } of graph.outputs) {
    let node = producers.get(name);
    while (node !== undefined && MOVING.has(node.operator)) node = producers.get(node.inputs[0] ?? "");
    if (node !== undefined && /^(Log)?Softmax$/.test(node.operator)) found.set(name, node);
  }
  return found;
}

/** @param output which the loss takes; null: the model's only one. */
export function softmaxWarnings(model: OnnxModel, output: string | null): string[] {
  const found = softmaxOutputs(model);
  const ends = output === null ? [...found] : [...found].filter(([name]) => name === output);
  return ends.map(
    ([name, { operator }]) =>
      `its output "${name}" is a ${operator}, and the loss softmaxCrossEntropy takes the softmax itself: ` +
      "leave it out of the model and return the logits",
  );
}

/** A normalisation of batches by the statistics that are in the file. */
function isStill({ operator, attributes, outputs }: OnnxNode, operatorSet: number): boolean {
  if (operator !== "BatchNormalization") return false;
  // Before operator set 14, outputs for the statistics say that they are to be computed.
  if (operatorSet < 14) return (outputs[1] ?? "") === "";
  const { training_mode: mode } = attributes;
  return mode?.kind !== "int" || mode.value === 0;
}

function listed(nodes: readonly OnnxNode[]): string {
  const names = nodes.slice(0, 3).map(({ name, outputs, operator }) => `"${name || outputs[0]}" (${operator})`);
  return names.join(", ") + (nodes.length > 3 ? ` and ${nodes.length - 3} more` : "");
}
