import assert from "node:assert/strict";
import path from "node:path";
import { before, describe, it } from "node:test";
import { prepareTask } from "../../requester/prepare.ts";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import { putTaskPackage, type TaskPackage } from "../../shared/data/taskPackage.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { segmentSteps, sourceOutputs } from "../../shared/job/job.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { contentIdOf } from "../../shared/store/contentId.ts";
import type { ContentId, Store } from "../../shared/store/store.ts";
import { NO_CHROMIUM, withPage } from "./chromium.ts";
import type { ReplayRequest, ReplayResult } from "./page.ts";

const TASK = path.resolve(import.meta.dirname, "../../examples/solidity-mlp/task.json");

const DEEP = process.env.TOUCHSTONE_DEEP === "1";

class MemoryStore implements Store {
  readonly location = "memory";
  readonly files = new Map<ContentId, Uint8Array>();

  async put(bytes: Uint8Array): Promise<ContentId> {
    const id = contentIdOf(bytes);
    this.files.set(id, bytes);
    return id;
  }

  async get(id: ContentId): Promise<Uint8Array> {
    return this.files.get(id)!;
  }

  async has(id: ContentId): Promise<boolean> {
    return this.files.has(id);
  }
}

describe("a page in Chromium", { skip: NO_CHROMIUM }, () => {
  const store = new MemoryStore();
  let taskPackage: TaskPackage;
  let manifest: ContentId;

  before(async () => {
    ({ taskPackage } = await prepareTask(TASK));
    manifest = await putTaskPackage(store, taskPackage);
  });

  /** The first steps on onnxruntime-node. */
  async function native(count: number): Promise<{ root: string; losses: number[] }> {
    const { job, initialState } = taskPackage;
    const engine = await startOnnxRuntime(job.program);
    const losses: number[] = [];
    try {
      const { state } = await engine.steps({
        state: initialState,
        count,
        inputs: (step) => sourceOutputs(job, step),
        onStep: (_, { loss }) => losses.push(loss),
      });
      return { root: stateRoot(state), losses };
    } finally {
      await engine.close();
    }
  }

  async function inChromium(
    provider: ReplayRequest["provider"],
    steps: number,
  ): Promise<Pick<ReplayResult, "root" | "losses">> {
    const { job, initialState } = taskPackage;
    const training = commitTraining(job, initialState);
    const result = await withPage({ store: store.files, webgpu: provider === "webgpu" }, (page, location) =>
      page.evaluate(
        (request) =>
          (
            globalThis as unknown as { replayFirstSegment(asked: ReplayRequest): Promise<ReplayResult> }
          ).replayFirstSegment(request),
        { store: location, manifest, training, provider, steps } satisfies ReplayRequest,
      ),
    );
    assert.match(result.userAgent, /Chrome\//);
    assert.match(result.engine, new RegExp(`^onnxruntime-web .* ${provider}$`));
    assert.ok(result.checks > 50);
    const { root, losses } = result;
    return { root, losses };
  }

  it("replays one segment of the demo's task to the state root that onnxruntime-node reaches", async () => {
    const { stepCount } = segmentSteps(taskPackage.job, 0);
    const expected = await native(stepCount);
    assert.deepEqual(await inChromium("wasm", stepCount), expected);
  });

  // Chromium's software WebGPU takes half a minute for a step.
  it("replays steps on WebGPU", { skip: DEEP ? false : "TOUCHSTONE_DEEP=1 runs it" }, async () => {
    assert.deepEqual(await inChromium("webgpu", 2), await native(2));
  });
});
