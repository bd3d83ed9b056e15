/**
 * An inference as a run: each step takes the next batch of samples and its state becomes the model's outputs, so that every checkpoint
 * commits to those of one batch. The parameters are constants of the program.
 */

import { SourceGraph } from "../graph/graph.ts";
import type { StateEntry } from "../graph/lower.ts";
import { elementwise } from "../layers/elementwise.ts";
import { state } from "../layers/leaf.ts";
import { decodeModel } from "../onnx/decode.ts";
import { Dtype } from "../program/descriptor.ts";
import { ModelError } from "../program/errors.ts";
import type { SampleField } from "../program/program.ts";
import type { LossSettings } from "../task/settings.ts";
import { type BuiltStep, wordsByValue } from "./builtStep.ts";
import { BatchFields } from "./fields.ts";
import { forward } from "./forward.ts";
import { lossPart } from "./loss.ts";
import { ScheduleColumns } from "./schedule.ts";
import { noLoss } from "./userStep.ts";

export interface InferenceSettings {
  readonly kind: "inference";
  /** Bytes of a forward ONNX model. */
  readonly model: Uint8Array;
  readonly fields: readonly SampleField[];
  readonly batch: number;
  readonly steps: number;
  /** Measured on each batch where it is given; then the samples have targets. */
  readonly loss?: LossSettings | undefined;
}

export function buildInference(settings: InferenceSettings): BuiltStep {
  const graph = new SourceGraph();
  const { batch } = settings;
  const fields = new BatchFields(graph, settings.fields, batch, "sequential");
  const model = forward(graph, decodeModel(settings.model), fields, { first: 0, count: batch }, { training: false });
  const outputs = [...model.outputs].map(([name, value]): StateEntry => {
    const { dtype, shape } = graph.node(value);
    if (dtype !== Dtype.float32 || shape[0] !== batch) {
      throw new ModelError(
        `its output "${name}" [${shape}] is not float32 [${batch}, …]`,
        "Outputs are rows of numbers, one for each sample.",
      );
    }
    const next = elementwise(graph, `${name}.next`, "flush", [value], (map, [x]) => map.flush(x!));
    return { value: state(graph, name, shape), next, role: "output" };
  });
  const [first] = outputs;
  if (first === undefined) throw new ModelError("it has no output", "Export the model again.");
  const rows = { first: 0, count: batch, share: 1 };
  const loss = settings.loss === undefined ? null : lossPart(graph, settings.loss, model, fields, rows);
  return {
    step: {
      graph,
      state: outputs,
      constants: wordsByValue(model.parameters),
      loss: loss?.loss ?? noLoss(graph),
      logits: loss?.prediction ?? first.next!,
      fields: settings.fields,
      scheduleColumns: [],
    },
    initial: new Map(),
    columns: new ScheduleColumns(graph),
  };
}
