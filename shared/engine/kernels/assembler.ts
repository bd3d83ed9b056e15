/**
 * WebAssembly in binary form (WebAssembly core specification 2.0 with fixed-width SIMD; threads proposal for shared memory). Just what
 * the kernels of this folder use. Its float arithmetic is IEEE-754 without contraction or flushing, so it gives the specified bits.
 */

export type ValueType = "i32" | "f32" | "f64" | "v128";

const VALUE_TYPE: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** A local variable of a function under construction. */
export type Local = number & { readonly __local: unique symbol };

/** Opcodes without immediates; those above 0xff are SIMD, their second byte on. */
export const Op = {
  i32eqz: 0x45,
  i32ltU: 0x49,
  i32gtU: 0x4b,
  i32geU: 0x4f,
  i32add: 0x6a,
  i32sub: 0x6b,
  i32mul: 0x6c,
  i32and: 0x71,
  select: 0x1b,
  f64add: 0xa0,
  i32x4splat: 0x111,
  f32x4eq: 0x141,
  f32x4ne: 0x142,
  f32x4lt: 0x143,
  and: 0x14e,
  bitselect: 0x152,
  demoteLow: 0x15e,
  promoteLow: 0x15f,
  i32x4add: 0x1ae,
  i32x4minU: 0x1b7,
  i32x4maxU: 0x1b9,
  f32x4abs: 0x1e0,
  f32x4neg: 0x1e1,
  f32x4sqrt: 0x1e3,
  f32x4add: 0x1e4,
  f32x4sub: 0x1e5,
  f32x4mul: 0x1e6,
  f32x4div: 0x1e7,
  f32x4min: 0x1e8,
  f32x4max: 0x1e9,
  f32x4pmin: 0x1ea,
  f32x4pmax: 0x1eb,
  f64x2add: 0x1f0,
  f64x2mul: 0x1f2,
  convertI32x4: 0x1fa,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** Loads and stores: opcode and log2 of the natural alignment. */
const Memory = {
  i32load: [0x28, 2],
  f64load: [0x2b, 3],
  f64store: [0x39, 3],
  v128load: [0x100, 2],
  v128store: [0x10b, 2],
  load32splat: [0x109, 2],
  load64splat: [0x10a, 3],
  load32lane: [0x156, 2],
  load64lane: [0x157, 3],
  store32lane: [0x15a, 2],
  store64lane: [0x15b, 3],
} as const;
export type MemoryOp = keyof typeof Memory;

export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** The body of one function that returns an i32. Methods append instructions; each returns the code for chaining. */
export class Code {
  readonly parameters: number;
  readonly #locals: ValueType[] = [];
  readonly #bytes: number[] = [];

  /** @param parameters i32 each; they are the first locals. */
  constructor(parameters: number) {
    this.parameters = parameters;
  }

  parameter(index: number): Local {
    return index as Local;
  }

  local(type: ValueType): Local {
    return (this.parameters + this.#locals.push(type) - 1) as Local;
  }

  get(...locals: Local[]): this {
    for (const local of locals) this.#bytes.push(0x20, ...unsigned(local));
    return this;
  }

  set(local: Local): this {
    this.#bytes.push(0x21, ...unsigned(local));
    return this;
  }

  tee(local: Local): this {
    this.#bytes.push(0x22, ...unsigned(local));
    return this;
  }

  i32(value: number): this {
    this.#bytes.push(0x41, ...signed(value));
    return this;
  }

  /** Four times the same 32-bit word. */
  splat(word: number): this {
    return this.vector([word, word, word, word]);
  }

  /** Four 32-bit words. */
  vector(words: readonly number[]): this {
    this.#bytes.push(0xfd, 0x0c, ...words.flatMap(littleEndian));
    return this;
  }

  op(...ops: Op[]): this {
    for (const op of ops) this.#opcode(op);
    return this;
  }

  memory(op: MemoryOp, offset = 0, lane?: number): this {
    const [opcode, alignment] = Memory[op];
    this.#opcode(opcode);
    this.#bytes.push(alignment, ...unsigned(offset));
    if (lane !== undefined) this.#bytes.push(lane);
    return this;
  }

  /** Lane of an i32x4 as i32. */
  lane(index: number): this {
    this.#bytes.push(0xfd, 0x1b, index);
    return this;
  }

  /** Lane of an f64x2 as f64. */
  doubleLane(index: number): this {
    this.#bytes.push(0xfd, 0x21, index);
    return this;
  }

  /** The high 64 bits of a vector in its low ones. */
  highToLow(vector: Local): this {
    this.get(vector, vector);
    this.#bytes.push(0xfd, 0x0d, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
    return this;
  }

  /** Four words of the two vectors on the stack, numbered 0 … 3 and 4 … 7. */
  shuffle(words: readonly [number, number, number, number]): this {
    this.#bytes.push(0xfd, 0x0d, ...words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte)));
    return this;
  }

  /** The low 64 bits of the two vectors on the stack as one vector. */
  joinLow(): this {
    this.#bytes.push(0xfd, 0x0d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    return this;
  }

  /** Fills bytes of memory: address, byte and count are on the stack. */
  fill(): this {
    this.#bytes.push(0xfc, 0x0b, 0x00);
    return this;
  }

  /** Repeats `body` while it leaves a non-zero i32; it runs at least once. */
  repeat(body: () => void): this {
    this.#bytes.push(0x03, 0x40);
    body();
    this.#bytes.push(0x0d, 0x00, 0x0b);
    return this;
  }

  /** Runs `body` when the i32 on the stack is not 0. */
  when(body: () => void, otherwise?: () => void): this {
    this.#bytes.push(0x04, 0x40);
    body();
    if (otherwise !== undefined) {
      this.#bytes.push(0x05);
      otherwise();
    }
    this.#bytes.push(0x0b);
    return this;
  }

  /** The bytes of the function in the code section. */
  finish(): number[] {
    const locals = this.#locals.flatMap((type) => [1, VALUE_TYPE[type]]);
    const body = [...unsigned(this.#locals.length), ...locals, ...this.#bytes, 0x0b];
    return [...unsigned(body.length), ...body];
  }

  #opcode(op: number): void {
    if (op <= 0xff) this.#bytes.push(op);
    else this.#bytes.push(0xfd, ...unsigned(op - 0x100));
  }
}

function littleEndian(word: number): number[] {
  return [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
}

/** Pages of 64 KiB. */
export interface MemoryLimits {
  readonly pages: number;
  readonly shared: boolean;
}

/** A module whose functions `0`, `1`, … are exported under their numbers; its memory is imported as `env.memory`. */
export function assemble(functions: readonly Code[], memory: MemoryLimits): Uint8Array<ArrayBuffer> {
  const arities = [...new Set(functions.map((code) => code.parameters))];
  const name = (text: string) => [...unsigned(text.length), ...new TextEncoder().encode(text)];
  const vector = (items: readonly (readonly number[])[]) => [...unsigned(items.length), ...items.flat()];
  const section = (id: number, content: readonly number[]) => [id, ...unsigned(content.length), ...content];
  const types = arities.map((arity) => [0x60, ...vector(new Array(arity).fill([VALUE_TYPE.i32])), 1, VALUE_TYPE.i32]);
  const limits = [memory.shared ? 3 : 1, ...unsigned(memory.pages), ...unsigned(memory.pages)];
  const parts = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, vector(types)),
    section(2, vector([[...name("env"), ...name("memory"), 0x02, ...limits]])),
    section(3, vector(functions.map((code) => unsigned(arities.indexOf(code.parameters))))),
    section(7, vector(functions.map((_, index) => [...name(`${index}`), 0x00, ...unsigned(index)]))),
    section(10, vector(functions.map((code) => code.finish()))),
  ];
  return Uint8Array.from(parts.flat());
}
