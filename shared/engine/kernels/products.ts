/** Matrix products in float64 by ONNX Runtime: one small session for each form, whatever the sizes. */
import type * as onnxruntime from "onnxruntime-node";
import { encodeModel } from "../../onnx/encode.ts";
import { type OnnxNode, OnnxType } from "../../onnx/model.ts";
import type { Runtime } from "../session.ts";
import type { ProductCommand } from "./plan.ts";

type OrtTensor = onnxruntime.Tensor;

/** A product that is bound to its memory. */
export type BoundProduct = () => Promise<void>;

export class Products {
  readonly #runtime: Runtime;
  readonly #sessions = new Map<string, Promise<onnxruntime.InferenceSession>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @param view the doubles of a buffer. */
  async bind(product: ProductCommand, view: (buffer: number, length: number) => Float64Array): Promise<BoundProduct> {
    const { batch, rows, columns, length, transposed } = product;
    const leading = batch === null ? [] : [batch];
    const [transA, transB] = transposed;
    const session = await this.#session(batch !== null, transA, transB);
    const tensor = (buffer: number, shape: readonly number[]): OrtTensor =>
      new this.#runtime.library.Tensor(
        "float64",
        view(
          buffer,
          shape.reduce((n, d) => n * d, 1),
        ),
        shape,
      );
    const feeds = {
      a: tensor(product.a, [...leading, ...(transA ? [length, rows] : [rows, length])]),
      b: tensor(product.b, [...leading, ...(transB ? [columns, length] : [length, columns])]),
    };
    const c = tensor(product.c, [...leading, rows, columns]);
    if (this.#runtime.fillsOutputs) {
      return async () => {
        await session.run(feeds, { c });
      };
    }
    return async () => {
      const { c: result } = await session.run(feeds, ["c"]);
      (c.data as Float64Array).set(result!.data as Float64Array);
    };
  }

  async release(): Promise<void> {
    // Those that could not be opened hold nothing.
    const opened = await Promise.allSettled(this.#sessions.values());
    this.#sessions.clear();
    await Promise.all(opened.map((session) => (session.status === "fulfilled" ? session.value.release() : undefined)));
  }

  #session(batched: boolean, transA: boolean, transB: boolean): Promise<onnxruntime.InferenceSession> {
    const key = `${batched} ${transA} ${transB}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const session = this.#runtime.library.InferenceSession.create(productModel(batched, transA, transB), {
      graphOptimizationLevel: "disabled",
      executionMode: "sequential",
      intraOpNumThreads: this.#runtime.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      // Between products the kernels compute; threads that spin meanwhile would take their cores.
      extra: { "session.intra_op.allow_spinning": "0" },
    });
    this.#sessions.set(key, session);
    return session;
  }
}

function productModel(batched: boolean, transA: boolean, transB: boolean): Uint8Array {
  const common = { name: "product", domain: "", inputs: ["a", "b"], outputs: ["c"] };
  const flag = (value: boolean) => ({ kind: "int", value: value ? 1 : 0 }) as const;
  const node: OnnxNode = batched
    ? { ...common, operator: "MatMul", attributes: {} }
    : { ...common, operator: "Gemm", attributes: { transA: flag(transA), transB: flag(transB) } };
  const info = (name: string, dimensions: readonly string[]) => ({
    name,
    type: OnnxType.float64,
    dimensions: batched ? ["batch", ...dimensions] : dimensions,
  });
  return encodeModel({
    irVersion: 8,
    producer: "touchstone",
    operatorSets: [{ domain: "", version: 18 }],
    graph: {
      name: "product",
      nodes: [node],
      initializers: [],
      inputs: [info("a", ["a0", "a1"]), info("b", ["b0", "b1"])],
      outputs: [info("c", ["rows", "columns"])],
    },
  });
}
