/**
 * BatchNormalization, InstanceNormalization and GroupNormalization of ONNX. In training, running statistics follow the text of ONNX: running · momentum +
 * current · (1 − momentum), with the population variance in both places, where PyTorch keeps the unbiased one.
 */

import type { ValueId } from "../graph/graph.ts";
import { wordCount } from "../program/descriptor.ts";
import { add } from "./add.ts";
import { numbersTensor } from "./cover.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { constant } from "./leaf.ts";
import { multiply } from "./multiply.ts";
import { normalise, normaliseBy, runningStatistic } from "./normalise.ts";
import { fromPlanes, toPlanes } from "./planes.ts";
import { reshape } from "./reshape.ts";

/** Least ε: with it a variance of 0 gives a factor of 2^20. */
const LEAST_EPSILON = 2 ** -40;

function epsilonOf(context: ImportContext): number {
  const epsilon = context.float("epsilon", 1e-5);
  if (!(epsilon >= LEAST_EPSILON && epsilon <= 1)) {
    throw context.error(`epsilon is ${epsilon}`, "Use an epsilon from 1e-12 to 1.");
  }
  return epsilon;
}

/** Named after γ where that is a parameter. */
function nameOf({ graph, name }: ImportContext, gamma: ValueId): string {
  return `${graph.node(gamma).layer === "state" ? layerName(graph, gamma) : name}.normal`;
}

/** Inputs that hold one number for each channel. */
function perChannel(context: ImportContext, x: ValueId, ...inputs: number[]): ValueId[] {
  const { graph } = context;
  const channels = graph.shape(x)[1];
  if (channels === undefined) throw context.error(`[${graph.shape(x)}] has no channels`, "Correct the model.");
  return inputs.map((index) => {
    const each = context.tensor(index);
    if (`${graph.shape(each)}` !== `${channels}`) {
      throw context.error(`input ${index} [${graph.shape(each)}] does not fit ${channels} channels`, "Correct it.");
    }
    return each;
  });
}

export const importBatchNormalization: Importer = (context) => {
  const { graph } = context;
  const x = context.tensor(0);
  const epsilon = epsilonOf(context);
  const [gamma, beta, mean, variance] = perChannel(context, x, 1, 2, 3, 4) as [ValueId, ValueId, ValueId, ValueId];
  const name = nameOf(context, gamma);
  const planes = toPlanes(graph, x);
  const spatial = graph.shape(x).slice(2);
  // Before operator set 14, outputs for the statistics say that they are to be computed.
  const computes = context.operatorSet >= 14 ? context.integer("training_mode", 0) !== 0 : context.wants(1);
  if (!computes || !context.training) {
    if (context.training) for (const frozen of [mean, variance]) context.stateUpdate(frozen, null);
    return fromPlanes(graph, normaliseBy(graph, planes, { gamma, beta, mean, variance }, epsilon, name), spatial);
  }
  const momentum = context.float("momentum", 0.9);
  if (!(momentum >= 0 && momentum <= 1)) throw context.error(`momentum is ${momentum}`, "Use one from 0 to 1.");
  const batch = normalise(graph, planes, gamma, beta, "positions and batch", epsilon, name);
  const next = [
    [mean, batch.mean],
    [variance, batch.variance],
  ].map(([before, now]) => {
    const after = runningStatistic(graph, before!, now!, momentum);
    context.stateUpdate(before!, after);
    return after;
  });
  return [fromPlanes(graph, batch.output, spatial), ...next];
};

export const importInstanceNormalization: Importer = (context) => {
  const { graph } = context;
  const x = context.tensor(0);
  const [gamma, beta] = perChannel(context, x, 1, 2) as [ValueId, ValueId];
  const name = nameOf(context, gamma);
  const spatial = graph.shape(x).slice(2);
  if (spatial.length === 0) throw context.error(`[${graph.shape(x)}] has no spatial axes`, "Correct the model.");
  const { output } = normalise(graph, toPlanes(graph, x), gamma, beta, "positions", epsilonOf(context), name);
  return fromPlanes(graph, output, spatial);
};

export const importGroupNormalization: Importer = (context) => {
  const { graph } = context;
  const x = context.tensor(0);
  const shape = graph.shape(x);
  const [batch, channels, ...spatial] = shape as [number, number, ...number[]];
  const groups = context.integer("num_groups", 0);
  if (!(groups >= 1) || channels % groups !== 0) {
    throw context.error(`${groups} groups of ${channels} channels`, "Correct num_groups.");
  }
  const [scale, bias] = [context.tensor(1), context.tensor(2)];
  // Before operator set 21, scale and bias are those of the groups.
  const count = context.operatorSet >= 21 ? channels : groups;
  if ([scale, bias].some((each) => `${graph.shape(each)}` !== `${count}`)) {
    throw context.error(`scale and bias are not [${count}]`, "Correct the model.");
  }
  const name = nameOf(context, scale);
  const grouped = reshape(graph, x, [batch, groups, wordCount(shape.slice(1)) / groups]);
  const filled = (number: number, label: string): ValueId =>
    constant(graph, `${name}.${label}`, numbersTensor([groups], new Array<number>(groups).fill(number)));
  const [gamma, beta] = count === groups ? [scale, bias] : [filled(1, "one"), filled(0, "zero")];
  const { output } = normalise(graph, toPlanes(graph, grouped), gamma, beta, "positions", epsilonOf(context), name);
  const normal = reshape(graph, fromPlanes(graph, output, [graph.shape(grouped)[2]!]), shape);
  if (count === groups) return normal;
  const column = (each: ValueId) => reshape(graph, each, [channels, ...spatial.map(() => 1)]);
  return add(graph, multiply(graph, normal, column(scale), `${name}.scaled`), column(bias), `${name}.out`);
};
