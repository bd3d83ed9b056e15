/**
 * Dropout: each element is 0 with probability `rate`, else divided by 1 − rate; a new draw in every step. Gradient: the same elements of the
 * upstream gradient, by the same random numbers. Where evaluation takes `NOT_RANDOM` for these, everything is kept as it is.
 */
import type { SourceGraph, ValueId } from "../graph/graph.ts";
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { elementwise } from "./elementwise.ts";
import type { Importer } from "./importer.ts";
import { NOT_RANDOM, random } from "./random.ts";

/**
 * @param stream as `random`.
 * @throws RangeError when the rate is not in [0, 1).
 */
export function dropout(graph: SourceGraph, input: ValueId, rate: number, stream: number, name: string): ValueId {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`the rate ${rate} is not in [0, 1)`);
  if (rate === 0) return input;
  const numbers = random(graph, graph.shape(input), stream, `${name}.random`);
  const kept = (map: MapBuilder, [x, r]: readonly Register[]): Register => {
    const isRandom = map.less(r!, map.immediate(NOT_RANDOM));
    const factor = map.select(isRandom, map.immediate(1 / (1 - rate)), map.immediate(1));
    return map.select(map.less(r!, map.immediate(rate)), map.immediate(0), map.flush(map.mul(x!, factor)));
  };
  return elementwise(graph, name, "dropout", [input, numbers], kept, (upstream) => [
    [input, elementwise(graph, `${graph.name(input)}.grad`, "dropoutGradient", [upstream!, numbers], kept)],
  ]);
}

const ABSENT_RATE = 0.5;
/** The operator set that gave Dropout its training mode; before, it did nothing outside of frameworks. */
const WITH_TRAINING_MODE = 12;

export const importDropout: Importer = (context) => {
  const input = context.input(0);
  const given = context.has(1) ? context.host(1) : null;
  if (context.has(1) && given === null) throw context.error("its ratio is not constant", "Export it as a constant.");
  const ratio = given?.values[0] ?? context.float("ratio", ABSENT_RATE);
  const mode = context.has(2) ? context.host(2) : null;
  if (context.has(2) && mode === null)
    throw context.error("its training mode is not constant", "Export it as a constant.");
  const drops = context.operatorSet >= WITH_TRAINING_MODE && mode?.values[0] === 1;
  if (!context.training || !drops) return input;
  if (!(ratio >= 0 && ratio < 1)) throw context.error(`its ratio ${ratio} is not in [0, 1)`, "Correct the ratio.");
  const { graph } = context;
  return dropout(graph, context.tensor(0), ratio, graph.takeStream(), context.name);
};
