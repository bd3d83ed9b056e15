/** The example's forward model as ONNX, a LeNet: two convolutions with ReLU and pooling, then three Linear layers, as PyTorch would write it. */
import { initialWords } from "../../shared/numerics/philox.ts";
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor } from "../../shared/onnx/model.ts";
import { OnnxType } from "../../shared/onnx/model.ts";

export interface LenetSizes {
  /** Height and width of an image; a multiple of 4. */
  readonly side: number;
  /** Channels of the two convolutions. */
  readonly channels: readonly [number, number];
  /** Widths of the hidden Linear layers. */
  readonly hidden: readonly number[];
  readonly classes: number;
}

const KERNEL = 5;
/** Of the first convolution, so that it keeps the image's size. */
const PAD = 2;

/** The shapes of the model's parameters, in the order of the file. */
export function lenetParameters({ side, channels, hidden, classes }: LenetSizes): Map<string, number[]> {
  const [first, second] = channels;
  const last = (side / 2 - KERNEL + 1) / 2;
  const widths = [second * last * last, ...hidden, classes];
  return new Map<string, number[]>([
    ["conv1.weight", [first, 1, KERNEL, KERNEL]],
    ["conv1.bias", [first]],
    ["conv2.weight", [second, first, KERNEL, KERNEL]],
    ["conv2.bias", [second]],
    ...widths.slice(1).flatMap((width, layer): [string, number[]][] => [
      [`fc${layer + 1}.weight`, [width, widths[layer]!]],
      [`fc${layer + 1}.bias`, [width]],
    ]),
  ]);
}

const ints = (...value: number[]): OnnxAttribute => ({ kind: "ints", value });
const int = (value: number): OnnxAttribute => ({ kind: "int", value });

/** The model with the given weights: float32 images [batch, 1, side, side] → logits [batch, classes]. */
export function lenetModel(sizes: LenetSizes, weights: ReadonlyMap<string, Float32Array>): OnnxModel {
  const initializers = [...lenetParameters(sizes)].map(
    ([name, dimensions]): OnnxTensor => ({ name, type: OnnxType.float32, dimensions, data: weights.get(name)! }),
  );
  const nodes: OnnxNode[] = [];
  const append = (operator: string, inputs: string[], attributes: OnnxNode["attributes"] = {}): string => {
    const output = `${operator.toLowerCase()}${nodes.length}`;
    nodes.push({ name: output, operator, domain: "", inputs, outputs: [output], attributes });
    return output;
  };
  const kernel = { kernel_shape: ints(KERNEL, KERNEL) };
  const halve = { kernel_shape: ints(2, 2), strides: ints(2, 2) };
  let value = append("Conv", ["input", "conv1.weight", "conv1.bias"], { ...kernel, pads: ints(PAD, PAD, PAD, PAD) });
  value = append("MaxPool", [append("Relu", [value])], halve);
  value = append("Conv", [value, "conv2.weight", "conv2.bias"], kernel);
  value = append("Flatten", [append("MaxPool", [append("Relu", [value])], halve)]);
  for (let layer = 1; layer <= sizes.hidden.length + 1; layer++) {
    if (layer > 1) value = append("Relu", [value]);
    value = append("Gemm", [value, `fc${layer}.weight`, `fc${layer}.bias`], { transB: int(1) });
  }
  return {
    irVersion: 8,
    producer: "touchstone",
    operatorSets: [{ domain: "", version: 17 }],
    graph: {
      name: "digits-cnn",
      nodes,
      initializers,
      inputs: [{ name: "input", type: OnnxType.float32, dimensions: ["batch", 1, sizes.side, sizes.side] }],
      outputs: [{ name: value, type: OnnxType.float32, dimensions: ["batch", sizes.classes] }],
    },
  };
}

/** Uniform initial weights from a seed, the same on every machine: ±√(6 / inputs) for weights (He), 0 for biases. */
export function lenetWeights(sizes: LenetSizes, seed: bigint): Map<string, Float32Array> {
  return new Map(
    [...lenetParameters(sizes)].map(([name, shape], index) => {
      const count = shape.reduce((a, b) => a * b);
      const bound = shape.length === 1 ? 0 : Math.sqrt((6 * shape[0]!) / count);
      // The upper 24 bits are a float32 without rounding.
      const uniform = (word: number) => bound * ((word >>> 8) * 2 ** -23 - 1);
      return [name, Float32Array.from(initialWords(seed, index, count), uniform)];
    }),
  );
}
