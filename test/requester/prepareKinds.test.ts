/** Task files of every kind of training, from the file to steps on both engines. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { type PreparedTask, prepareTask } from "../../requester/prepare.ts";
import { getTaskPackage, putTaskPackage } from "../../shared/data/taskPackage.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { ReferenceEngine } from "../../shared/engine/reference.ts";
import { sourceOutputs } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { requireWellFormedJob } from "../../shared/job/validate.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { TaskFileError } from "../../shared/task/task.ts";
import { OnnxBuilder, SWAP } from "../helpers/onnxModel.ts";
import { Random } from "../helpers/random.ts";

const STEPS = 6;

/** Tanh between two matrices. */
function network(input: string, ...widths: [number, number, number]): OnnxBuilder {
  const random = new Random(widths[0]);
  const model = new OnnxBuilder();
  const weight = (name: string, rows: number, columns: number) =>
    model.weight(
      name,
      [rows, columns],
      Array.from({ length: rows * columns }, () => random.unit() - 0.5),
    );
  const hidden = model.node("Tanh", [
    model.node("MatMul", [model.input(input, "batch", widths[0]), weight("a.weight", widths[0], widths[1])]),
  ]);
  model.node("MatMul", [hidden, weight("b.weight", widths[1], widths[2])], {}, "output");
  model.output("output", "batch", widths[2]);
  return model;
}

describe("task files of other kinds", () => {
  let folder: string;
  let base: Record<string, unknown>;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
    base = JSON.parse(await readFile("examples/solidity-mlp/task.json", "utf8"));
    const random = new Random(5);
    const rows = Array.from({ length: 21 }, () => Array.from({ length: 3 }, () => random.unit().toFixed(4)).join());
    await writeFile(path.join(folder, "points.csv"), `x,y,target\n${rows.join("\n")}\n`);
    await writeFile(path.join(folder, "generator.onnx"), network("z", 3, 5, 2).bytes());
    await writeFile(path.join(folder, "discriminator.onnx"), network("sample", 2, 5, 1).bytes());
    await writeFile(path.join(folder, "forward.onnx"), network("input", 2, 4, 1).bytes());
    await writeFile(path.join(folder, "step.onnx"), wholeStep());
  });
  after(() => rm(folder, { recursive: true }));

  /** A perceptron without a bias, its gradient by hand. */
  function wholeStep(): Uint8Array {
    const model = new OnnxBuilder();
    const x = model.input("input", "batch", 2);
    const error = model.node("Sub", [
      model.node("MatMul", [x, model.weight("w", [2, 1], [0.5, -0.5])]),
      model.input("target", "batch", 1),
    ]);
    model.node("ReduceMean", [model.node("Mul", [error, error])], { keepdims: { kind: "int", value: 0 } }, "loss");
    const gradient = model.node("MatMul", [model.node("Transpose", [x], SWAP), error]);
    model.node("Sub", ["w", model.node("Mul", [gradient, model.input("schedule.rate")])], {}, "w.next");
    model.output("loss");
    model.output("w.next", 2, 1);
    return model.bytes();
  }

  async function prepare(model: string, training: Record<string, unknown>): Promise<PreparedTask> {
    const fields = {
      input: { columns: ["x", "y"], dtype: "float32" },
      target: { columns: "target", dtype: "float32" },
    };
    const data = { kind: "csv", files: "points.csv", fields };
    const settings = { steps: STEPS, interval: 3, batch: 4, seed: 8, ...training };
    const file = path.join(folder, "task.json");
    await writeFile(file, JSON.stringify({ ...base, name: "kind", model, data, training: settings }));
    return prepareTask(file);
  }

  /** Publishes, reads back, and steps on both engines; returns the losses. */
  async function play({ taskPackage }: PreparedTask): Promise<number[]> {
    const { job, initialState } = taskPackage;
    requireWellFormedJob(job, initialState);
    const store = new DirectoryStore(path.join(folder, "store"));
    const id = await putTaskPackage(store, taskPackage);
    const read = await getTaskPackage(store, id, commitTraining(job, initialState));
    assert.deepEqual(read.job, job);
    const losses: number[] = [];
    const request = { state: initialState, count: job.steps, inputs: (step: number) => sourceOutputs(job, step) };
    const expected = await new ReferenceEngine(job.program).steps({
      ...request,
      onStep: (_, { loss }) => losses.push(loss),
    });
    const engine = await startOnnxRuntime(job.program);
    try {
      const { state } = await engine.steps(request);
      for (const [p, { words }] of expected.state.entries()) {
        assert.deepEqual(state[p]!.words, words, job.program.state[p]!.name);
      }
    } finally {
      await engine.close();
    }
    return losses;
  }

  const sgd = { optimizer: { kind: "sgd", momentum: 0.5 }, rate: { kind: "constant", peak: 0.1 } };

  it("trains two networks against each other on noise of its own", async () => {
    const discriminator = { ...sgd, model: "discriminator.onnx" };
    for (const noise of ["normal", "uniform"]) {
      const prepared = await prepare("generator.onnx", { kind: "gan", noise, generator: sgd, discriminator });
      const { state } = prepared.taskPackage.job.program;
      assert.deepEqual(
        state.map(({ name, role = "parameter" }) => `${role} ${name}`),
        ["parameter ", "moment "].flatMap((role) =>
          ["generator", "discriminator"].flatMap((network) =>
            ["a", "b"].map((layer) => `${role}${network}.${layer}.weight${role === "moment " ? ".momentum" : ""}`),
          ),
        ),
      );
      const losses = await play(prepared);
      assert.ok(
        losses.every((loss) => loss > 1 && loss < 4),
        `${losses}`,
      );
      assert.equal(new Set(losses).size, STEPS);
    }
    const absent = { kind: "gan", generator: sgd, discriminator: { ...sgd, model: "absent.onnx" } };
    await assert.rejects(
      prepare("generator.onnx", absent),
      (error) => error instanceof TaskFileError && error.path === "$.training.discriminator.model",
    );
  });

  it("repeats a whole step", async () => {
    const columns = { rate: { kind: "linear", peak: 0.02, final: 0.5 } };
    const everything = { batch: 21, order: "sequential" };
    const losses = await play(await prepare("step.onnx", { kind: "step", columns, ...everything }));
    assert.ok(losses.at(-1)! < losses[0]!, `${losses}`);
  });

  it("infers, with a score where there are targets", async () => {
    const inference = { kind: "inference", interval: undefined, seed: undefined };
    const plain = await prepare("forward.onnx", inference);
    assert.equal(plain.taskPackage.job.interval, 1);
    assert.ok((await play(plain)).every((loss) => loss === 0));
    const scored = await play(await prepare("forward.onnx", { ...inference, loss: "meanSquaredError" }));
    assert.ok(scored.every((loss) => loss > 0));
  });

  it("names what a kind does not take", async () => {
    for (const [training, place] of [
      [{ kind: "inference", interval: 2 }, "$.training.interval"],
      [{ kind: "gan", generator: sgd }, "$.training.discriminator"],
      [{ kind: "dream" }, "$.training.kind"],
      [{ kind: "step", loss: "meanSquaredError" }, "$.training.loss"],
    ] as const) {
      await assert.rejects(
        prepare("forward.onnx", training),
        (error) => error instanceof TaskFileError && error.path === place,
        place,
      );
    }
  });
});
