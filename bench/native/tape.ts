/**
 * A training step in ONNX Runtime's own float32 operators: layers that record how to go back, as one would write it without caring for
 * reproducible bits. Everything that has an operator uses it: LayerNormalization, Softmax, Gelu, Conv, ConvTranspose, MaxPool.
 */
import { encodeModel } from "../../shared/onnx/encode.ts";
import { type OnnxAttribute, type OnnxNode, type OnnxTensor, OnnxType } from "../../shared/onnx/model.ts";

export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}

type Attributes = Readonly<Record<string, OnnxAttribute>>;
type Backward = (gradient: Value) => void;

const int = (value: number): OnnxAttribute => ({ kind: "int", value });
const ints = (...value: number[]): OnnxAttribute => ({ kind: "ints", value });
const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

export class Tape {
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #inputs: { name: string; type: OnnxType; dimensions: readonly number[] }[] = [];
  readonly #outputs: { name: string; type: OnnxType; dimensions: readonly number[] }[] = [];
  readonly #back: { readonly output: Value; readonly run: Backward }[] = [];
  readonly #gradients = new Map<string, Value>();
  #constants = 0;

  input(name: string, type: OnnxType, shape: readonly number[]): Value {
    this.#inputs.push({ name, type, dimensions: shape });
    return { name, shape };
  }

  output(value: Value): string {
    this.#outputs.push({ name: value.name, type: OnnxType.float32, dimensions: value.shape });
    return value.name;
  }

  op(operator: string, inputs: readonly Value[], shape: readonly number[], attributes: Attributes = {}): Value {
    return this.ops(operator, inputs, [shape], attributes)[0]!;
  }

  /** A node of several outputs. */
  ops(
    operator: string,
    inputs: readonly Value[],
    shapes: readonly (readonly number[])[],
    attributes: Attributes = {},
  ): Value[] {
    const name = `${operator}_${this.#nodes.length}`;
    const values = shapes.map((shape, at) => ({ name: at === 0 ? name : `${name}.${at}`, shape }));
    const outputs = values.map((value) => value.name);
    this.#nodes.push({ name, operator, domain: "", inputs: inputs.map((value) => value.name), outputs, attributes });
    return values;
  }

  constant(data: Float32Array | BigInt64Array, shape: readonly number[]): Value {
    const name = `constant_${this.#constants++}`;
    const type = data instanceof Float32Array ? OnnxType.float32 : OnnxType.int64;
    this.#initializers.push({ name, type, dimensions: shape, data } as OnnxTensor);
    return { name, shape };
  }

  float(value: number): Value {
    return this.constant(Float32Array.of(value), []);
  }

