/**
 * The example's training in plain binary64, written from its definition: no grids, no polynomials, no shared code with the
 * compiler. An embedding, Linear layers with tanh between them, softmax cross-entropy, AdamW.
 */
export interface Weights64 {
  readonly [name: string]: Float64Array;
}

export interface Sizes64 {
  readonly context: number;
  readonly vocabulary: number;
  readonly embedding: number;
  readonly hidden: readonly number[];
}

interface Layer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
}

function layersOf({ context, vocabulary, embedding, hidden }: Sizes64): Layer[] {
  const widths = [context * embedding, ...hidden, vocabulary];
  return widths.slice(1).map((outputs, i) => ({ name: `fc${i + 1}`, inputs: widths[i]!, outputs }));
}

/** Mean loss of the rows and its gradient. `tokens` is [rows, context], `targets` [rows]. */
export function lossAndGradient(
  sizes: Sizes64,
  weights: Weights64,
  tokens: readonly (readonly number[])[],
  targets: readonly number[],
): { loss: number; gradient: Weights64 } {
  const layers = layersOf(sizes);
  const gradient: Record<string, Float64Array> = Object.fromEntries(
    Object.entries(weights).map(([name, { length }]) => [name, new Float64Array(length)]),
  );
  let loss = 0;
  for (const [row, context] of tokens.entries()) {
    const table = weights["embedding.weight"]!;
    const activations: Float64Array[] = [
      Float64Array.from(
        context.flatMap((token) => [...table.subarray(token * sizes.embedding, (token + 1) * sizes.embedding)]),
      ),
    ];
    for (const [l, { name, inputs, outputs }] of layers.entries()) {
      const [x, w, b] = [activations[l]!, weights[`${name}.weight`]!, weights[`${name}.bias`]!];
      const z = Float64Array.from({ length: outputs }, (_, o) => {
        let sum = b[o]!;
        for (let i = 0; i < inputs; i++) sum += w[o * inputs + i]! * x[i]!;
        return sum;
      });
      activations.push(l === layers.length - 1 ? z : z.map(Math.tanh));
    }
    const logits = activations.at(-1)!;
    const top = Math.max(...logits);
    const total = logits.reduce((sum, z) => sum + Math.exp(z - top), 0);
    const target = targets[row]!;
    loss += (Math.log(total) + top - logits[target]!) / tokens.length;
    let upstream = logits.map((z, v) => (Math.exp(z - top) / total - (v === target ? 1 : 0)) / tokens.length);
    for (const [l, { name, inputs, outputs }] of [...layers.entries()].reverse()) {
      const [x, w] = [activations[l]!, weights[`${name}.weight`]!];
      const below = new Float64Array(inputs);
      for (let o = 0; o < outputs; o++) {
        gradient[`${name}.bias`]![o]! += upstream[o]!;
        for (let i = 0; i < inputs; i++) {
          gradient[`${name}.weight`]![o * inputs + i]! += upstream[o]! * x[i]!;
          below[i]! += upstream[o]! * w[o * inputs + i]!;
        }
      }
      upstream = l === 0 ? below : below.map((g, i) => g * (1 - x[i]! ** 2));
    }
    for (const [position, token] of context.entries()) {
      for (let e = 0; e < sizes.embedding; e++) {
        gradient["embedding.weight"]![token * sizes.embedding + e]! += upstream[position * sizes.embedding + e]!;
      }
    }
  }
  return { loss, gradient };
}

export interface AdamW64 {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** AdamW with its moments; `step` updates the weights in place. Tensors whose name ends in `.bias` do not decay. */
export class Optimizer64 {
  readonly m: Record<string, Float64Array>;
  readonly v: Record<string, Float64Array>;
  readonly #options: AdamW64;
  #steps = 0;

  constructor(weights: Weights64, options: AdamW64) {
    const zeros = () =>
      Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, new Float64Array(w.length)]));
    this.m = zeros();
    this.v = zeros();
    this.#options = options;
  }

  step(weights: Weights64, gradient: Weights64, rate: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    this.#steps++;
    for (const [name, w] of Object.entries(weights)) {
      const [m, v] = [this.m[name]!, this.v[name]!];
      const decay = name.endsWith(".bias") ? 0 : weightDecay;
      for (let i = 0; i < w.length; i++) {
        const g = gradient[name]![i]!;
        m[i] = beta1 * m[i]! + (1 - beta1) * g;
        v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
        const mean = m[i]! / (1 - beta1 ** this.#steps);
        const square = v[i]! / (1 - beta2 ** this.#steps);
        w[i] = w[i]! * (1 - rate * decay) - (rate * mean) / (Math.sqrt(square) + epsilon);
      }
    }
  }
}
