/** Convolutions and pools on ONNX Runtime, where windows are gathered by rows and products are moved, word for word as the reference has them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { compileTraining, type TrainingSettings } from "../../../shared/compile/compile.ts";
import { planProgram } from "../../../shared/engine/kernels/plan.ts";
import { realise } from "../../../shared/engine/realise/realise.ts";
import { placements } from "../../../shared/engine/realise/spread.ts";
import { ReferenceEngine } from "../../../shared/engine/reference.ts";
import { conv, convTranspose } from "../../../shared/layers/conv.ts";
import { averagePool, countTaps, maxPool } from "../../../shared/layers/pool.ts";
import { reshape } from "../../../shared/layers/reshape.ts";
import { coverTable, type Pair, type Windows, windowsOf, windowTable } from "../../../shared/layers/windows.ts";
import { decodeModel } from "../../../shared/onnx/decode.ts";
import { wordCount } from "../../../shared/program/descriptor.ts";
import type { Program } from "../../../shared/program/program.ts";
import { trainingSection } from "../../../shared/task/settings.ts";
import { gradientProgram } from "../../helpers/gradientCheck.ts";
import { exampleJob, exampleState } from "../../helpers/programs.ts";
import { Random } from "../../helpers/random.ts";
import { assertSameBits, FORMS, openLocal } from "../compare.ts";

const ROUNDS = process.env.TOUCHSTONE_DEEP === "1" ? 300 : 12;

function randomWindows(random: Random): Windows {
  for (;;) {
    const pair = (least: number, most: number): Pair => [random.between(least, most), random.between(least, most)];
    const windows = windowsOf(pair(1, 7), pair(1, 3), pair(1, 3), pair(1, 2), [
      ...pair(0, 2),
      ...pair(0, 2),
    ] as unknown as [number, number, number, number]);
    if (windows.output.every((count) => count >= 1)) return windows;
  }
}

test("the placement of windows is read back from their table", () => {
  const random = new Random(90);
  for (let round = 0; round < 200; round++) {
    const windows = randomWindows(random);
    const { shape, positions } = coverTable(windows);
    const sizes = shape as [number, number, number, number];
    const found = placements(new Uint32Array(positions.buffer), sizes, wordCount(windows.output));
    assert(found !== null, JSON.stringify(windows));
    const [vertical, horizontal] = found;
    const again = Int32Array.from(positions, () => -1);
    for (const [down, top] of vertical.offsets.entries())
      for (const [right, left] of horizontal.offsets.entries())
        for (let row = 0; row < vertical.windows; row++)
          for (let column = 0; column < horizontal.windows; column++) {
            const [h, w] = [row * vertical.stride + (top ?? NaN), column * horizontal.stride + (left ?? NaN)];
            if (!(h >= 0 && h < sizes[2] && w >= 0 && w < sizes[3])) continue;
            again[((down * sizes[1] + right) * sizes[2] + h) * sizes[3] + w] = row * horizontal.windows + column;
          }
    assert.deepEqual(again, positions, JSON.stringify(windows));
  }
});

test("a table that is no cover has no placement", () => {
  const random = new Random(91);
  for (let round = 0; round < 200; round++) {
    const windows = randomWindows(random);
    const { shape, positions } = coverTable(windows);
    if (positions.length < 8 || wordCount(windows.output) < 4) continue;
    // One entry more, or one that says another window.
    const at = random.below(positions.length);
    const wrong = new Uint32Array(positions.with(at, positions[at] === 0 ? 1 : 0).buffer);
    const sizes = shape as [number, number, number, number];
    const found = placements(wrong, sizes, wordCount(windows.output));
    if (found === null) continue;
    // Another placement may explain it, but then it must explain all of it.
    const [vertical, horizontal] = found;
    for (const [position, word] of wrong.entries()) {
      const w = position % sizes[3];
      const h = Math.floor(position / sizes[3]) % sizes[2];
      const tap = Math.floor(position / (sizes[2] * sizes[3]));
      const [top, left] = [vertical.offsets[Math.floor(tap / sizes[1])]!, horizontal.offsets[tap % sizes[1]]!];
      const [row, column] = [(h - (top ?? NaN)) / vertical.stride, (w - (left ?? NaN)) / horizontal.stride];
      const inside = [row, column].every(Number.isInteger) && row >= 0 && column >= 0;
      const expected =
        inside && row < vertical.windows && column < horizontal.windows ? row * horizontal.windows + column : -1;
      assert.equal(word | 0, expected);
    }
  }
});

/** One step from the state of this seed in every form, traced and not. */
async function assertReferenceWords(program: Program, seed: number, what: string): Promise<void> {
  const inputs = { state: exampleState(program, seed), batches: new Map(), schedule: new Map() };
  const expected = await new ReferenceEngine(program).trace(inputs);
  for (const form of FORMS) {
    const engine = await openLocal(program, 1, form);
    const actual = await engine.trace(inputs);
    const { state, loss, guard } = await engine.step(inputs);
    await engine.close();
    assert.deepEqual({ state, loss, guard }, { state: expected.state, loss: expected.loss, guard: expected.guard });
    for (const [n, tensor] of expected.outputs.entries()) {
      assert.deepEqual(actual.outputs[n]!.words, tensor.words, `${program.operators[n]!.name} of ${what}`);
    }
  }
}

