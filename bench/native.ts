/** ONNX Runtime's own operators at its default optimisation level, buffers reused as the engine reuses them. */
import * as onnxruntime from "onnxruntime-node";
import { wordCount } from "../shared/program/descriptor.ts";
import type { Contender } from "./contender.ts";
import type { MlpTraining } from "./mlpTraining.ts";
import { nativeModel } from "./nativeModel.ts";

const { InferenceSession, Tensor } = onnxruntime;

export async function nativeContender(training: MlpTraining, threads: number): Promise<Contender> {
  const { model, state, inputs, loss } = nativeModel(training);
  const session = await InferenceSession.create(model, { intraOpNumThreads: threads, interOpNumThreads: 1 });
  const empty = () => state.map(({ shape }) => new Tensor("float32", new Float32Array(wordCount(shape)), shape));
  let [before, after] = [empty(), empty()];
  for (const [p, { values }] of training.parameters.entries()) (before[p]!.data as Float32Array).set(values);
  const { batch, context } = training;

  const step = async (number: number): Promise<number> => {
    const { tokens, targets, rate, corrections } = training.step(number);
    const feeds: Record<string, onnxruntime.Tensor> = {
      [inputs.tokens]: new Tensor("int32", tokens, [batch, context]),
      [inputs.targets]: new Tensor("int32", targets, [batch, 1]),
    };
    for (const [at, value] of [rate, ...corrections].entries()) {
      feeds[inputs.scalars[at]!] = new Tensor("float32", Float32Array.of(value), []);
    }
    const fetches: Record<string, onnxruntime.Tensor | null> = { [loss]: null };
    for (const [p, { input, output }] of state.entries()) {
      feeds[input] = before[p]!;
      fetches[output] = after[p]!;
    }
    const results = await session.run(feeds, fetches);
    [before, after] = [after, before];
    return Number(results[loss]!.data[0]);
  };

  return {
    async train(first, count) {
      const losses: number[] = [];
      for (let i = 0; i < count; i++) losses.push(await step(first + i));
      return losses;
    },
    close: () => session.release(),
  };
}
