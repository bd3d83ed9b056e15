/** A decoder-only transformer, as GPT-2: layer norms before attention and before the two wide layers, GELU, learnt positions. */
import { tokenFields } from "../../shared/data/text.ts";
import { type OnnxAttribute, OnnxType } from "../../shared/onnx/model.ts";
import { Forward } from "./model.ts";
import { tokenSamples } from "./tokens.ts";
import { type Training, training } from "./training.ts";

export interface GptSizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly context: number;
  readonly vocabulary: number;
}

export function gpt(): Training {
  const sizes = { layers: 4, width: 128, heads: 4, context: 64, vocabulary: 96 };
  return gptTraining("gpt", sizes, { batch: 16, stepsOfRound: 6, samples: 512 });
}

/** Matrices take nearly all of its time. */
export function wideGpt(): Training {
  const sizes = { layers: 2, width: 512, heads: 8, context: 64, vocabulary: 96 };
  return gptTraining("gpt-wide", sizes, { batch: 8, stepsOfRound: 6, samples: 256 });
}

export function gptTraining(
  name: string,
  sizes: GptSizes,
  { batch, stepsOfRound, samples }: { batch: number; stepsOfRound: number; samples: number },
): Training {
  const { layers, heads, context, vocabulary } = sizes;
  return training({
    name,
    architecture: { kind: "gpt", layers, heads, context },
    model: forwardModel(name, sizes, batch),
    batch,
    interval: 100,
    stepsOfRound,
    rate: 1e-3,
    fields: tokenFields(context, vocabulary, context),
    samples: tokenSamples(samples, context, context, vocabulary),
  });
}

const ints = (...value: number[]): OnnxAttribute => ({ kind: "ints", value });
const int = (value: number): OnnxAttribute => ({ kind: "int", value });

function forwardModel(
  name: string,
  { layers, width, heads, context, vocabulary }: GptSizes,
  batch: number,
): Uint8Array {
  const forward = new Forward();
  const { node } = { node: forward.node.bind(forward) };
  const norm = (x: string, at: string): string => {
    const weight = forward.parameter(`${at}.weight`, [width], { fill: 1 });
    const bias = forward.parameter(`${at}.bias`, [width], { fill: 0 });
    return node("LayerNormalization", [x, weight, bias], { axis: int(-1), epsilon: { kind: "float", value: 1e-5 } });
  };
  const masked = Float32Array.from({ length: context * context }, (_, i) =>
    i % context > Math.floor(i / context) ? -1e4 : 0,
  );
  const mask = forward.constant([context, context], masked);
  const table = forward.parameter("wte", [vocabulary, width], { bound: 0.05 });
  const positions = forward.parameter("wpe", [context, width], { bound: 0.05 });
  let value = node("Add", [node("Gather", [table, "input"]), positions]);
  for (let layer = 0; layer < layers; layer++) {
    const at = `h${layer}`;
    const joined = forward.linear(`${at}.qkv`, norm(value, `${at}.ln1`), width, 3 * width);
    const part = (index: number, permutation: number[]): string => {
      const slice = node("Slice", [
        joined,
        forward.integers(index * width),
        forward.integers((index + 1) * width),
        forward.integers(2),
      ]);
      const split = node("Reshape", [slice, forward.integers(batch, context, heads, width / heads)]);
      return node("Transpose", [split], { perm: ints(...permutation) });
    };
    const scores = node("MatMul", [part(0, [0, 2, 1, 3]), part(1, [0, 2, 3, 1])]);
    const scaled = node("Mul", [scores, forward.constant([], Float32Array.of(1 / Math.sqrt(width / heads)))]);
    const weights = node("Softmax", [node("Add", [scaled, mask])], { axis: int(-1) });
    const mixed = node("Transpose", [node("MatMul", [weights, part(2, [0, 2, 1, 3])])], { perm: ints(0, 2, 1, 3) });
    const flat = node("Reshape", [mixed, forward.integers(batch, context, width)]);
    value = node("Add", [value, forward.linear(`${at}.proj`, flat, width, width)]);
    const wide = node("Gelu", [forward.linear(`${at}.fc`, norm(value, `${at}.ln2`), width, 4 * width)]);
    value = node("Add", [value, forward.linear(`${at}.out`, wide, 4 * width, width)]);
  }
  const logits = forward.linear("head", norm(value, "ln"), width, vocabulary);
  const input = { type: OnnxType.int64, dimensions: [batch, context] };
  return forward.encode(name, input, logits, [batch, context, vocabulary]);
}
