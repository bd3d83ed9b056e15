import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { ZERO_BYTES32 } from "../../shared/commitment/bytes32.ts";
import { stateRoot } from "../../shared/commitment/stateRoot.ts";
import {
  CheckpointRootError,
  CheckpointShapeError,
  decodeCheckpoint,
  encodeCheckpoint,
  getCheckpoint,
  putCheckpoint,
} from "../../shared/data/checkpoint.ts";
import { readSafetensors, SafetensorsError, writeSafetensors } from "../../shared/data/safetensors.ts";
import { Dtype } from "../../shared/program/descriptor.ts";
import { DirectoryStore } from "../../shared/store/directory.ts";
import { StoreMissingError } from "../../shared/store/errors.ts";
import type { ContentId } from "../../shared/store/store.ts";
import { Random } from "../helpers/random.ts";
import { randomWords } from "../helpers/randomBytes.ts";

const layout = [
  { name: "fc.weight", dtype: Dtype.float32, shape: [10, 13] },
  { name: "fc.bias", dtype: Dtype.float32, shape: [10] },
  { name: "seen", dtype: Dtype.int32, shape: [] },
];
const random = new Random(5);
const state = layout.map(({ dtype, shape }) => ({
  dtype,
  shape,
  words: randomWords(
    random,
    shape.reduce((a, b) => a * b, 1),
  ),
}));
const root = stateRoot(state);

const directory = await mkdtemp(path.join(os.tmpdir(), "touchstone-checkpoint-"));
after(() => rm(directory, { recursive: true, force: true }));

describe("checkpoints", () => {
  it("go through a store and come back as committed", async () => {
    const store = new DirectoryStore(directory);
    const id = await putCheckpoint(store, layout, state);
    assert.deepEqual(await getCheckpoint(store, id, layout, root), state);
    assert.equal(await putCheckpoint(store, layout, structuredClone(state)), id);
    await assert.rejects(getCheckpoint(store, "0".repeat(64) as ContentId, layout, root), StoreMissingError);
  });

  it("are safetensors files with the state's names", () => {
    const { tensors } = readSafetensors(encodeCheckpoint(layout, state));
    assert.deepEqual(
      tensors.map(({ name }) => name),
      layout.map(({ name }) => name),
    );
  });

  it("are refused when a word differs from the commitment", () => {
    const file = encodeCheckpoint(layout, state);
    for (const position of [file.length - 1, file.length - 4 * 141]) {
      const flipped = file.slice();
      flipped[position]! ^= 1;
      assert.throws(() => decodeCheckpoint(layout, flipped, root), CheckpointRootError);
    }
    assert.throws(() => decodeCheckpoint(layout, file, ZERO_BYTES32), CheckpointRootError);
  });

  it("are refused when they are no such file, or of another program", () => {
    const file = encodeCheckpoint(layout, state);
    assert.throws(() => decodeCheckpoint(layout, file.subarray(0, -1), root), SafetensorsError);
    const tensors = readSafetensors(file).tensors;
    const others = [
      tensors.slice(1),
      [...tensors, { ...tensors[2]!, name: "more" }],
      [tensors[1]!, tensors[0]!, tensors[2]!],
      tensors.with(0, { ...tensors[0]!, shape: [13, 10] }),
      tensors.with(2, { ...tensors[2]!, dtype: Dtype.float32 }),
      tensors.with(2, { ...tensors[2]!, name: "Seen" }),
    ];
    for (const other of others) {
      assert.throws(() => decodeCheckpoint(layout, writeSafetensors(other), root), CheckpointShapeError);
    }
    assert.throws(() => encodeCheckpoint(layout, state.slice(1)), CheckpointShapeError);
    assert.throws(() => encodeCheckpoint(layout.toReversed(), state), CheckpointShapeError);
  });
});
