/** A convolutional network on 28 × 28 images: twice (3 × 3, ReLU, 2 × 2 maximum), then two linear layers. */
import { initialWords } from "../../shared/numerics/philox.ts";
import { OnnxType } from "../../shared/onnx/model.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { Forward, unit } from "./model.ts";
import { type Training, training } from "./training.ts";

const SIDE = 28;
const CLASSES = 10;
const CHANNELS = [1, 16, 32] as const;
const HIDDEN = 128;

export function cnn(): Training {
  return training({
    name: "cnn",
    architecture: { kind: "cnn", side: SIDE },
    model: forwardModel(),
    batch: 64,
    interval: 100,
    stepsOfRound: 8,
    rate: 1e-3,
    fields: [
      { name: "input", dtype: Dtype.float32, offset: 0, width: SIDE * SIDE, minimum: 0, maximum: 1 },
      { name: "target", dtype: Dtype.int32, offset: SIDE * SIDE, width: 1, minimum: 0, maximum: CLASSES - 1 },
    ],
    samples: imageSamples(512),
  });
}

function forwardModel(): Uint8Array {
  const forward = new Forward();
  let value = "input";
  for (const layer of [1, 2]) {
    const [from, to] = [CHANNELS[layer - 1]!, CHANNELS[layer]!];
    const bound = 1 / Math.sqrt(9 * from);
    const weight = forward.parameter(`conv${layer}.weight`, [to, from, 3, 3], { bound });
    const bias = forward.parameter(`conv${layer}.bias`, [to], { bound });
    value = forward.node("Conv", [value, weight, bias], {
      kernel_shape: { kind: "ints", value: [3, 3] },
      pads: { kind: "ints", value: [1, 1, 1, 1] },
    });
    value = forward.node("MaxPool", [forward.node("Relu", [value])], {
      kernel_shape: { kind: "ints", value: [2, 2] },
      strides: { kind: "ints", value: [2, 2] },
    });
  }
  value = forward.node("Flatten", [value]);
  value = forward.node("Relu", [forward.linear("fc1", value, (CHANNELS[2] * SIDE * SIDE) / 16, HIDDEN)]);
  const logits = forward.linear("fc2", value, HIDDEN, CLASSES);
  const input = { type: OnnxType.float32, dimensions: ["batch", 1, SIDE, SIDE] };
  return forward.encode("cnn", input, logits, ["batch", CLASSES]);
}

/** Noise with a bright bar whose place tells the class. */
function imageSamples(count: number): Uint32Array {
  const words = SIDE * SIDE + 1;
  const samples = new Uint32Array(count * words);
  const floats = new Float32Array(samples.buffer);
  for (let sample = 0; sample < count; sample++) {
    const random = initialWords(11n, sample, words);
    const target = random[0]! % CLASSES;
    const pixels = Float32Array.from(random.subarray(1), (word) => unit(word) * 0.5);
    for (let row = 4; row < 24; row++) pixels[row * SIDE + 2 + target * 2] = 1;
    floats.set(pixels, sample * words);
    samples[sample * words + words - 1] = target;
  }
  return samples;
}
