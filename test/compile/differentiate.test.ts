import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { differentiate } from "../../shared/compile/differentiate.ts";
import { SourceGraph, type ValueId } from "../../shared/graph/graph.ts";
import { elementwise } from "../../shared/layers/elementwise.ts";
import { constant, state } from "../../shared/layers/leaf.ts";
import { matmul } from "../../shared/layers/matmul.ts";
import { slice } from "../../shared/layers/slice.ts";
import { softmaxCrossEntropy } from "../../shared/layers/softmaxCrossEntropy.ts";
import { tanh } from "../../shared/layers/tanh.ts";
import { transposeMatrix } from "../../shared/layers/transpose.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { ModelError } from "../../shared/program/errors.ts";
import type { Program } from "../../shared/program/program.ts";
import { checkGradients } from "../helpers/gradientCheck.ts";
import { ints } from "../helpers/operators.ts";

function lossOf(graph: SourceGraph, logits: ValueId): ValueId {
  const target = constant(graph, "target", { dtype: Dtype.int32, shape: [2, 1], words: ints(0, 1) });
  return softmaxCrossEntropy(graph, logits, target, "loss");
}

test("what the loss does not depend on has no gradient", () => {
  const graph = new SourceGraph();
  const [x, other] = [state(graph, "x", [2, 3]), state(graph, "other", [2, 3])];
  tanh(graph, other, "unread");
  const [gradient, none] = differentiate(graph, lossOf(graph, tanh(graph, x, "tanh")), [x, other]);
  assert.deepEqual(graph.shape(gradient!), [2, 3]);
  assert.equal(none, null);
});

test("a variable that is read only by a layer without gradient is refused by name", () => {
  const graph = new SourceGraph();
  const x = state(graph, "steps", [2, 3]);
  const rounded = elementwise(graph, "sign", "sign", [x], (map, [value]) => map.less(map.immediate(0), value!));
  const loss = lossOf(graph, rounded);
  assert.throws(
    () => differentiate(graph, loss, [x]),
    (error) => error instanceof ModelError && /"steps" cannot be trained/.test(error.message),
  );
});

test("nothing is differentiated that leads to no variable", () => {
  const graph = new SourceGraph();
  const [x, y] = [state(graph, "x", [2, 3]), state(graph, "y", [2, 3])];
  const hidden = tanh(graph, y, "hidden");
  const sum = elementwise(
    graph,
    "sum",
    "add",
    [x, hidden],
    (map, [a, b]) => map.add(a!, b!),
    (upstream) => [
      [x, upstream!],
      [hidden, upstream!],
    ],
  );
  const loss = lossOf(graph, sum);
  const before = graph.size;
  differentiate(graph, loss, [x]);
  const added = Array.from({ length: graph.size - before }, (_, i) => graph.node(before + i).layer);
  assert.deepEqual(added, ["softmaxGradient"]);
});

describe("parts of a tensor", () => {
  const joins = (program: Program) => program.operators.filter(({ operator }) => operator.family === "join").length;
  const curved = (graph: SourceGraph, x: ValueId, first: number, length: number) =>
    tanh(graph, slice(graph, x, 1, first, length, 1, "part"), "tanh");

  test("that do not overlap give one join of their gradients, whatever their order", () => {
    const program = checkGradients([[3, 6]], (graph, [x]) => {
      const [middle, last, first] = [curved(graph, x!, 2, 2), curved(graph, x!, 4, 2), curved(graph, x!, 0, 2)];
      return matmul(graph, matmul(graph, middle, transposeMatrix(graph, last), "dot"), first, "out");
    });
    assert.equal(joins(program), 1);
  });

  test("that leave a gap get zeros there", () => {
    const program = checkGradients([[3, 6]], (graph, [x]) =>
      matmul(graph, curved(graph, x!, 0, 2), transposeMatrix(graph, curved(graph, x!, 4, 2)), "dot"),
    );
    assert.equal(joins(program), 1);
  });

  test("that overlap are added", () => {
    const program = checkGradients([[3, 6]], (graph, [x]) =>
      matmul(graph, curved(graph, x!, 0, 3), transposeMatrix(graph, curved(graph, x!, 2, 3)), "dot"),
    );
    assert.equal(joins(program), 2);
  });
});
