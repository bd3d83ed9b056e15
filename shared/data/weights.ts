/** Weights from a safetensors file in place of a model's own: to go on from a fetched model, or from one trained elsewhere. */
import { type OnnxModel, type OnnxTensor, OnnxType } from "../onnx/model.ts";
import { rawTensorsOf } from "./arrayFormats.ts";
import { decodeElements } from "./elements.ts";
import { DataFileError } from "./errors.ts";
import type { DataFile } from "./sourceArray.ts";

const FLOATS: readonly string[] = ["float16", "bfloat16", "float32", "float64"];

/**
 * The model with every tensor of the file in place of its float32 initializer of that name; other initializers stay.
 * @throws DataFileError when the file is malformed, is empty, or holds a tensor that the model has not, or has in another shape.
 */
export function withWeights(model: OnnxModel, file: DataFile): OnnxModel {
  const initializers = new Map(model.graph.initializers.map((tensor) => [tensor.name, tensor]));
  const fail = (place: string, problem: string, remedy: string) => new DataFileError(file.name, place, problem, remedy);
  const tensors = rawTensorsOf(file);
  if (tensors.length === 0) throw fail("header", "it holds no tensor", "Give the weights of a trained model.");
  const weights = new Map(
    tensors.map(({ name, type, shape, bytes }): [string, OnnxTensor] => {
      const own = initializers.get(name);
      if (own === undefined || own.type !== OnnxType.float32) {
        const names = [...initializers.values()].filter((tensor) => tensor.type === OnnxType.float32);
        const remedy = `The model's weights are ${names.map((tensor) => tensor.name).join(", ")}.`;
        throw fail(name, "the model has no such weights", remedy);
      }
      if (`${shape}` !== `${own.dimensions}`) {
        throw fail(name, `its shape is [${shape}], the model's [${own.dimensions}]`, "Use weights of this very model.");
      }
      if (!FLOATS.includes(type)) throw fail(name, `its elements are ${type}`, "Give weights in a float dtype.");
      const values = decodeElements(type, bytes, false, (_, problem) =>
        fail(name, problem, "Give weights in a float dtype."),
      );
      return [name, { ...own, data: Float32Array.from(values) }];
    }),
  );
  const replaced = model.graph.initializers.map((tensor) => weights.get(tensor.name) ?? tensor);
  return { ...model, graph: { ...model.graph, initializers: replaced } };
}
