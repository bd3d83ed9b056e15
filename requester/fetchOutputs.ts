/** What an inference gave: the outputs of all its batches, verified against the checkpoints, one row for each sample. */
import type { CommittedCheckpoint } from "../shared/chain/taskRecord.ts";
import { getCheckpoint } from "../shared/data/checkpoint.ts";
import type { NamedTensor } from "../shared/data/safetensors.ts";
import { type Job, sampleCount, segmentCount, segmentSteps } from "../shared/job/job.ts";
import { wordCount } from "../shared/program/descriptor.ts";
import type { StateTensor } from "../shared/program/program.ts";
import type { Store } from "../shared/store/store.ts";

/** Whether a run's checkpoints are an inference's outputs rather than a model. */
export function isInference(state: readonly Pick<StateTensor, "role">[]): boolean {
  return state.some(({ role }) => role === "output");
}

/**
 * The outputs of every checkpoint behind one another; rows beyond the last sample, where a run begins again, are left out.
 * @param checkpoints by segment, all of them.
 * @throws the store's and the file formats' errors, CheckpointRootError when a file is not what was committed.
 */
export async function fetchOutputs(
  store: Store,
  job: Job,
  checkpoints: readonly CommittedCheckpoint[],
): Promise<NamedTensor[]> {
  const layout = job.program.state;
  const rowsOf = ({ shape }: StateTensor): number => shape[0]!;
  const outputs = layout.map((tensor) => {
    const rows = Math.min(segmentCount(job) * rowsOf(tensor), sampleCount(job));
    return { ...tensor, words: new Uint32Array((rows * wordCount(tensor.shape)) / rowsOf(tensor)), rows };
  });
  for (const { segment, locator, stateRoot } of checkpoints) {
    const state = await getCheckpoint(store, locator, layout, stateRoot);
    const { firstStep, stepCount } = segmentSteps(job, segment);
    for (const [index, { words }] of outputs.entries()) {
      const batch = state[index]!.words;
      const start = (firstStep + stepCount - 1) * batch.length;
      words.set(batch.subarray(0, Math.max(0, words.length - start)), Math.min(start, words.length));
    }
  }
  return outputs.map(({ name, dtype, shape, words, rows }) => ({
    name,
    dtype,
    shape: [rows, ...shape.slice(1)],
    words,
  }));
}
