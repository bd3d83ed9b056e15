/** MaxPool, AveragePool, GlobalAveragePool and GlobalMaxPool of ONNX, over one or two spatial axes. */

import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { asImage, fromImage, importWindows, type PaddedWindows, windowAttributes } from "./importWindows.ts";
import { averagePool, countTaps, globalAveragePool, maxPool } from "./pool.ts";

/** The windows of a pool over its input. */
function poolWindows(context: ImportContext): PaddedWindows {
  const spatial = context.graph.shape(context.tensor(0)).slice(2);
  const padded = importWindows(context, spatial, windowAttributes(context, spatial.length, null));
  if (countTaps(padded.windows, null).some((count) => count === 0)) {
    throw context.error("a window lies in the padding alone", "Use less padding than the kernel is wide.");
  }
  return padded;
}

export const importMaxPool: Importer = (context) => {
  const { graph } = context;
  const x = context.tensor(0);
  if (context.wants(1)) throw context.error("its second output is used", "Use only the maxima.");
  const { windows } = poolWindows(context);
  const y = maxPool(graph, asImage(context, x), windows, `${layerName(graph, x)}.maxPool`);
  return fromImage(context, y, graph.shape(x).length);
};

export const importAveragePool: Importer = (context) => {
  const { graph } = context;
  const x = context.tensor(0);
  const { windows, pads } = poolWindows(context);
  const counts = countTaps(windows, context.integer("count_include_pad", 0) === 0 ? null : pads);
  const y = averagePool(graph, asImage(context, x), windows, counts, `${layerName(graph, x)}.averagePool`);
  return fromImage(context, y, graph.shape(x).length);
};

export const importGlobalAveragePool: Importer = (context) => {
  const { graph } = context;
  const x = context.tensor(0);
  if (graph.shape(x).length < 3) throw context.error(`[${graph.shape(x)}] has no spatial axes`, "Leave it out.");
  return globalAveragePool(graph, x, `${layerName(graph, x)}.mean`);
};

export const importGlobalMaxPool: Importer = (context) => {
  const { graph } = context;
  const x = context.tensor(0);
  const spatial = graph.shape(x).slice(2);
  const ones = spatial.map(() => 1);
  const whole = { kernel: spatial, stride: ones, dilation: ones, pads: spatial.map(() => [0, 0] as const) };
  if (spatial.length < 1 || spatial.length > 2) {
    throw context.error(`[${graph.shape(x)}] has ${spatial.length} spatial axes`, "One or two are supported.");
  }
  const { windows } = importWindows(context, spatial, { ...whole, autoPad: "NOTSET" });
  const y = maxPool(graph, asImage(context, x), windows, `${layerName(graph, x)}.maximum`);
  return fromImage(context, y, graph.shape(x).length);
};
