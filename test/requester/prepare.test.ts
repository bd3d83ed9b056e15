import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { TrainedModel } from "../../requester/evaluate.ts";
import { EvaluationError, evaluateModel } from "../../requester/evaluateModel.ts";
import { type PreparedTask, prepareTask } from "../../requester/prepare.ts";
import { parameterIndices } from "../../shared/compile/optimizer/parameters.ts";
import { DataFileError } from "../../shared/data/errors.ts";
import { DataFilesError } from "../../shared/data/files.ts";
import { writeSafetensors } from "../../shared/data/safetensors.ts";
import { getTaskPackage, putTaskPackage } from "../../shared/data/taskPackage.ts";
import { TextDatasetError } from "../../shared/data/text.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { TouchstoneError } from "../../shared/errors.ts";
import { sourceOutputs } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { requireWellFormedJob, validate } from "../../shared/job/validate.ts";
import { flush } from "../../shared/numerics/flush.ts";
import { initialWords } from "../../shared/numerics/philox.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { type OnnxModel, type OnnxNode, OnnxType } from "../../shared/onnx/model.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { TaskFileError } from "../../shared/task/task.ts";
import { Random } from "../helpers/random.ts";

const EXAMPLE = path.resolve("examples/solidity-mlp");

describe("prepareTask", () => {
  let folder: string;
  const file = (name: string): string => path.join(folder, name);

  /** Writes the example's task file with some of its values changed, beside its model. */
  async function writeTask(change: (task: Record<string, Record<string, unknown>>) => void): Promise<string> {
    const task = JSON.parse(await readFile(path.join(EXAMPLE, "task.json"), "utf8"));
    task.data.files = path.resolve(EXAMPLE, task.data.files);
    change(task);
    await writeFile(file("task.json"), JSON.stringify(task));
    return file("task.json");
  }

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
  });
  beforeEach(() => copyFile(path.join(EXAMPLE, "forward.onnx"), file("forward.onnx")));
  after(() => rm(folder, { recursive: true }));

  it("compiles the example into a well-formed program of at least 100,000 parameters", async () => {
    const { taskPackage, task } = await prepareTask(path.join(EXAMPLE, "task.json"));
    const { program } = taskPackage.job;
    assert.deepEqual(validate(program), []);
    const parameters = parameterIndices(program.state).reduce(
      (sum, index) => sum + taskPackage.initialState[index]!.words.length,
      0,
    );
    assert.ok(parameters >= 100_000, `${parameters} parameters`);
    assert.ok(task.data.kind === "text" && task.data.context >= 16);
    assert.ok(task.training.steps / task.training.interval >= 4);
  });

  it("gives the same commitments again", async () => {
    const [first, second] = await Promise.all([1, 2].map(() => prepareTask(path.join(EXAMPLE, "task.json"))));
    assert.deepEqual(first, second);
  });

  it("names a file that is absent and a glob that matches nothing", async () => {
    await assert.rejects(prepareTask(file("absent.json")), TaskFileError);
    const noModel = await writeTask((task) => Object.assign(task, { model: "absent.onnx" }));
    await assert.rejects(prepareTask(noModel), (error) => error instanceof TaskFileError && error.path === "$.model");
    const noText = await writeTask((task) => Object.assign(task.data!, { files: "*.absent" }));
    await assert.rejects(
      prepareTask(noText),
      (error) => error instanceof DataFilesError && error.path === "$.data.files",
    );
  });

  it("refuses a truncated model, a model of another context, and texts that are too short", async () => {
    const otherContext = await writeTask((task) => Object.assign(task.data!, { context: 17 }));
    await assert.rejects(prepareTask(otherContext), TouchstoneError);
    await writeFile(file("short.txt"), "abc");
    const shortText = await writeTask((task) => Object.assign(task.data!, { files: "short.txt" }));
    await assert.rejects(prepareTask(shortText), TextDatasetError);
    await truncate(file("forward.onnx"), 1000);
    await assert.rejects(prepareTask(await writeTask(() => {})), TouchstoneError);
  });
});

