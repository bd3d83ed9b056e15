/**
 * Which initializers are parameters. A file does not say: it holds weights, masks, tables and single numbers alike. A float initializer is a
 * parameter, except
 *
 * - one with an infinity, or with numbers below −2^20 and none above 0, that no operator with weights reads: a mask;
 * - one under a name that an exporter has made up, when it is a single number, or has two axes or more (longer than 1) and is read by no
 *   operator that has weights.
 *
 * What is a parameter by this rule and should not be trained (a module's buffers, such as a table of positions) can be frozen by the task.
 */
import type { OnnxModel, OnnxTensor } from "./model.ts";
import { OnnxType } from "./model.ts";

/** TorchScript folds into `onnx::Add_12` or `12`, dynamo into `val_12` or `c_lifted_tensor_0`, JAX and TensorFlow into `const_12`. */
const MADE_UP = /^(onnx::.*|\d+|_?(val|var|const|constant|const_fold_opt|c_lifted_tensor|scalar_tensor|arange)_*\d*)$/i;

const WEIGHTED = /^(Conv|ConvTranspose|Einsum|Gather|Gemm|GRU|LSTM|MatMul|PRelu|RNN|.*Normalization)$/;

const MAX_MAGNITUDE = 2 ** 20;

/** The names of the initializers that are parameters. */
export function trainedInitializers({ graph }: OnnxModel): ReadonlySet<string> {
  const weights = new Set<string>();
  for (const { operator, inputs } of graph.nodes)
    if (WEIGHTED.test(operator)) for (const name of inputs) weights.add(name);
  return new Set(graph.initializers.filter((tensor) => isParameter(tensor, weights)).map(({ name }) => name));
}

function isParameter(tensor: OnnxTensor, weights: ReadonlySet<string>): boolean {
  const { name, type, dimensions, data } = tensor;
  if (type !== OnnxType.float32 && type !== OnnxType.float64) return false;
  if (!weights.has(name) && isMask(data as Float32Array | Float64Array)) return false;
  if (!MADE_UP.test(name)) return true;
  const axes = dimensions.filter((length) => length > 1).length;
  return axes > 0 && (axes < 2 || weights.has(name));
}

function isMask(data: Float32Array | Float64Array): boolean {
  let [least, most] = [0, 0];
  for (const value of data) {
    if (value < least) least = value;
    else if (value > most) most = value;
  }
  return (
    most === Number.POSITIVE_INFINITY || least === Number.NEGATIVE_INFINITY || (least < -MAX_MAGNITUDE && most === 0)
  );
}