test("convolutions with their gradients have the reference's words", async () => {
  const random = new Random(92);
  let [moved, unread] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const windows = randomWindows(random);
    const groups = random.pick([1, 1, 2]);
    const [inputs, outputs] = [groups * random.between(1, 2), groups * random.between(1, 4)];
    const batch = random.between(1, 3);
    const weight = [outputs, inputs / groups, ...windows.kernel];
    const isTransposed = random.chance(0.4);
    const image = isTransposed ? [batch, outputs, ...windows.output] : [batch, inputs, ...windows.input];
    const program = gradientProgram([image, weight], (graph, [x, w]) => {
      const y = (isTransposed ? convTranspose : conv)(graph, x!, w!, windows, groups, "conv");
      return reshape(graph, y, [batch, wordCount(graph.shape(y)) / batch]);
    });
    const isMoved = decodeModel(realise(program, { traced: true }).model).graph.nodes.some(
      ({ operator, name }) => operator === "Sum" && !name.startsWith("state"),
    );
    if (isMoved) moved++;
    // Kernels that move products need the covers for traces alone.
    const { commands } = planProgram(program);
    if (commands.some((command) => command.kind === "kernel" && command.isForTraces)) unread++;
    await assertReferenceWords(program, round, JSON.stringify({ windows, groups, isTransposed }));
  }
  assert(
    moved > 0 && moved < ROUNDS && unread > 0,
    `${moved} of ${ROUNDS} by moving products, ${unread} without covers`,
  );
});

test("a convolution whose windows lie in the padding alone has the reference's words", async () => {
  const windows = windowsOf([1, 1], [1, 1], [3, 3], [1, 1], [2, 2, 2, 2]);
  const program = gradientProgram(
    [
      [2, 1, 1, 1],
      [9, 1, 1, 1],
    ],
    (graph, [x, w]) => {
      const y = conv(graph, x!, w!, windows, 1, "conv");
      return reshape(graph, y, [2, wordCount(graph.shape(y)) / 2]);
    },
  );
  await assertReferenceWords(program, 7, JSON.stringify(windows));
});

test("pools with their gradients have the reference's words", async () => {
  const random = new Random(93);
  for (let round = 0; round < ROUNDS; round++) {
    let windows = randomWindows(random);
    // Every window holds a position of the image.
    while (holdsNothing(windows)) windows = randomWindows(random);
    const program = gradientProgram([[2, 2, ...windows.input]], (graph, [x]) => {
      const y =
        round % 3 === 0
          ? averagePool(graph, x!, windows, countTaps(windows, null), "pool")
          : maxPool(graph, x!, windows, "pool");
      return reshape(graph, y, [2, wordCount(graph.shape(y)) / 2]);
    });
    const inputs = { state: exampleState(program, round), batches: new Map(), schedule: new Map() };
    const expected = await new ReferenceEngine(program).trace(inputs);
    const engine = await openLocal(program, 1);
    const actual = await engine.trace(inputs);
    await engine.close();
    for (const [n, tensor] of expected.outputs.entries()) {
      assert.deepEqual(
        actual.outputs[n]!.words,
        tensor.words,
        `${program.operators[n]!.name} of ${JSON.stringify(windows)}`,
      );
    }
  }
});

function holdsNothing(windows: Windows): boolean {
  const { positions } = windowTable(windows);
  const count = wordCount(windows.output);
  return Array.from({ length: count }, (_, window) => positions.every((p, at) => at % count !== window || p < 0)).some(
    Boolean,
  );
}

test("training steps of a residual network have the reference's words in every realisation", async () => {
  const folder = path.resolve(import.meta.dirname, "../../compile/pytorch/vectors");
  const fields = [
    { name: "input", dtype: 0, offset: 0, width: 36, minimum: 0, maximum: 2 },
    { name: "target", dtype: 1, offset: 36, width: 1, minimum: 0, maximum: 3 },
  ] as const;
  const { program, initialState } = compileTraining({
    model: readFileSync(path.join(folder, "resnet.onnx")),
    fields,
    ...trainingSection.parse({
      ...{ steps: 2, interval: 2, batch: 5, seed: 1, loss: "softmaxCrossEntropy" },
      ...{ optimizer: { kind: "adamw" }, rate: { kind: "constant", peak: 0.01 } },
    }),
  } as TrainingSettings);
  const engines = await Promise.all(FORMS.map((form) => openLocal(program, 1, form)));
  const job = exampleJob(program, 94, { steps: 2 });
  await assertSameBits({ name: "resnet", program, job, state: initialState }, engines, 2);
  for (const engine of engines) await engine.close();
});