describe("prepareTask on a table", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
    await writeFile(path.join(folder, "points.csv"), points(600));
    await writeFile(path.join(folder, "forward.onnx"), encodeModel(classifier()));
  });
  after(() => rm(folder, { recursive: true }));

  /** Points of a plane, in three classes: inside a circle, and outside of it on either side. */
  function points(count: number): string {
    const random = new Random(17);
    const rows = Array.from({ length: count }, () => {
      const [x, y] = [20 * random.unit() - 10, 20 * random.unit() - 10];
      return `${x},${y},${x * x + y * y < 30 ? "inside" : y < 0 ? "below" : "above"}`;
    });
    return ["x,y,where", ...rows, ""].join("\n");
  }

  /** [batch, 2] → Linear → Relu → Linear → [batch, 3], from a seed. */
  function classifier(): OnnxModel {
    const shapes = { "fc1.weight": [24, 2], "fc1.bias": [24], "fc2.weight": [3, 24], "fc2.bias": [3] };
    const initializers = Object.entries(shapes).map(([name, dimensions], index) => {
      const words = initialWords(
        3n,
        index,
        dimensions.reduce((a, b) => a * b),
      );
      const data = Float32Array.from(words, (word) => (word >>> 8) * 2 ** -24 - 0.5);
      return { name, type: OnnxType.float32, dimensions, data };
    });
    const transB = { kind: "int", value: 1 } as const;
    const node = (operator: string, inputs: string[], output: string, attributes = {}) => {
      return { name: output, operator, domain: "", inputs, outputs: [output], attributes };
    };
    return {
      irVersion: 8,
      producer: "test",
      operatorSets: [{ domain: "", version: 17 }],
      graph: {
        name: "classifier",
        nodes: [
          node("Gemm", ["input", "fc1.weight", "fc1.bias"], "hidden", { transB }),
          node("Relu", ["hidden"], "active"),
          node("Gemm", ["active", "fc2.weight", "fc2.bias"], "logits", { transB }),
        ],
        initializers,
        inputs: [{ name: "input", type: OnnxType.float32, dimensions: ["batch", 2] }],
        outputs: [{ name: "logits", type: OnnxType.float32, dimensions: ["batch", 3] }],
      },
    };
  }

  async function prepare(training: object = {}): Promise<PreparedTask> {
    const task = JSON.parse(await readFile(path.join(EXAMPLE, "task.json"), "utf8"));
    const fields = {
      input: { dtype: "float32", columns: ["x", "y"], scale: 0.1 },
      target: { dtype: "int32", columns: "where", classes: "found" },
    };
    const data = { kind: "csv", files: "points.csv", holdOutEvery: 4, fields };
    const optimizer = { kind: "adamw", weightDecay: 0 };
    const rate = { kind: "constant", peak: 0.02 };
    const settings = { ...task.training, steps: 200, interval: 100, batch: 30, optimizer, rate, ...training };
    await writeFile(
      path.join(folder, "task.json"),
      JSON.stringify({ ...task, name: "points", data, training: settings }),
    );
    return prepareTask(path.join(folder, "task.json"));
  }

  it("warns of a softmax before the loss, of classes that nobody has, and of models for inference", async () => {
    const model = classifier();
    const warningsOf = async (changed: OnnxModel, training: object = {}) => {
      await writeFile(path.join(folder, "forward.onnx"), encodeModel(changed));
      try {
        return (await prepare(training)).warnings;
      } finally {
        await writeFile(path.join(folder, "forward.onnx"), encodeModel(model));
      }
    };
    const { graph } = model;
    const [first, second, third] = graph.nodes as [OnnxNode, OnnxNode, OnnxNode];
    assert.deepEqual(await warningsOf(model), []);

    const softmax = { ...third, name: "shares", operator: "Softmax", inputs: ["raw"], attributes: {} };
    const ended = { ...graph, nodes: [first, second, { ...third, outputs: ["raw"] }, softmax] };
    assert.match((await warningsOf({ ...model, graph: ended })).join(), /^model: its output "logits" is a Softmax/);

    const widened = graph.initializers.map((tensor) => {
      const data = Float32Array.from({ length: tensor.name === "fc2.bias" ? 5 : 120 }, (_, i) => i / 100);
      return tensor.name.startsWith("fc2")
        ? { ...tensor, dimensions: [5, 24].slice(0, tensor.dimensions.length), data }
        : tensor;
    });
    const bias = widened.at(-1)!;
    const initializers = [...widened.slice(0, -1), { ...bias, dimensions: [5] }];
    const outputs = [{ ...graph.outputs[0]!, dimensions: ["batch", 5] }];
    const wide = await warningsOf({ ...model, graph: { ...graph, initializers, outputs } });
    assert.match(wide.join(), /^model: it gives 5 logits .* classes 0 to 2/);

    const statistics = ["gamma", "beta", "mean", "variance"].map((name) => {
      return { name, type: OnnxType.float32, dimensions: [24], data: new Float32Array(24).fill(1) };
    });
    const normal = { ...second, name: "norm", operator: "BatchNormalization", outputs: ["normal"] };
    const still = {
      ...graph,
      nodes: [
        first,
        { ...normal, inputs: ["hidden", "gamma", "beta", "mean", "variance"] },
        { ...second, inputs: ["normal"] },
        third,
      ],
      initializers: [...graph.initializers, ...statistics],
    };
    assert.match(
      (await warningsOf({ ...model, graph: still })).join(),
      /^model: it was exported for inference: "norm"/,
    );
  });

  it("gives a job that learns, a package that says what classes are called, and weights to go on from", async () => {
    const prepared = await prepare();
    const { taskPackage, data } = prepared;
    const { job, initialState } = taskPackage;
    requireWellFormedJob(job, initialState);
    assert.deepEqual(taskPackage.classes, { target: ["above", "below", "inside"] });
    const store = new DirectoryStore(path.join(folder, "store"));
    const id = await putTaskPackage(store, taskPackage);
    const read = await getTaskPackage(store, id, commitTraining(job, initialState));
    assert.deepEqual([read.classes, read.tokenizer], [taskPackage.classes, undefined]);
    const engine = await startOnnxRuntime(job.program);
    try {
      const before = await new TrainedModel(engine, job.program, initialState).evaluate(data.heldOut);
      const inputs = (step: number) => sourceOutputs(job, step);
      const { state } = await engine.steps({ state: initialState, count: job.steps, inputs });
      const after = await new TrainedModel(engine, job.program, state).evaluate(data.heldOut);
      assert.ok(before.accuracy! < 0.7 && after.accuracy! > 0.9, `${before.accuracy} → ${after.accuracy}`);
      assert.equal(after.samples, 150);

      const parameters = parameterIndices(job.program.state);
      const weights = parameters.map((index) => ({ name: job.program.state[index]!.name, ...state[index]! }));
      await writeFile(path.join(folder, "model.safetensors"), writeSafetensors(weights));
      const file = await readFile(path.join(folder, "model.safetensors"));
      const { accuracy, baseline, samples } = await evaluateModel(prepared, file);
      assert.deepEqual([accuracy, samples], [after.accuracy, after.samples]);
      assert.ok(baseline!.loss > after.loss && baseline!.loss < Math.log(3) + 0.05, `${baseline!.loss}`);
      assert.equal((await evaluateModel(prepared, null, { limit: 60 })).samples, 60);
      const partial = await evaluateModel(prepared, null, { limit: 65 });
      assert.deepEqual([partial.samples, partial.leftOut], [60, 5]);
      await assert.rejects(evaluateModel(prepared, file, { limit: 29 }), EvaluationError);
      for (const wrong of [
        weights.slice(1),
        [...weights, { ...weights[0]!, name: "more" }],
        [{ ...weights[0]!, shape: [48] }],
      ]) {
        await assert.rejects(evaluateModel(prepared, writeSafetensors(wrong)), EvaluationError);
      }
      const next = await prepare({ initial: "model.safetensors" });
      for (const index of parameters) {
        const words = state[index]!.words.map(flush);
        assert.deepEqual(next.taskPackage.initialState[index]!.words, words, job.program.state[index]!.name);
      }
    } finally {
      await engine.close();
    }
  });

  it("refuses initial weights that are absent or another model's", async () => {
    await assert.rejects(prepare({ initial: "absent.safetensors" }), (error) => {
      return error instanceof TaskFileError && error.path === "$.training.initial";
    });
    const other = writeSafetensors([{ name: "fc1.bias", dtype: 0, shape: [23], words: new Uint32Array(23) }]);
    await writeFile(path.join(folder, "other.safetensors"), other);
    await assert.rejects(prepare({ initial: "other.safetensors" }), DataFileError);
  });
});
