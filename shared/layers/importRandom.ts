/** RandomNormal, RandomUniform, their forms "Like" another tensor, and Bernoulli. What they draw is the run's, whatever seed they name. */
import type { ValueId } from "../graph/graph.ts";
import { OnnxType } from "../onnx/model.ts";
import { elementwise } from "./elementwise.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { isHost } from "./importer.ts";
import { bernoulli, normal, uniform } from "./normal.ts";

export const importRandomNormal: Importer = (context) => scaledNormal(context, namedShape(context));
export const importRandomNormalLike: Importer = (context) => scaledNormal(context, likeShape(context));
export const importRandomUniform: Importer = (context) => boundedUniform(context, namedShape(context));
export const importRandomUniformLike: Importer = (context) => boundedUniform(context, likeShape(context));

export const importBernoulli: Importer = (context) => {
  requireFloat(context);
  return bernoulli(context.graph, context.tensor(0), context.graph.takeStream(), context.name);
};

function scaledNormal(context: ImportContext, shape: readonly number[]): ValueId {
  requireFloat(context);
  const { graph, name } = context;
  const mean = finite(context, "mean", 0);
  const deviation = finite(context, "scale", 1);
  const standard = normal(graph, shape, graph.takeStream(), `${name}.standard`);
  if (mean === 0 && deviation === 1) return standard;
  return elementwise(graph, name, "normal", [standard], (map, [z]) =>
    map.flush(map.add(map.mul(z!, map.immediate(deviation)), map.immediate(mean))),
  );
}

function boundedUniform(context: ImportContext, shape: readonly number[]): ValueId {
  requireFloat(context);
  const { graph, name } = context;
  return uniform(graph, shape, finite(context, "low", 0), finite(context, "high", 1), graph.takeStream(), name);
}

function namedShape(context: ImportContext): readonly number[] {
  const shape = context.integers(null, "shape");
  if (shape === null || shape.some((dimension) => dimension < 1))
    throw context.error(`its shape is [${shape ?? ""}]`, "Name dimensions from 1 on.");
  return shape;
}

function likeShape(context: ImportContext): readonly number[] {
  const input = context.input(0);
  return isHost(input) ? input.dimensions : context.graph.shape(input);
}

function finite(context: ImportContext, attribute: string, absent: number): number {
  const value = context.float(attribute, absent);
  if (!(Math.abs(value) <= 2 ** 20)) throw context.error(`its ${attribute} is ${value}`, "Keep it within ±2^20.");
  return value;
}

function requireFloat(context: ImportContext): void {
  const type = context.integer("dtype", OnnxType.float32);
  if (type !== OnnxType.float32) throw context.error(`it gives element type ${type}`, "Random numbers are float32.");
}
