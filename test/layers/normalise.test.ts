import { test } from "node:test";
import type { SourceGraph, ValueId } from "../../shared/graph/graph.ts";
import { numbersTensor } from "../../shared/layers/cover.ts";
import { constant } from "../../shared/layers/leaf.ts";
import { normalise, normaliseBy } from "../../shared/layers/normalise.ts";
import { fromPlanes, toPlanes } from "../../shared/layers/planes.ts";
import { reshape } from "../../shared/layers/reshape.ts";
import { tanh } from "../../shared/layers/tanh.ts";
import { wordCount } from "../../shared/program/descriptor.ts";
import { checkGradients } from "../helpers/gradientCheck.ts";

const logits = (graph: SourceGraph, planes: ValueId, spatial: readonly number[]) => {
  const image = fromPlanes(graph, planes, spatial);
  const shape = graph.shape(image);
  return reshape(graph, tanh(graph, image, "tanh"), [shape[0]!, wordCount(shape.slice(1))]);
};

for (const over of ["positions and batch", "positions"] as const) {
  test(`the gradient of a normalisation over ${over} agrees with central differences`, () => {
    checkGradients([[3, 2, 2, 3], [2], [2]], (graph, [x, gamma, beta]) => {
      const { output } = normalise(graph, toPlanes(graph, x!), gamma!, beta!, over, 1e-3, "norm");
      return logits(graph, output, [2, 3]);
    });
  });
}

test("the gradient of a normalisation of rows agrees with central differences", () => {
  checkGradients([[5, 3], [3], [3]], (graph, [x, gamma, beta]) => {
    const { output } = normalise(graph, toPlanes(graph, x!), gamma!, beta!, "positions and batch", 1e-3, "norm");
    return logits(graph, output, []);
  });
});

test("the gradient of a normalisation by given statistics agrees with central differences", () => {
  checkGradients([[3, 2, 4], [2], [2]], (graph, [x, gamma, beta]) => {
    const [mean, variance] = [
      [0.25, -0.5],
      [0.5, 3],
    ].map((numbers, at) => constant(graph, `given${at}`, numbersTensor([2], numbers))) as [ValueId, ValueId];
    const given = { gamma: gamma!, beta: beta!, mean, variance };
    return logits(graph, normaliseBy(graph, toPlanes(graph, x!), given, 1e-3, "norm"), [4]);
  });
});
