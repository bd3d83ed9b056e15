/** Computations on four elements: the instructions of a Map (docs/numerics.md, section 2.2) and quantisation (section 2.3). */
import { type MapInstruction, MapOpcode } from "../../program/descriptor.ts";
import { UnrealisableError } from "../realise/errors.ts";
import { type Code, type Local, Op } from "./assembler.ts";

const ARITHMETIC: Readonly<Record<number, { readonly op: Op; readonly arity: 1 | 2 }>> = {
  [MapOpcode.add]: { op: Op.f32x4add, arity: 2 },
  [MapOpcode.sub]: { op: Op.f32x4sub, arity: 2 },
  [MapOpcode.mul]: { op: Op.f32x4mul, arity: 2 },
  [MapOpcode.div]: { op: Op.f32x4div, arity: 2 },
  [MapOpcode.sqrt]: { op: Op.f32x4sqrt, arity: 1 },
  [MapOpcode.abs]: { op: Op.f32x4abs, arity: 1 },
  [MapOpcode.neg]: { op: Op.f32x4neg, arity: 1 },
};

const COMPARISON: Readonly<Record<number, Op>> = {
  [MapOpcode.less]: Op.f32x4lt,
  [MapOpcode.equal]: Op.f32x4eq,
};

/** `propagating` is an instruction that gives a NaN for a NaN; `cheap` gives its first operand where that is one. */
const EXTREME: Readonly<Record<number, { readonly propagating: Op; readonly cheap: Op }>> = {
  [MapOpcode.max]: { propagating: Op.f32x4max, cheap: Op.f32x4pmax },
  [MapOpcode.min]: { propagating: Op.f32x4min, cheap: Op.f32x4pmin },
};

const ONE = 0x3f800000;
const INFINITY = 0x7f800000;

interface Register {
  readonly value: Local;
  /** A comparison's lanes of ones. */
  readonly mask?: Local;
  readonly isNumber?: boolean;
}

/** @throws UnrealisableError for an unknown instruction or a register that is not written yet. */
export function mapExpression(
  code: Code,
  operands: readonly Local[],
  immediates: readonly number[],
  instructions: readonly MapInstruction[],
): Local {
  const registers: Register[] = operands.map((value) => ({ value }));
  for (const word of immediates) {
    const value = code.local("v128");
    code.splat(word).set(value);
    registers.push({ value, isNumber: (word & 0x7fffffff) <= INFINITY });
  }
  for (const instruction of instructions) registers.push(execute(code, instruction, registers));
  return registers.at(-1)!.value;
}

function execute(code: Code, [opcode, a, b, c]: MapInstruction, registers: readonly Register[]): Register {
  const register = (index: number): Register => {
    const found = registers[index];
    if (found === undefined) throw new UnrealisableError(`register ${index} is read before it is written`);
    return found;
  };
  const value = code.local("v128");
  const arithmetic = ARITHMETIC[opcode];
  if (arithmetic !== undefined) {
    code.get(register(a).value);
    if (arithmetic.arity === 2) code.get(register(b).value);
    code.op(arithmetic.op).set(value);
    return { value };
  }
  const extreme = EXTREME[opcode];
  if (extreme !== undefined) {
    const [first, second] = register(a).isNumber === true ? [register(b), register(a)] : [register(a), register(b)];
    const op = second.isNumber === true ? extreme.cheap : extreme.propagating;
    code.get(first.value, second.value).op(op).set(value);
    return { value };
  }
  const comparison = COMPARISON[opcode];
  if (comparison !== undefined) {
    const mask = code.local("v128");
    code.get(register(a).value, register(b).value).op(comparison).tee(mask).splat(ONE).op(Op.and).set(value);
    return { value, mask };
  }
  if (opcode === MapOpcode.select) {
    code.get(register(b).value, register(c).value);
    const { mask, value: condition } = register(a);
    if (mask !== undefined) code.get(mask);
    else code.get(condition).splat(0).op(Op.f32x4ne);
    code.op(Op.bitselect).set(value);
    return { value };
  }
  throw new UnrealisableError(`there is no instruction ${opcode}`);
}

/** x on the grid of its peak: (x + c) − c with c = 1.5 · 2^23 · u = peak · 1.5 · 2^(23 − P). Right where |x| ≤ peak. */
export function quantised(code: Code, x: Local, peak: Local, bits: number): Local {
  return onGrid(code, x, gridShift(code, peak, bits));
}

/** The c of `quantised`. */
export function gridShift(code: Code, peak: Local, bits: number): Local {
  const shift = code.local("v128");
  const factor = new Uint32Array(Float32Array.of(1.5 * 2 ** (23 - bits)).buffer)[0]!;
  code.get(peak).splat(factor).op(Op.f32x4mul).set(shift);
  return shift;
}

export function onGrid(code: Code, x: Local, shift: Local): Local {
  const value = code.local("v128");
  code.get(x, shift).op(Op.f32x4add).get(shift).op(Op.f32x4sub).set(value);
  return value;
}
