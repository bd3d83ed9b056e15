/** A forward model on some rows of the batch. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { type ImportedModel, type ImportOptions, importModel, modelInputs } from "../import/import.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { Dtype } from "../program/descriptor.ts";
import { ModelError } from "../program/errors.ts";
import type { BatchFields } from "./fields.ts";

/** The field that the one input of a model takes when no field has the input's name. */
export const INPUT_FIELD = "input";

/** Which field each input of a model takes: the one of its name, or `input` where the model has one input only. */
export function inputFields(model: OnnxModel, fields: BatchFields): Map<string, string> {
  const inputs = modelInputs(model);
  return new Map(
    inputs.map(({ name }) => {
      if (fields.has(name)) return [name, name];
      if (inputs.length === 1 && fields.has(INPUT_FIELD)) return [name, INPUT_FIELD];
      throw new ModelError(
        `its input "${name}" is no field of the data, which has ${fields.names.join(", ")}`,
        inputs.length === 1
          ? `Name a field "${name}" or "${INPUT_FIELD}".`
          : "Name a field of the data after each of its inputs.",
      );
    }),
  );
}

/** Imports the model on rows `first … first + count − 1`. @throws ModelError */
export function forward(
  graph: SourceGraph,
  model: OnnxModel,
  fields: BatchFields,
  { first, count }: { readonly first: number; readonly count: number },
  options: Omit<ImportOptions, "inputs"> = {},
): ImportedModel {
  const inputs = new Map(
    [...inputFields(model, fields)].map(([input, field]) => [input, fields.part(field, first, count)]),
  );
  return importModel(graph, model, { ...options, inputs });
}

/** The output of this name, or the only one. @throws ModelError when it is not there, or not float32. */
export function outputOf(
  graph: SourceGraph,
  { outputs }: Pick<ImportedModel, "outputs">,
  name: string | null,
): ValueId {
  if (name === null && outputs.size !== 1) {
    throw new ModelError(
      `it has ${outputs.size} outputs`,
      "Export a model whose one output is the prediction, or name it as the loss's output in the task file.",
    );
  }
  const output = name === null ? [...outputs.values()][0]! : outputs.get(name);
  if (output === undefined) throw new ModelError(`it has no output "${name}"`, `It has ${[...outputs.keys()].join()}.`);
  if (graph.node(output).dtype !== Dtype.float32) {
    throw new ModelError(`its output "${name ?? ""}" is not float32`, "Export the model again.");
  }
  return output;
}