  integers(...values: number[]): Value {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length]);
  }

  binary(operator: string, a: Value, b: Value): Value {
    return this.op(operator, [a, b], size(a.shape) >= size(b.shape) ? a.shape : b.shape);
  }

  unary(operator: string, a: Value): Value {
    return this.op(operator, [a], a.shape);
  }

  reshape(value: Value, shape: readonly number[]): Value {
    return this.op("Reshape", [value, this.integers(...shape)], shape);
  }

  transpose(value: Value, permutation: readonly number[]): Value {
    const shape = permutation.map((axis) => value.shape[axis]!);
    return this.op("Transpose", [value], shape, { perm: ints(...permutation) });
  }

  cast(value: Value, type: OnnxType): Value {
    return this.op("Cast", [value], value.shape, { to: int(type) });
  }

  sum(value: Value, axes: readonly number[], keep = false): Value {
    return this.#reduce("ReduceSum", value, axes, keep);
  }

  /** Records how a gradient of `output` goes on. */
  record(output: Value, run: Backward): Value {
    this.#back.push({ output, run });
    return output;
  }

  give(value: Value, gradient: Value): void {
    const before = this.#gradients.get(value.name);
    this.#gradients.set(value.name, before === undefined ? gradient : this.binary("Add", before, gradient));
  }

  /** Runs back from `output`; afterwards `gradientOf` knows all. */
  backward(output: Value, gradient: Value): void {
    this.give(output, gradient);
    for (const { output: value, run } of this.#back.toReversed()) {
      const upstream = this.#gradients.get(value.name);
      if (upstream !== undefined) run(upstream);
    }
  }

  gradientOf(value: Value): Value {
    return this.#gradients.get(value.name)!;
  }

  /** Rows of `table` [rows, width] at int32 `index` of any shape. */
  embedding(table: Value, index: Value): Value {
    const width = table.shape[1]!;
    const output = this.op("Gather", [table, index], [...index.shape, width]);
    return this.record(output, (gradient) => {
      const count = size(index.shape);
      const rows = this.cast(this.reshape(index, [count, 1]), OnnxType.int64);
      const zeros = this.op("ConstantOfShape", [this.integers(...table.shape)], table.shape);
      const attributes: Attributes = { reduction: { kind: "string", value: "add" } };
      this.give(
        table,
        this.op("ScatterND", [zeros, rows, this.reshape(gradient, [count, width])], table.shape, attributes),
      );
    });
  }

  /** x [rows, from] · weightᵀ + bias, weight [to, from]. */
  linear(x: Value, weight: Value, bias: Value): Value {
    const [rows, from] = x.shape as [number, number];
    const to = weight.shape[0]!;
    const output = this.op("Gemm", [x, weight, bias], [rows, to], { transB: int(1) });
    return this.record(output, (gradient) => {
      this.give(weight, this.op("Gemm", [gradient, x], [to, from], { transA: int(1) }));
      this.give(bias, this.sum(gradient, [0]));
      this.give(x, this.op("MatMul", [gradient, weight], [rows, from]));
    });
  }

  /** Over equal leading axes. */
  matmul(a: Value, b: Value): Value {
    const [rows, columns] = [a.shape.at(-2)!, b.shape.at(-1)!];
    const leading = a.shape.slice(0, -2);
    const last = a.shape.length - 1;
    const flipped = [...leading.keys(), last, last - 1];
    const output = this.op("MatMul", [a, b], [...leading, rows, columns]);
    return this.record(output, (gradient) => {
      this.give(a, this.op("MatMul", [gradient, this.transpose(b, flipped)], a.shape));
      this.give(b, this.op("MatMul", [this.transpose(a, flipped), gradient], b.shape));
    });
  }

  add(a: Value, b: Value): Value {
    return this.record(this.binary("Add", a, b), (gradient) => {
      this.give(a, gradient);
      const extra = gradient.shape.length - b.shape.length;
      this.give(b, extra === 0 ? gradient : this.sum(gradient, [...Array(extra).keys()]));
    });
  }

  scale(a: Value, factor: number): Value {
    const by = this.float(factor);
    return this.record(this.binary("Mul", a, by), (gradient) => this.give(a, this.binary("Mul", gradient, by)));
  }

  /** A constant is added; the gradient passes. */
  mask(a: Value, mask: Value): Value {
    return this.record(this.binary("Add", a, mask), (gradient) => this.give(a, gradient));
  }

  view(a: Value, shape: readonly number[]): Value {
    return this.record(this.reshape(a, shape), (gradient) => this.give(a, this.reshape(gradient, a.shape)));
  }

  permute(a: Value, permutation: readonly number[]): Value {
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return this.record(this.transpose(a, permutation), (gradient) => this.give(a, this.transpose(gradient, inverse)));
  }

  /** Equal parts of the last axis. */
  split(a: Value, parts: number): Value[] {
    const axis = a.shape.length - 1;
    const shape = a.shape.with(axis, a.shape[axis]! / parts);
    const outputs = this.ops("Split", [a], new Array(parts).fill(shape), { axis: int(axis), num_outputs: int(parts) });
    this.record(outputs[0]!, () => {
      const gradients = outputs.map((output) => this.gradientOf(output));
      this.give(a, this.op("Concat", gradients, a.shape, { axis: int(axis) }));
    });
    return outputs;
  }

  tanh(x: Value): Value {
    const output = this.unary("Tanh", x);
    return this.record(output, (gradient) => {
      const slope = this.binary("Sub", this.binary("Mul", output, output), this.float(1));
      this.give(x, this.unary("Neg", this.binary("Mul", gradient, slope)));
    });
  }

  relu(x: Value): Value {
    const output = this.unary("Relu", x);
    return this.record(output, (gradient) => {
      const positive = this.cast(this.binary("Greater", output, this.float(0)), OnnxType.float32);
      this.give(x, this.binary("Mul", gradient, positive));
    });
  }

  gelu(x: Value): Value {
    return this.record(this.unary("Gelu", x), (gradient) => {
      const half = this.binary(
        "Mul",
        this.unary("Erf", this.binary("Mul", x, this.float(Math.SQRT1_2))),
        this.float(0.5),
      );
      const bell = this.unary("Exp", this.binary("Mul", this.binary("Mul", x, x), this.float(-0.5)));
      const tail = this.binary("Mul", this.binary("Mul", x, bell), this.float(1 / Math.sqrt(2 * Math.PI)));
      const slope = this.binary("Add", this.binary("Add", half, this.float(0.5)), tail);
      this.give(x, this.binary("Mul", gradient, slope));
    });
  }

  softmax(x: Value): Value {
    const output = this.op("Softmax", [x], x.shape, { axis: int(-1) });
    return this.record(output, (gradient) => {
      const product = this.binary("Mul", gradient, output);
      const total = this.sum(product, [x.shape.length - 1], true);
      this.give(x, this.binary("Mul", this.binary("Sub", gradient, total), output));
    });
  }

  layerNorm(x: Value, weight: Value, bias: Value): Value {
    const axis = x.shape.length - 1;
    const kept = x.shape.with(axis, 1);
    const [output, mean, deviation] = this.ops("LayerNormalization", [x, weight, bias], [x.shape, kept, kept], {
      axis: int(-1),
      epsilon: { kind: "float", value: 1e-5 },
    });
    return this.record(output!, (gradient) => {
      const normal = this.binary("Mul", this.binary("Sub", x, mean!), deviation!);
      const leading = [...x.shape.keys()].slice(0, -1);
      this.give(weight, this.sum(this.binary("Mul", gradient, normal), leading));
      this.give(bias, this.sum(gradient, leading));
      const scaled = this.binary("Mul", gradient, weight);
      const along = this.binary(
        "Mul",
        normal,
        this.#reduce("ReduceMean", this.binary("Mul", scaled, normal), [axis], true),
      );
      const centred = this.binary("Sub", scaled, this.#reduce("ReduceMean", scaled, [axis], true));
      this.give(x, this.binary("Mul", this.binary("Sub", centred, along), deviation!));
    });
  }

  /** 3 × 3, padding 1. */
  conv(x: Value, weight: Value, bias: Value, isFirst: boolean): Value {
    const pads: Attributes = { pads: ints(1, 1, 1, 1), kernel_shape: ints(3, 3) };
    const output = this.op("Conv", [x, weight, bias], [x.shape[0]!, weight.shape[0]!, ...x.shape.slice(2)], pads);
    return this.record(output, (gradient) => {
      // The weight's gradient is a convolution of channels over the batch.
      const across = this.op(
        "Conv",
        [this.transpose(x, [1, 0, 2, 3]), this.transpose(gradient, [1, 0, 2, 3])],
        [weight.shape[1]!, weight.shape[0]!, 3, 3],
        { pads: ints(1, 1, 1, 1) },
      );
      this.give(weight, this.transpose(across, [1, 0, 2, 3]));
      this.give(bias, this.sum(gradient, [0, 2, 3]));
      if (!isFirst) this.give(x, this.op("ConvTranspose", [gradient, weight], x.shape, pads));
    });
  }

  /** 2 × 2, stride 2. */
  maxPool(x: Value): Value {
    const [n, c, h, w] = x.shape as [number, number, number, number];
    const shape = [n, c, h / 2, w / 2];
    const [output, index] = this.ops("MaxPool", [x], [shape, shape], { kernel_shape: ints(2, 2), strides: ints(2, 2) });
    return this.record(output!, (gradient) => {
      const zeros = this.op("ConstantOfShape", [this.integers(size(x.shape))], [size(x.shape)]);
      const flat = [size(shape)];
      const spread = this.op(
        "ScatterElements",
        [zeros, this.reshape(index!, flat), this.reshape(gradient, flat)],
        zeros.shape,
      );
      this.give(x, this.reshape(spread, x.shape));
    });
  }

  /** Mean over rows of logits [rows, classes] against int32 targets [rows, 1]; its gradient is given at once. */
  crossEntropy(logits: Value, targets: Value): Value {
    const [rows, classes] = logits.shape as [number, number];
    const logarithms = this.op("LogSoftmax", [logits], logits.shape, { axis: int(1) });
    const ofTarget = this.op("GatherElements", [logarithms, targets], [rows, 1], { axis: int(1) });
    const mean = this.op("ReduceMean", [ofTarget], [], { keepdims: int(0) });
    const depth = this.constant(BigInt64Array.of(BigInt(classes)), []);
    const ends = this.constant(Float32Array.of(0, 1), [2]);
    const wide = this.cast(this.reshape(targets, [rows]), OnnxType.int64);
    const wanted = this.op("OneHot", [wide, depth, ends], [rows, classes]);
    const difference = this.binary("Sub", this.unary("Exp", logarithms), wanted);
    this.backward(logits, this.binary("Mul", difference, this.float(1 / rows)));
    return this.unary("Neg", mean);
  }

  encode(): Uint8Array {
    return encodeModel({
      irVersion: 8,
      producer: "touchstone bench",
      operatorSets: [{ domain: "", version: 20 }],
      graph: {
        name: "native step",
        nodes: this.#nodes,
        initializers: this.#initializers,
        inputs: this.#inputs,
        outputs: this.#outputs,
      },
    });
  }

  #reduce(operator: string, value: Value, axes: readonly number[], keep: boolean): Value {
    const shape = keep
      ? value.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
      : value.shape.filter((_, axis) => !axes.includes(axis));
    return this.op(operator, [value, this.integers(...axes)], shape, { keepdims: int(keep ? 1 : 0) });
  }
}
