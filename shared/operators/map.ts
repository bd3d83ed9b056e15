/** Map: a straight-line scalar program for each element (docs/numerics.md, section 2.2). Twin of `contracts/rules/Map.sol`. */
import * as float32 from "../numerics/float32.ts";
import { type MapInstruction, MapOpcode, type MapOperator } from "../program/descriptor.ts";
import { multiIndex, operandLine } from "./address.ts";
import { asNumber, type Read, readWord } from "./read.ts";

/** The canonical word of one element. */
export function mapElement(operator: MapOperator, element: number, read: Read): number {
  const index = multiIndex(operator.shape, element);
  const registers = operator.operands.map((operand, position) =>
    asNumber(operand, readWord(read, position, operandLine(operand, index), 0)),
  );
  registers.push(...operator.immediates);
  for (const instruction of operator.instructions) registers.push(execute(instruction, registers));
  return float32.canonical(registers.at(-1)!);
}

/** The result of one instruction; a register that does not precede it reads +0. */
function execute([opcode, a, b, c]: MapInstruction, registers: readonly number[]): number {
  const x = registers[a] ?? float32.POSITIVE_ZERO;
  const y = registers[b] ?? float32.POSITIVE_ZERO;
  switch (opcode) {
    case MapOpcode.add:
      return float32.add(x, y);
    case MapOpcode.sub:
      return float32.sub(x, y);
    case MapOpcode.mul:
      return float32.mul(x, y);
    case MapOpcode.div:
      return float32.div(x, y);
    case MapOpcode.sqrt:
      return float32.sqrt(x);
    case MapOpcode.abs:
      return float32.abs(x);
    case MapOpcode.neg:
      return float32.neg(x);
    case MapOpcode.max:
      return float32.max(x, y);
    case MapOpcode.min:
      return float32.min(x, y);
    case MapOpcode.less:
      return float32.less(x, y);
    case MapOpcode.equal:
      return float32.equal(x, y);
    case MapOpcode.select:
      return float32.select(x, y, registers[c] ?? float32.POSITIVE_ZERO);
    default:
      return float32.NAN;
  }
}
