/**
 * keccak256 of many pairs of 32-byte nodes in one WebAssembly function (FIPS 202's permutation with Keccak's first padding): the tree
 * above a tensor's tiles is nothing but these. A general hasher spends half of its time between JavaScript and its module.
 */

/** Pairs of one call. */
const PAIRS = 2048;
const PAIR_BYTES = 64;
const DIGEST_BYTES = 32;
const ROUNDS = 24;
/** Addresses: round constants, pairs, digests. */
const CONSTANTS = 0;
const INPUT = 256;
const OUTPUT = INPUT + PAIRS * PAIR_BYTES;
const PAGES = Math.ceil((OUTPUT + PAIRS * DIGEST_BYTES) / 2 ** 16);

const I32 = 0x7f;
const I64 = 0x7e;
/** Opcodes. */
const GET = 0x20;
const SET = 0x21;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I64_LOAD = 0x29;
const I64_STORE = 0x37;
const AND = 0x83;
const XOR = 0x85;
const ROTL = 0x89;
const LOOP = [0x03, 0x40];
/** Back to the start of the innermost loop while the i32 on the stack is not 0. */
const AGAIN = [0x0d, 0x00];
const END = 0x0b;

/** Locals: three parameters, two pointers, then lanes. */
const FROM = 0;
const TO = 1;
const LEFT = 2;
const CONSTANT = 3;
const ROUND = 4;
const A = 5;
const B = A + 25;
const C = B + 25;
const D = C + 5;

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
  const byte = Number(BigInt.asUintN(7, value));
  const rest = value >> 7n;
  const isLast = (rest === 0n && byte < 0x40) || (rest === -1n && byte >= 0x40);
  return isLast ? [byte] : [byte | 0x80, ...signed(rest)];
}

const get = (local: number) => [GET, local];
const set = (local: number) => [SET, local];
const i64 = (value: bigint) => [I64_CONST, ...signed(BigInt.asIntN(64, value))];
const i32 = (value: number) => [I32_CONST, ...signed(BigInt(value))];
const advance = (local: number, by: number) => [...get(local), ...i32(by), I32_ADD, ...set(local)];
const five = [0, 1, 2, 3, 4];

/** Rotations of ρ for lane x + 5y, from the walk that defines them. */
function rotations(): number[] {
  const amounts = new Array<number>(25).fill(0);
  for (let t = 0, x = 1, y = 0; t < 24; t++) {
    amounts[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return amounts;
}

/** ι's constants, from the linear feedback shift register that defines them. */
function roundConstants(): BigUint64Array {
  const constants = new BigUint64Array(ROUNDS);
  let register = 1;
  for (let round = 0; round < ROUNDS; round++) {
    for (let j = 0; j <= 6; j++) {
      if ((register & 1) !== 0) constants[round] = constants[round]! | (1n << BigInt(2 ** j - 1));
      register <<= 1;
      if ((register & 0x100) !== 0) register ^= 0x171;
    }
  }
  return constants;
}

function round(): number[] {
  const rotation = rotations();
  const columns = five.flatMap((x) => [
    ...get(A + x),
    ...five.slice(1).flatMap((y) => [...get(A + x + 5 * y), XOR]),
    ...set(C + x),
  ]);
  const differences = five.flatMap((x) => [
    ...get(C + ((x + 4) % 5)),
    ...get(C + ((x + 1) % 5)),
    ...i64(1n),
    ROTL,
    XOR,
    ...set(D + x),
  ]);
  const moved = five.flatMap((y) =>
    five.flatMap((x) => [
      ...get(A + x + 5 * y),
      ...get(D + x),
      XOR,
      ...i64(BigInt(rotation[x + 5 * y]!)),
      ROTL,
      ...set(B + y + 5 * ((2 * x + 3 * y) % 5)),
    ]),
  );
  const mixed = five.flatMap((y) =>
    five.flatMap((x) => [
      ...get(B + x + 5 * y),
      ...get(B + ((x + 1) % 5) + 5 * y),
      ...i64(-1n),
      XOR,
      ...get(B + ((x + 2) % 5) + 5 * y),
      AND,
      XOR,
      ...set(A + x + 5 * y),
    ]),
  );
  const marked = [...get(A), ...get(CONSTANT), I64_LOAD, 3, 0, XOR, ...set(A)];
  return [...columns, ...differences, ...moved, ...mixed, ...marked];
}

/** `hash(from, to, count)`: digests of `count` > 0 pairs. */
function hashBody(): number[] {
  const absorbed = Array.from({ length: 25 }, (_, lane) => {
    if (lane < 8) return [...get(FROM), I64_LOAD, 3, lane * 8, ...set(A + lane)];
    // The padding of 64 bytes in a rate of 136: a 1 behind them, a 1 at the end.
    return [...i64(lane === 8 ? 1n : lane === 16 ? 1n << 63n : 0n), ...set(A + lane)];
  }).flat();
  const squeezed = [0, 1, 2, 3].flatMap((lane) => [...get(TO), ...get(A + lane), I64_STORE, 3, lane * 8]);
  const again = (counter: number) => [...get(counter), ...i32(1), I32_SUB, ...set(counter), ...get(counter), ...AGAIN];
  const body = [
    ...LOOP,
    ...absorbed,
    ...i32(CONSTANTS),
    ...set(CONSTANT),
    ...i32(ROUNDS),
    ...set(ROUND),
    ...[...LOOP, ...round(), ...advance(CONSTANT, 8), ...again(ROUND), END],
    ...squeezed,
    ...advance(FROM, PAIR_BYTES),
    ...advance(TO, DIGEST_BYTES),
    ...again(LEFT),
    END,
    END,
  ];
  const locals = [2, 2, I32, 60, I64];
  return [...unsigned(locals.length + body.length), ...locals, ...body];
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const section = (id: number, ...content: number[]) => [id, ...unsigned(content.length), ...content];
  const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 1, 0x60, 3, I32, I32, I32, 0),
    ...section(3, 1, 0),
    ...section(5, 1, 0x00, PAGES),
    ...section(7, 2, ...name("memory"), 0x02, 0, ...name("hash"), 0x00, 0),
    ...section(10, 1, ...hashBody()),
  ]);
}

export type HashPairs = (nodes: Uint8Array) => Uint8Array;

/** Digests of consecutive pairs (64 bytes each), one after the other. @throws where WebAssembly is not allowed. */
export async function createKeccakPairs(): Promise<HashPairs> {
  const { instance } = await WebAssembly.instantiate(moduleBytes());
  const { memory, hash } = instance.exports as {
    memory: WebAssembly.Memory;
    hash: (from: number, to: number, count: number) => void;
  };
  const bytes = new Uint8Array(memory.buffer);
  const constants = new DataView(memory.buffer, CONSTANTS);
  for (const [round, constant] of roundConstants().entries()) constants.setBigUint64(round * 8, constant, true);
  return (nodes) => {
    const pairs = nodes.length / PAIR_BYTES;
    const digests = new Uint8Array(pairs * DIGEST_BYTES);
    for (let first = 0; first < pairs; first += PAIRS) {
      const count = Math.min(PAIRS, pairs - first);
      bytes.set(nodes.subarray(first * PAIR_BYTES, (first + count) * PAIR_BYTES), INPUT);
      hash(INPUT, OUTPUT, count);
      digests.set(bytes.subarray(OUTPUT, OUTPUT + count * DIGEST_BYTES), first * DIGEST_BYTES);
    }
    return digests;
  };
}
