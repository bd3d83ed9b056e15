/** ONNX Runtime's own operators at its default optimisation level, buffers reused as a careful user would. */
import * as onnxruntime from "onnxruntime-node";
import { wordCount } from "../../shared/program/descriptor.ts";
import type { Contender } from "../contender.ts";
import { type Training, trainingStep } from "../models/training.ts";
import { nativeStep } from "./step.ts";

const { InferenceSession, Tensor } = onnxruntime;

export async function nativeContender(training: Training, threads: number): Promise<Contender> {
  const { model, state, scalars, inputShape, targetShape, loss } = nativeStep(training);
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const empty = () => state.map(({ shape }) => new Tensor("float32", new Float32Array(wordCount(shape)), shape));
  let [before, after] = [empty(), empty()];
  for (const [p, { values }] of training.parameters.entries()) (before[p]!.data as Float32Array).set(values);

  const step = async (number: number): Promise<number> => {
    const { input, targets, rate, corrections } = trainingStep(training, number);
    const feeds: Record<string, onnxruntime.Tensor> = {
      input:
        input instanceof Float32Array
          ? new Tensor("float32", input, inputShape)
          : new Tensor("int32", input, inputShape),
      target: new Tensor("int32", targets, targetShape),
    };
    for (const [at, value] of [rate, ...corrections].entries()) {
      feeds[scalars[at]!] = new Tensor("float32", Float32Array.of(value), []);
    }
    const fetches: Record<string, onnxruntime.Tensor | null> = { [loss]: null };
    for (const [p, { input: name, output }] of state.entries()) {
      feeds[name] = before[p]!;
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
