/** NumPy's array file (numpy.lib.format, versions 1 to 3): magic, a Python dictionary as text, then the elements. */
import { decodeElements, ELEMENT_BYTES, type ElementType } from "./elements.ts";
import { DataFileError } from "./errors.ts";
import { type DataFile, placeInArray, rowsOf, type SourceArray } from "./sourceArray.ts";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const TYPES: ReadonlyMap<string, ElementType> = new Map([
  ["b1", "bool"],
  ["i1", "int8"],
  ["u1", "uint8"],
  ["i2", "int16"],
  ["u2", "uint16"],
  ["i4", "int32"],
  ["u4", "uint32"],
  ["i8", "int64"],
  ["u8", "uint64"],
  ["f2", "float16"],
  ["f4", "float32"],
  ["f8", "float64"],
]);
const SAVE_AGAIN = "Save it again with numpy.save.";

/** @throws DataFileError for anything but one whole array of numbers in C order. */
export function readNpy({ name, bytes }: DataFile): SourceArray {
  const fail = (place: string, problem: string, remedy = SAVE_AGAIN) => new DataFileError(name, place, problem, remedy);
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) throw fail("start", "it is no npy file");
  const { text, end } = headerOf(bytes, fail);
  const { descr, isFortran, shape } = parseHeader(text, fail);
  const type = TYPES.get(descr.slice(1));
  if (type === undefined || !/^[<>|=]/.test(descr)) {
    throw fail(
      "header",
      `elements of type ${descr} are not numbers`,
      "Save an array of a bool, int, uint or float dtype.",
    );
  }
  const size = rowsOf(shape);
  if (size === null) throw fail("header", `an array of shape (${shape}) has no rows or no values`);
  if (isFortran && shape.filter((length) => length > 1).length > 1) {
    throw fail("header", "the array is in Fortran order", "Save numpy.ascontiguousarray(array).");
  }
  const expected = size.rows * size.width * ELEMENT_BYTES[type];
  if (bytes.length - end !== expected) {
    throw fail("elements", `a ${type} array of shape (${shape}) takes ${expected} bytes, not ${bytes.length - end}`);
  }
  const beyond = (position: number, problem: string) =>
    fail(placeInArray(Math.floor(position / size.width), position % size.width), problem, "Use smaller integers.");
  const values = decodeElements(type, bytes.subarray(end), descr[0] === ">", beyond);
  return { ...size, values, place: placeInArray };
}

type Fail = (place: string, problem: string, remedy?: string) => DataFileError;

function headerOf(bytes: Uint8Array, fail: Fail): { text: string; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version === undefined || version < 1 || version > 3) throw fail("start", `npy version ${version} is unknown`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw fail("header", "the file ends inside it");
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length) throw fail("header", `it ends at byte ${end} of ${bytes.length}`);
  return { text: new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(bytes.subarray(start, end)), end };
}

/** The three members of the dictionary, in any order. */
function parseHeader(text: string, fail: Fail): { descr: string; isFortran: boolean; shape: number[] } {
  const members = /'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d,\s]*\)|\[[^\]]*\])\s*,?\s*/g;
  const found = new Map([...text.matchAll(members)].map(([, key, value]) => [key, value!]));
  const rest = text.replace(members, "").trim();
  const [descr, order, shape] = ["descr", "fortran_order", "shape"].map((key) => found.get(key));
  if (descr?.startsWith("[")) {
    throw fail("header", "its elements are records of several fields", "Save each field as an array of its own.");
  }
  if (rest !== "{}" || !descr?.startsWith("'") || !/^(True|False)$/.test(order ?? "") || !shape?.startsWith("(")) {
    throw fail("header", `it does not say descr, fortran_order and shape: ${text.trim().slice(0, 120)}`);
  }
  return { descr: descr.slice(1, -1), isFortran: order === "True", shape: (shape.match(/\d+/g) ?? []).map(Number) };
}
