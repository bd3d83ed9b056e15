/** A network's training step in ONNX Runtime's own operators, with AdamW. */
import { OnnxType } from "../../shared/onnx/model.ts";
import type { AdamSettings } from "../../shared/task/settings.ts";
import type { Training } from "../models/training.ts";
import { Tape, type Value } from "./tape.ts";

export interface NativeStep {
  readonly model: Uint8Array;
  /** State inputs: parameters, then first, then second moments; and the outputs that replace them. */
  readonly state: readonly { readonly input: string; readonly output: string; readonly shape: readonly number[] }[];
  readonly scalars: readonly string[];
  readonly inputShape: readonly number[];
  readonly targetShape: readonly number[];
  readonly loss: string;
}

export function nativeStep({
  architecture,
  batch,
  parameters,
  optimizer,
  inputWidth,
  targetWidth,
}: Training): NativeStep {
  const tape = new Tape();
  const inputShape =
    architecture.kind === "cnn" ? [batch, 1, architecture.side, architecture.side] : [batch, inputWidth];
  const input = tape.input("input", architecture.kind === "cnn" ? OnnxType.float32 : OnnxType.int32, inputShape);
  const targets = tape.input("target", OnnxType.int32, [batch * targetWidth, 1]);
  const scalars = ["rate", "correction1", "correction2"].map((name) => tape.input(name, OnnxType.float32, []));
  const inputsOf = (suffix: string) =>
    parameters.map(({ name, shape }) => tape.input(`${name}${suffix}`, OnnxType.float32, shape));
  const [values, firsts, seconds] = [inputsOf(""), inputsOf(".m"), inputsOf(".v")];
  const named = new Map(values.map((value) => [value.name, value]));
  const logits = NETWORKS[architecture.kind](tape, input, (name) => named.get(name)!, architecture as never);
  const loss = tape.crossEntropy(logits, targets);
  const updates = values.map((value, p) => {
    const moments = [firsts[p]!, seconds[p]!] as const;
    return adamw(tape, optimizer, scalars as [Value, Value, Value], value, moments, tape.gradientOf(value));
  });
  const state = [values, firsts, seconds].flatMap((inputs, part) =>
    inputs.map(({ name, shape }, p) => ({ input: name, output: tape.output(updates[p]![part]!), shape })),
  );
  return {
    state,
    scalars: scalars.map(({ name }) => name),
    inputShape,
    targetShape: targets.shape,
    loss: tape.output(loss),
    model: tape.encode(),
  };
}

type Find = (name: string) => Value;
type Kind = Training["architecture"]["kind"];
type Of<K extends Kind> = Extract<Training["architecture"], { kind: K }>;

const NETWORKS: { readonly [K in Kind]: (tape: Tape, input: Value, find: Find, architecture: Of<K>) => Value } = {
  mlp(tape, tokens, find, { context, hidden }) {
    const looked = tape.embedding(find("embedding.weight"), tokens);
    let value = tape.view(looked, [tokens.shape[0]!, context * looked.shape.at(-1)!]);
    for (let layer = 1; layer <= hidden + 1; layer++) {
      value = tape.linear(value, find(`fc${layer}.weight`), find(`fc${layer}.bias`));
      if (layer <= hidden) value = tape.tanh(value);
    }
    return value;
  },
  cnn(tape, images, find) {
    let value = images;
    for (const layer of [1, 2]) {
      value = tape.conv(value, find(`conv${layer}.weight`), find(`conv${layer}.bias`), layer === 1);
      value = tape.maxPool(tape.relu(value));
    }
    const [batch, ...rest] = value.shape as [number, ...number[]];
    value = tape.view(value, [batch, rest.reduce((n, d) => n * d, 1)]);
    value = tape.relu(tape.linear(value, find("fc1.weight"), find("fc1.bias")));
    return tape.linear(value, find("fc2.weight"), find("fc2.bias"));
  },
  gpt(tape, tokens, find, { layers, heads, context }) {
    const [batch] = tokens.shape as [number];
    const rows = batch * context;
    const embedded = tape.add(tape.embedding(find("wte"), tokens), find("wpe"));
    const width = embedded.shape.at(-1)!;
    const perHead = width / heads;
    let value = tape.view(embedded, [rows, width]);
    const linear = (x: Value, name: string) => tape.linear(x, find(`${name}.weight`), find(`${name}.bias`));
    const norm = (x: Value, name: string) => tape.layerNorm(x, find(`${name}.weight`), find(`${name}.bias`));
    const masked = Float32Array.from({ length: context * context }, (_, i) =>
      i % context > Math.floor(i / context) ? -1e4 : 0,
    );
    const mask = tape.constant(masked, [context, context]);
    for (let layer = 0; layer < layers; layer++) {
      const at = `h${layer}`;
      const parts = tape.split(linear(norm(value, `${at}.ln1`), `${at}.qkv`), 3);
      const [q, k, v] = parts.map((part) => tape.view(part, [batch, context, heads, perHead])) as [Value, Value, Value];
      const scores = tape.matmul(tape.permute(q, [0, 2, 1, 3]), tape.permute(k, [0, 2, 3, 1]));
      const weights = tape.softmax(tape.mask(tape.scale(scores, 1 / Math.sqrt(perHead)), mask));
      const mixed = tape.permute(tape.matmul(weights, tape.permute(v, [0, 2, 1, 3])), [0, 2, 1, 3]);
      value = tape.add(value, linear(tape.view(mixed, [rows, width]), `${at}.proj`));
      const wide = tape.gelu(linear(norm(value, `${at}.ln2`), `${at}.fc`));
      value = tape.add(value, linear(wide, `${at}.out`));
    }
    return linear(norm(value, "ln"), "head");
  },
};

/** The parameter and its moments after the step; decay applies to rank 2 and above. */
function adamw(
  tape: Tape,
  { beta1, beta2, epsilon, weightDecay }: AdamSettings,
  [rate, correction1, correction2]: readonly [Value, Value, Value],
  value: Value,
  [first, second]: readonly [Value, Value],
  gradient: Value,
): readonly [Value, Value, Value] {
  const multiply = (a: Value, b: Value) => tape.binary("Mul", a, b);
  const scale = (x: Value, factor: number) => multiply(x, tape.float(factor));
  const nextFirst = tape.binary("Add", scale(first, beta1), scale(gradient, 1 - beta1));
  const nextSecond = tape.binary("Add", scale(second, beta2), scale(multiply(gradient, gradient), 1 - beta2));
  const root = tape.unary("Sqrt", multiply(nextSecond, correction2));
  const direction = tape.binary("Div", nextFirst, tape.binary("Add", root, tape.float(epsilon)));
  const change = multiply(direction, multiply(rate, correction1));
  const keep = tape.binary("Sub", tape.float(1), scale(rate, weightDecay));
  const kept = value.shape.length >= 2 ? multiply(value, keep) : value;
  return [tape.binary("Sub", kept, change), nextFirst, nextSecond];
}
