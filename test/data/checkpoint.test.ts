import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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

  // Python's side of the format, by nothing but its own libraries: header, dtypes, offsets, bytes.
  const READER = `
import json, struct, sys
import numpy
file = open(sys.argv[1], "rb").read()
(length,) = struct.unpack("<Q", file[:8])
header = json.loads(file[8:8 + length])
types = {"F32": "<f4", "I32": "<i4"}
found = {}
for name, entry in header.items():
    if name == "__metadata__": continue
    begin, end = entry["data_offsets"]
    array = numpy.frombuffer(file[8 + length + begin:8 + length + end], types[entry["dtype"]]).reshape(entry["shape"])
    found[name] = {"type": str(array.dtype), "shape": array.shape, "words": array.reshape(-1).view("<u4").tolist()}
print(json.dumps(found))
`;
  const python = ["/usr/bin/python3", "python3"].find((name) => spawnSync(name, ["-c", "import numpy"]).status === 0);

  it("are read by Python as they are", { skip: python === undefined && "no python3 with NumPy" }, async () => {
    const file = path.join(directory, "checkpoint.safetensors");
    await writeFile(file, encodeCheckpoint(layout, state));
    const { stdout, stderr } = spawnSync(python!, ["-c", READER, file], { encoding: "utf8" });
    assert.equal(stderr, "");
    assert.deepEqual(
      JSON.parse(stdout),
      Object.fromEntries(
        layout.map(({ name, dtype, shape }, index) => {
          const type = dtype === Dtype.float32 ? "float32" : "int32";
          return [name, { type, shape, words: [...state[index]!.words] }];
        }),
      ),
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
