/** Builds the straight-line program of one Map (docs/numerics.md, section 2.2). Equal subexpressions are computed once. */
import { fromNumber, toNumber } from "../numerics/float32.ts";
import { FLUSH_CONSTANT } from "../numerics/flush.ts";
import type { MapInstruction, Operand } from "../program/descriptor.ts";
import { MapOpcode } from "../program/descriptor.ts";
import { MAX_MAP_IMMEDIATES, MAX_MAP_INSTRUCTIONS, MAX_MAP_OPERANDS } from "../program/encoding.ts";

/** A value inside a Map under construction. */
export type Register = number & { readonly __register: unique symbol };

type Entry =
  | { readonly kind: "operand"; readonly operand: Operand }
  | { readonly kind: "immediate"; readonly word: number }
  | { readonly kind: "instruction"; readonly opcode: MapOpcode; readonly arguments: readonly Register[] };

export interface MapParts {
  readonly operands: readonly Operand[];
  readonly immediates: readonly number[];
  readonly instructions: readonly MapInstruction[];
}

/** What a flush adds and subtracts (docs/numerics.md, section 4.1). */
export const FLUSH = toNumber(FLUSH_CONSTANT);

export class MapBuilder {
  readonly #entries: Entry[] = [];
  readonly #known = new Map<string, Register>();

  operand(operand: Operand): Register {
    return this.#enter(JSON.stringify(operand), { kind: "operand", operand });
  }

  /** The float32 nearest to `value`. */
  immediate(value: number): Register {
    const word = fromNumber(value);
    return this.#enter(`#${word}`, { kind: "immediate", word });
  }

  add = (a: Register, b: Register): Register => this.#instruction(MapOpcode.add, a, b);
  sub = (a: Register, b: Register): Register => this.#instruction(MapOpcode.sub, a, b);
  mul = (a: Register, b: Register): Register => this.#instruction(MapOpcode.mul, a, b);
  div = (a: Register, b: Register): Register => this.#instruction(MapOpcode.div, a, b);
  sqrt = (a: Register): Register => this.#instruction(MapOpcode.sqrt, a);
  abs = (a: Register): Register => this.#instruction(MapOpcode.abs, a);
  neg = (a: Register): Register => this.#instruction(MapOpcode.neg, a);
  max = (a: Register, b: Register): Register => this.#instruction(MapOpcode.max, a, b);
  min = (a: Register, b: Register): Register => this.#instruction(MapOpcode.min, a, b);
  /** 1 where a < b. */
  less = (a: Register, b: Register): Register => this.#instruction(MapOpcode.less, a, b);
  /** 1 where a = b. */
  equal = (a: Register, b: Register): Register => this.#instruction(MapOpcode.equal, a, b);
  /** a where the condition is not 0, else b. */
  select = (condition: Register, a: Register, b: Register): Register =>
    this.#instruction(MapOpcode.select, condition, a, b);

  clamp(a: Register, least: number, most: number): Register {
    return this.max(this.min(a, this.immediate(most)), this.immediate(least));
  }

  /** a rounded to a multiple of 2^-104 (exact from 2^-54 on), so that no subnormal is ever seen. */
  flush(a: Register): Register {
    return this.sub(this.add(a, this.immediate(FLUSH)), this.immediate(FLUSH));
  }

  /** Σ coefficient_k · a^k by Horner's rule. */
  polynomial(a: Register, coefficients: readonly number[]): Register {
    return coefficients
      .slice(0, -1)
      .reduceRight<Register>(
        (sum, coefficient) => this.add(this.mul(sum, a), this.immediate(coefficient)),
        this.immediate(coefficients.at(-1)!),
      );
  }

  /**
   * The finished Map: what `result` does not need is left out, operands and immediates keep the order of their first use.
   * null when it exceeds the limits of a descriptor.
   */
  finish(result: Register): MapParts | null {
    const used = this.#usedBy(result);
    const ofKind = (kind: Entry["kind"]) => used.filter((register) => this.#entries[register]!.kind === kind);
    const operands = ofKind("operand");
    const immediates = ofKind("immediate");
    const instructions = ofKind("instruction");
    const position = new Map([...operands, ...immediates, ...instructions].map((register, index) => [register, index]));
    if (
      operands.length > MAX_MAP_OPERANDS ||
      immediates.length > MAX_MAP_IMMEDIATES ||
      instructions.length > MAX_MAP_INSTRUCTIONS
    ) {
      return null;
    }
    return {
      operands: operands.map((register) => (this.#entries[register] as Entry & { kind: "operand" }).operand),
      immediates: immediates.map((register) => (this.#entries[register] as Entry & { kind: "immediate" }).word),
      instructions: instructions.map((register) => {
        const entry = this.#entries[register] as Entry & { kind: "instruction" };
        const [a = 0, b = 0, c = 0] = entry.arguments.map((argument) => position.get(argument)!);
        return [entry.opcode, a, b, c];
      }),
    };
  }

  /** Registers that `result` depends on, itself included, in the order of their creation. */
  #usedBy(result: Register): Register[] {
    const used = new Set<Register>([result]);
    for (let register = result; register >= 0; register--) {
      const entry = this.#entries[register]!;
      if (used.has(register) && entry.kind === "instruction")
        for (const argument of entry.arguments) used.add(argument);
    }
    return [...used].sort((a, b) => a - b);
  }

  #instruction(opcode: MapOpcode, ...args: Register[]): Register {
    return this.#enter(`${opcode}(${args})`, { kind: "instruction", opcode, arguments: args });
  }

  #enter(key: string, entry: Entry): Register {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const register = (this.#entries.push(entry) - 1) as Register;
    this.#known.set(key, register);
    return register;
  }
}
