/** NumPy's archive of arrays: a ZIP file (APPNOTE 6.3) of npy files, stored or deflated. */
import { DataFileError } from "./errors.ts";
import { inflate } from "./inflate.ts";
import { readNpy } from "./npy.ts";
import { type DataFile, MAXIMUM_INFLATED_BYTES, type SourceArray } from "./sourceArray.ts";

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly checksum: number;
  readonly compressed: number;
  readonly size: number;
  readonly offset: number;
}

type Fail = (place: string, problem: string, remedy?: string, cause?: unknown) => DataFileError;

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const END_BYTES = 22;
const STORED = 0;
const DEFLATED = 8;

/** @throws DataFileError when the archive is damaged, lacks the array, or claims more than `maximumBytes` for it. */
export async function readNpz(
  file: DataFile,
  array: string,
  maximumBytes = MAXIMUM_INFLATED_BYTES,
): Promise<SourceArray> {
  const fail: Fail = (place, problem, remedy = "Save it again with numpy.savez.", cause) =>
    new DataFileError(file.name, place, problem, remedy, cause);
  const entries = directoryOf(file.bytes, fail).filter(({ name }) => name === `${array}.npy`);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    const names = directoryOf(file.bytes, fail).map(({ name }) => name.replace(/\.npy$/, ""));
    throw fail(
      "directory",
      `${entries.length === 0 ? "no" : "more than one"} array is named ${JSON.stringify(array)}`,
      `It holds ${names.join(", ")}.`,
    );
  }
  return readNpy({
    name: `${file.name}, ${entry.name}`,
    bytes: await contentOf(file.bytes, entry, maximumBytes, fail),
  });
}

function directoryOf(bytes: Uint8Array, fail: Fail): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_BYTES;
  const least = Math.max(0, end - 0xffff);
  while (end >= least && view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
  if (end < least) throw fail("end", "it has no ZIP directory: it is no npz file, or cut off");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY_ENTRY) throw fail("directory", "it is damaged");
    const nameBytes = view.getUint16(at + 28, true);
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes)),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      compressed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at += 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

async function contentOf(bytes: Uint8Array, entry: Entry, maximumBytes: number, fail: Fail): Promise<Uint8Array> {
  const { name, method, offset, compressed, size } = entry;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size > maximumBytes) throw fail(name, `it claims ${size} bytes`, `At most ${maximumBytes} are read.`);
  if (entry.isEncrypted || (method !== STORED && method !== DEFLATED)) {
    throw fail(name, entry.isEncrypted ? "it is encrypted" : `compression method ${method} is not supported`);
  }
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== LOCAL_ENTRY) throw fail(name, "it is not there");
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + compressed > bytes.length) throw fail(name, "it leaves the file");
  const data = bytes.subarray(start, start + compressed);
  let content = data;
  if (method === DEFLATED) {
    try {
      content = await inflate(data, "deflate-raw", size);
    } catch (cause) {
      throw fail(name, "its compressed data are damaged, or more than it claims", undefined, cause);
    }
  }
  if (content.length !== size) throw fail(name, `it holds ${content.length} bytes and claims ${size}`);
  if (crc32(content) !== entry.checksum) throw fail(name, "its checksum is wrong");
  return content;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  return remainder;
});

/** CRC-32 as in ZIP, gzip and PNG. */
function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ CRC_TABLE[(remainder ^ byte) & 0xff]!;
  return ~remainder >>> 0;
}
