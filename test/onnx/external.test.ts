import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { mlpModel, mlpWeights } from "../../examples/solidity-mlp/model.ts";
import { readModelFile } from "../../requester/readModel.ts";
import { decodeModel } from "../../shared/onnx/decode.ts";
import { encodeModel } from "../../shared/onnx/encode.ts";
import { OnnxFormatError } from "../../shared/onnx/errors.ts";
import { embedExternalData } from "../../shared/onnx/external.ts";
import type { OnnxTensor } from "../../shared/onnx/model.ts";
import { TINY } from "../helpers/compile.ts";

const whole = mlpModel(TINY, mlpWeights(TINY, 5n));
const folder = await mkdtemp(path.join(os.tmpdir(), "touchstone-external-"));
after(() => rm(folder, { recursive: true }));

const bytesOf = ({ data }: OnnxTensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The model with its tensors' data described by entries instead of being inside. */
function external(entriesOf: (index: number) => Record<string, string>): Uint8Array {
  const bare = encodeModel({ ...whole, graph: { ...whole.graph, initializers: [] } });
  const writer = new BinaryWriter();
  // Fields of a message may come in several parts: this adds initializers to the graph.
  writer.tag(7, WireType.LengthDelimited).fork();
  for (const [index, { name, type, dimensions }] of whole.graph.initializers.entries()) {
    writer.tag(5, WireType.LengthDelimited).fork();
    for (const dimension of dimensions) writer.tag(1, WireType.Varint).int64(dimension);
    writer.tag(2, WireType.Varint).int32(type).tag(8, WireType.LengthDelimited).string(name);
    for (const [key, value] of Object.entries(entriesOf(index))) {
      writer.tag(13, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(key).tag(2, WireType.LengthDelimited).string(value).join();
    }
    writer.tag(14, WireType.Varint).int32(1).join();
  }
  writer.join();
  return mergedGraph(bare, writer.finish());
}

/** Two models as one: the second's graph fields behind the first's. */
function mergedGraph(first: Uint8Array, second: Uint8Array): Uint8Array {
  const graphs = [first, second].map((bytes) => splitGraph(bytes));
  const writer = new BinaryWriter();
  writer.tag(7, WireType.LengthDelimited).bytes(Buffer.concat(graphs.map(({ graph }) => graph)));
  return Buffer.concat([...graphs.map(({ rest }) => rest), writer.finish()]);
}

function splitGraph(bytes: Uint8Array): { graph: Uint8Array; rest: Uint8Array } {
  const rest: Uint8Array[] = [];
  let graph: Uint8Array = new Uint8Array(0);
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const [tag, afterTag] = varint(bytes, at);
    if ((tag & 7) === 0) at = varint(bytes, afterTag)[1];
    else {
      const [length, from] = varint(bytes, afterTag);
      at = from + length;
      if (tag >>> 3 === 7) {
        graph = bytes.subarray(from, at);
        continue;
      }
    }
    rest.push(bytes.subarray(start, at));
  }
  return { graph, rest: Buffer.concat(rest) };
}

function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let [value, scale] = [0, 1];
  for (;;) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at];
    scale *= 128;
  }
}

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, bytes);
  return file;
}

const parts = whole.graph.initializers.map(bytesOf);
const offsets = parts.map((_, i) => parts.slice(0, i).reduce((sum, { length }) => sum + length, 0));
await write("weights/all.bin", Buffer.concat(parts));
const placed = (location: string) => (index: number) => ({
  location,
  offset: `${offsets[index]}`,
  length: `${parts[index]!.length}`,
});

const refuses = (bytes: Uint8Array, pattern: RegExp) => async () => {
  const file = await write("refused.onnx", bytes);
  await assert.rejects(readModelFile(file), (error) => error instanceof OnnxFormatError && pattern.test(error.message));
};

