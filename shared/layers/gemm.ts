/** Gemm: alpha · A' · B' + beta · C, as PyTorch writes a Linear layer; made of transpose, matmul, scale and add. */

import { broadcastShape } from "../graph/graph.ts";
import { sameShape } from "../program/descriptor.ts";
import { add } from "./add.ts";
import type { Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { matmul } from "./matmul.ts";
import { scale } from "./scale.ts";
import { transposeMatrix } from "./transpose.ts";

export const importGemm: Importer = (context) => {
  const { graph } = context;
  const base = layerName(graph, context.tensor(1));
  const [a, b] = (["transA", "transB"] as const).map((attribute, index) => {
    const matrix = context.tensor(index);
    if (graph.shape(matrix).length !== 2) {
      throw context.error(`[${graph.shape(matrix)}] is not a matrix`, "Flatten the input, or use MatMul.");
    }
    return context.integer(attribute, 0) === 0 ? matrix : transposeMatrix(graph, matrix);
  }) as [number, number];
  if (graph.shape(a)[1] !== graph.shape(b)[0]) {
    throw context.error(`[${graph.shape(a)}] and [${graph.shape(b)}] cannot be multiplied`, "Correct the weight.");
  }
  const product = scale(graph, matmul(graph, a, b, `${base}.dot`), context.float("alpha", 1), `${base}.scaled`);
  if (!context.has(2)) return product;
  const bias = context.tensor(2);
  const shape = graph.shape(product);
  const spread = broadcastShape(shape, graph.shape(bias));
  if (spread === null || !sameShape(spread, shape)) {
    throw context.error(`C [${graph.shape(bias)}] does not broadcast to [${shape}]`, "Correct the bias.");
  }
  const scaled = scale(graph, bias, context.float("beta", 1), `${graph.name(bias)}.scaled`);
  return add(graph, product, scaled, `${base}.out`);
};
