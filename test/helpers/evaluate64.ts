/**
 * A canonical program in binary64 arithmetic: the same descriptors, no grids and no rounding to binary32. Slow and plain, so that
 * gradients can be compared with difference quotients.
 */
import { randomWords } from "../../shared/numerics/philox.ts";
import { unitNumber } from "../../shared/operators/random.ts";
import type { ComputedOperator, Operand } from "../../shared/program/descriptor.ts";
import { isComputed, MapOpcode, wordCount } from "../../shared/program/descriptor.ts";
import type { Program, Tensor } from "../../shared/program/program.ts";

export interface Inputs64 {
  readonly state: readonly Float64Array[];
  /** By operator name; random numbers are those of one step. */
  readonly sources: Readonly<Record<string, readonly number[]>>;
}

/** Every operator's output. */
export function evaluate64(program: Program, inputs: Inputs64): Float64Array[] {
  const outputs: Float64Array[] = [];
  const constants = program.constants.map(numbers64);
  const tensors = { operator: outputs, state: inputs.state, constant: constants };
  for (const { name, operator } of program.operators) {
    if (operator.family === "random") {
      const words = randomWords(1n, 0, operator.stream, wordCount(operator.shape));
      outputs.push(Float64Array.from(words, unitNumber));
      continue;
    }
    if (!isComputed(operator)) {
      outputs.push(Float64Array.from(inputs.sources[name]!));
      continue;
    }
    const { shape } = operator;
    const read = (operand: Operand, index: readonly number[], k: number, extra = 0): number => {
      const line = [...index, k].reduce((sum, i, d) => sum + i * (operand.strides[d] ?? 0), operand.offset);
      return tensors[operand.reference.kind][operand.reference.index]![line + extra]!;
    };
    outputs.push(
      Float64Array.from({ length: wordCount(shape) }, (_, flat) => {
        let rest = flat;
        const index = shape.toReversed().map((dimension) => {
          const i = rest % dimension;
          rest = (rest - i) / dimension;
          return i;
        });
        return element(operator, index.reverse(), read);
      }),
    );
  }
  return outputs;
}

export function numbers64({ dtype, words }: Tensor): Float64Array {
  return Float64Array.from(dtype === 0 ? new Float32Array(words.slice().buffer) : new Int32Array(words.slice().buffer));
}

type ReadNumber = (operand: Operand, index: readonly number[], k: number, extra?: number) => number;

function element(operator: ComputedOperator, index: readonly number[], read: ReadNumber): number {
  switch (operator.family) {
    case "map": {
      const immediates = new Float32Array(Uint32Array.from(operator.immediates).buffer);
      const registers = [...operator.operands.map((operand) => read(operand, index, 0)), ...immediates];
      for (const [opcode, ...args] of operator.instructions) {
        registers.push(execute(opcode, args.map((register) => registers[register]!) as [number, number, number]));
      }
      return registers.at(-1)!;
    }
    case "gather": {
      const [table, chosen] = operator.operands;
      const row = read(chosen, index, 0);
      return row < 0 || row >= operator.rows ? 0 : read(table, index, 0, row * operator.rowStride);
    }
    case "join": {
      const { axis, ranges, operands } = operator;
      const place = index[axis]!;
      const at = ranges.findIndex(({ start, extent }) => place >= start && place < start + extent);
      return at < 0 ? 0 : read(operands[at]!, index.with(axis, place - ranges[at]!.start), 0);
    }
    default: {
      let result = 0;
      for (let k = 0; k < operator.length; k++) {
        const x = read(operator.operands[0], index, k);
        if (operator.family === "dot") result += x * read(operator.operands[1], index, k);
        else if (operator.family === "peak") result = Math.max(result, Math.abs(x));
        else if (operator.family === "sum" || read(operator.operands[2], index, k) === index[operator.axis])
          result += x;
      }
      return result;
    }
  }
}

function execute(opcode: number, [a, b, c]: readonly [number, number, number]): number {
  switch (opcode) {
    case MapOpcode.add:
      return a + b;
    case MapOpcode.sub:
      return a - b;
    case MapOpcode.mul:
      return a * b;
    case MapOpcode.div:
      return a / b;
    case MapOpcode.sqrt:
      return Math.sqrt(a);
    case MapOpcode.abs:
      return Math.abs(a);
    case MapOpcode.neg:
      return -a;
    case MapOpcode.max:
      return Math.max(a, b);
    case MapOpcode.min:
      return Math.min(a, b);
    case MapOpcode.less:
      return a < b ? 1 : 0;
    case MapOpcode.equal:
      return a === b ? 1 : 0;
    case MapOpcode.select:
      return a !== 0 ? b : c;
    default:
      throw new RangeError(`opcode ${opcode}`);
  }
}
