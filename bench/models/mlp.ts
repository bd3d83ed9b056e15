/** The example's network: an embedding and three linear layers. */
import { mlpModel, mlpWeights } from "../../examples/solidity-mlp/model.ts";
import { tokenFields } from "../../shared/data/text.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { tokenSamples } from "./tokens.ts";
import { type Training, training } from "./training.ts";

const SIZES = { context: 16, vocabulary: 90, embedding: 24, hidden: [192, 128] };

export function mlp(): Training {
  const { context, vocabulary, hidden } = SIZES;
  return training({
    name: "mlp",
    architecture: { kind: "mlp", context, hidden: hidden.length },
    model: encodeModel(mlpModel(SIZES, mlpWeights(SIZES, 3n))),
    batch: 64,
    interval: 80,
    stepsOfRound: 40,
    rate: 3e-3,
    fields: tokenFields(context, vocabulary),
    samples: tokenSamples(1024, context, 1, vocabulary),
  });
}