describe("a model with its weights in another file", () => {
  test("is the model with its weights inside", async () => {
    const file = await write("model.onnx", external(placed("weights/all.bin")));
    const { graph } = decodeModel(await readModelFile(file));
    assert.deepEqual(graph.initializers, whole.graph.initializers);
    assert.deepEqual(graph.nodes, decodeModel(encodeModel(whole)).graph.nodes);
  });

  test("and one file for each tensor, without offset and length", async () => {
    for (const [i, part] of parts.entries()) await write(`part${i}`, part);
    const file = await write(
      "parts.onnx",
      external((index) => ({ location: `part${index}` })),
    );
    assert.deepEqual(decodeModel(await readModelFile(file)).graph.initializers, whole.graph.initializers);
  });

  test("is not read without the file", () => {
    assert.throws(() => decodeModel(external(placed("weights/all.bin"))), /data is in another file/);
  });

  test("a file that is missing or too short is named", async () => {
    await refuses(external(placed("nowhere.bin")), /"nowhere.bin": the file cannot be read/)();
    await write("short.bin", Buffer.concat(parts).subarray(0, offsets[2]! + 3));
    await refuses(external(placed("short.bin")), /tensor .*: its data lie at \d+ … \d+ of "short.bin", which has/)();
  });

  test("offsets and locations that make no sense are refused", async () => {
    await refuses(
      external(() => ({ location: "weights/all.bin", offset: "-4" })),
      /its offset in another file is "-4"/,
    )();
    await refuses(
      external(() => ({ offset: "0" })),
      /does not say which file/,
    )();
  });

  test("data that do not fill the shape, and whole files for small tensors, are refused before they are copied", async () => {
    await refuses(
      external(() => ({ location: "weights/all.bin" })),
      /tensor .*: it needs \d+ bytes, and \d+ of "weights\/all.bin" are named/,
    )();
    const bytes = external((index) => ({ ...placed("all")(index), length: `${parts[index]!.length - 4}` }));
    await assert.rejects(
      embedExternalData(bytes, async () => Buffer.concat(parts)),
      /it needs/,
    );
  });

  test("the data of all tensors together have a bound, wherever they lie", async () => {
    const total = parts.reduce((sum, { length }) => sum + length, 0);
    const read = async (location: string) => parts[Number(location)]!;
    const bytes = external((index) => ({ location: `${index}` }));
    const embedded = await embedExternalData(bytes, read, total);
    assert.deepEqual(decodeModel(embedded).graph.initializers, whole.graph.initializers);
    await assert.rejects(
      embedExternalData(bytes, read, total - 1),
      (error) => error instanceof OnnxFormatError && /are more than \d+ bytes/.test(error.message),
    );
  });

  test("nothing outside the model's folder is read", async () => {
    const outside = await mkdtemp(path.join(os.tmpdir(), "touchstone-outside-"));
    after(() => rm(outside, { recursive: true }));
    await writeFile(path.join(outside, "secret.bin"), Buffer.concat(parts));
    await symlink(path.join(outside, "secret.bin"), path.join(folder, "link.bin"));
    const escapes = [`../${path.basename(outside)}/secret.bin`, path.join(outside, "secret.bin"), "link.bin"];
    for (const location of escapes) await refuses(external(placed(location)), /not in the model's folder/)();
    await refuses(external(placed(path.join(folder, "weights/all.bin"))), /not in the model's folder/)();
  });
});

test("a model that has everything inside is left as it is", async () => {
  const bytes = encodeModel(whole);
  const file = await write("inside.onnx", bytes);
  assert.deepEqual(new Uint8Array(await readModelFile(file)), bytes);
  await refuses(bytes.subarray(0, bytes.length - 7), /truncated/)();
});

test("bytes that are no protobuf are refused in words, and what reading throws is passed on", async () => {
  const texts = ["This is no model.\n", "hello world\n", "# A page\n", "\x0b\x0c\x0f"];
  for (const text of texts) await refuses(new TextEncoder().encode(text), /it is no ONNX model/)();
  const cause = new RangeError("the disk is gone");
  const bytes = external((index) => ({ location: `${index}` }));
  await assert.rejects(
    embedExternalData(bytes, async () => {
      throw cause;
    }),
    (error) => error === cause,
  );
});
