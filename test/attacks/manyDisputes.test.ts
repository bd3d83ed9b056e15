/** Disputes about more segments at once than a program keeps unasked: each must cost its defendant one trace, in the order of the clocks. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import type { SegmentEvidence } from "../../shared/dispute/segmentEvidence.ts";
import type { LoadedTask } from "../../shared/service/loadTask.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { SolverRun } from "../../solver/run.ts";
import { Replayer } from "../../verifier/replayer.ts";
import { honestCheckpoints, loadedSmallTask } from "../dispute/loadedSmallTask.ts";

const folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
const store = new DirectoryStore(folder);
after(() => rm(folder, { recursive: true }));
const honest = loadedSmallTask();
const { checkpoints } = await honestCheckpoints(honest, store);
const SEGMENTS = [0, 1, 2, 3];

type Prove = (segment: number, deadline?: number) => Promise<SegmentEvidence>;

/** Both programs with `open` disputes, and the number of steps that they have traced. */
function programs(open: ReadonlySet<number>) {
  const counted = { traces: 0 };
  const { engine } = honest;
  const trace: LoadedTask["engine"]["trace"] = (inputs) => {
    counted.traces++;
    return engine.trace(inputs);
  };
  const task = { ...honest, engine: { trace } } as unknown as LoadedTask;
  const disputed = () => open;
  const signal = new AbortController().signal;
  const run = new SolverRun(task, store, { cheat: null, onStep: () => {}, signal, disputed });
  const replayer = new Replayer(task, store, () => checkpoints, disputed);
  const solver: Prove = (segment, deadline) => run.evidence(segment, checkpoints, deadline);
  const verifier: Prove = (segment, deadline) => replayer.evidence(segment, deadline);
  return { counted, sides: { solver, verifier } };
}

for (const side of ["solver", "verifier"] as const) {
  describe(`a flood of disputes against a ${side}`, () => {
    it("has each segment traced once, whatever the turns", async () => {
      const { counted, sides } = programs(new Set(SEGMENTS));
      for (let move = 0; move < 3; move++) {
        const evidence = await Promise.all(SEGMENTS.map((segment) => sides[side](segment)));
        for (const segment of SEGMENTS) assert.equal(evidence[segment]!.endRoot, checkpoints[segment]!.stateRoot);
      }
      assert.equal(counted.traces, honest.job.steps);
    });

    it("keeps three segments that nobody disputes", async () => {
      const { counted, sides } = programs(new Set());
      for (const segment of SEGMENTS) await sides[side](segment);
      for (const segment of [1, 2, 3]) await sides[side](segment);
      assert.equal(counted.traces, honest.job.steps);
      await sides[side](0);
      assert.equal(counted.traces, honest.job.steps + 3);
    });

    it("is worked off by the earliest deadline", async () => {
      const { sides } = programs(new Set(SEGMENTS));
      const done: number[] = [];
      const asked = [1, 2, 0, 3].map(async (segment) => {
        await sides[side](segment, [50, 900, 700, 600][segment]!);
        done.push(segment);
      });
      await Promise.all(asked);
      // The first was begun before any other was asked for.
      assert.deepEqual(done, [1, 0, 3, 2]);
    });
  });
}
