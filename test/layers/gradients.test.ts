import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { add } from "../../shared/layers/add.ts";
import { embedding } from "../../shared/layers/gather.ts";
import { constant } from "../../shared/layers/leaf.ts";
import { matmul } from "../../shared/layers/matmul.ts";
import { relu } from "../../shared/layers/relu.ts";
import { reshape } from "../../shared/layers/reshape.ts";
import { scale } from "../../shared/layers/scale.ts";
import { tanh } from "../../shared/layers/tanh.ts";
import { transpose, transposeMatrix } from "../../shared/layers/transpose.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { checkGradients, gradientProgram } from "../helpers/gradientCheck.ts";
import { ints } from "../helpers/operators.ts";

const names = (program: ReturnType<typeof gradientProgram>) => program.operators.map(({ name }) => name);

describe("gradients agree with central differences", () => {
  test("of the loss itself", () => {
    checkGradients([[4, 5]], (_, [x]) => x!);
  });

  test("of add, with every kind of broadcasting", () => {
    const pairs = [
      [[3, 4], [4]],
      [
        [2, 3, 4],
        [3, 1],
      ],
      [
        [2, 1, 4],
        [3, 1],
      ],
      [[1], [2, 2, 3]],
      [
        [2, 3, 2, 4],
        [2, 1, 2, 1],
      ],
    ];
    // The tanh keeps the loss from being blind to a number added to all classes.
    for (const shapes of pairs) {
      checkGradients(shapes, (graph, [a, b]) => tanh(graph, add(graph, a!, b!, "sum"), "tanh"));
    }
  });

  test("of matmul, plain, transposed on either side and in batches", () => {
    checkGradients(
      [
        [3, 4],
        [4, 5],
      ],
      (graph, [a, b]) => matmul(graph, a!, b!, "dot"),
    );
    checkGradients(
      [
        [3, 4],
        [5, 4],
      ],
      (graph, [a, b]) => matmul(graph, a!, transposeMatrix(graph, b!), "dot"),
    );
    checkGradients(
      [
        [4, 3],
        [4, 5],
      ],
      (graph, [a, b]) => matmul(graph, transposeMatrix(graph, a!), b!, "dot"),
    );
    checkGradients(
      [
        [2, 3, 4],
        [2, 4, 3],
      ],
      (graph, [a, b]) => matmul(graph, a!, b!, "dot"),
    );
  });

  test("of tanh and relu", () => {
    checkGradients([[3, 4]], (graph, [x]) => tanh(graph, x!, "tanh"));
    checkGradients([[3, 4]], (graph, [x]) => relu(graph, x!, "relu"));
  });

  test("of scale", () => {
    checkGradients([[3, 4]], (graph, [x]) => scale(graph, x!, -2.5, "scaled"));
  });

  test("of reshape and transpose, where a reshape needs a copy too", () => {
    const program = checkGradients([[2, 3, 4]], (graph, [x]) =>
      reshape(graph, transpose(graph, tanh(graph, x!, "tanh"), [2, 0, 1]), [4, 6]),
    );
    assert.ok(names(program).includes("tanh.copy"), names(program).join());
  });

  test("of an embedding, with indices that occur more than once and one that does not", () => {
    checkGradients([[4, 3]], (graph, [table]) => {
      const index = constant(graph, "index", { dtype: Dtype.int32, shape: [2, 3], words: ints(3, 0, 3, 1, 3, 0) });
      return embedding(graph, table!, index, "rows");
    });
  });

  test("of tensors used more than once", () => {
    checkGradients([[3, 3]], (graph, [x]) => add(graph, x!, x!, "twice"));
    checkGradients([[3, 3]], (graph, [x]) => matmul(graph, x!, tanh(graph, x!, "tanh"), "square"));
    checkGradients([[3, 3], [3]], (graph, [x, b]) => {
      const hidden = tanh(graph, add(graph, x!, b!, "hidden"), "tanh");
      return add(
        graph,
        matmul(graph, hidden, transposeMatrix(graph, x!), "dot"),
        add(graph, hidden, b!, "skip"),
        "out",
      );
    });
  });
});

test("a transposed weight's gradient lies in memory as the weight does", () => {
  const program = gradientProgram(
    [
      [2, 3],
      [4, 3],
    ],
    (graph, [x, w]) => matmul(graph, x!, transposeMatrix(graph, w!), "dot"),
  );
  const gradient = program.operators[program.state[1]!.source!]!;
  assert.equal(gradient.operator.family, "dot");
  assert.deepEqual(gradient.operator.shape, [4, 3]);
});

test("chains of elementwise layers become one Map, unless something else reads between them", () => {
  const chain = gradientProgram([[2, 3], [3]], (graph, [x, b]) => tanh(graph, add(graph, x!, b!, "sum"), "tanh"));
  assert.ok(!names(chain).includes("sum") && names(chain).includes("tanh"));
  const forked = gradientProgram([[2, 3], [3]], (graph, [x, b]) => {
    const sum = add(graph, x!, b!, "sum");
    return add(graph, tanh(graph, sum, "tanh"), sum, "out");
  });
  assert.ok(names(forked).includes("sum"));
});

test("what nothing reads is not computed", () => {
  const program = gradientProgram([[2, 3]], (graph, [x]) => {
    tanh(graph, x!, "unused");
    return x!;
  });
  assert.ok(!names(program).includes("unused"));
});

test("a chain too long for one Map becomes several", () => {
  const program = checkGradients([[2, 3]], (graph, [x]) =>
    Array.from({ length: 30 }).reduce<number>((value, _, i) => scale(graph, value, 1.01, `scaled${i}`), x!),
  );
  const forward = names(program).filter((name) => name.startsWith("scaled") && !name.endsWith(".grad"));
  assert.ok(forward.length > 1 && forward.length < 30, forward.join());
});

test("a product over a long axis uses fewer bits, so that its sum stays exact", () => {
  const bitsFor = (length: number) => {
    const program = gradientProgram(
      [
        [1, length],
        [length, 2],
      ],
      (graph, [a, b]) => matmul(graph, a!, b!, "dot"),
    );
    const { operator } = program.operators.find(({ name }) => name === "dot")!;
    return operator.family === "dot" ? operator.bits : null;
  };
  assert.deepEqual([8192, 8193, 32768, 32769].map(bitsFor), [20, 19, 19, 18]);
});
