/** Map over whole tensors, instruction by instruction over blocks of elements. A Float32Array rounds what is stored by RN32. */
import { MapOpcode, type MapOperator, wordCount } from "../../program/descriptor.ts";
import { canonicalWords, readView } from "./view.ts";

/** Elements that go through all instructions together, so that registers stay in the cache. */
const BLOCK = 1024;
const ZEROS = new Float32Array(BLOCK);

export function mapTensor(operator: MapOperator, operands: readonly Uint32Array[]): Uint32Array {
  const count = wordCount(operator.shape);
  const output = new Float32Array(count);
  const views = operator.operands.map((operand, at) => readView(operand, operator.shape, operands[at]!));
  const immediates = Uint32Array.from(operator.immediates);
  const constants = Array.from(new Float32Array(immediates.buffer), (value) => new Float32Array(BLOCK).fill(value));
  const results = operator.instructions.map(() => new Float32Array(BLOCK));
  for (let start = 0; start < count; start += BLOCK) {
    const size = Math.min(BLOCK, count - start);
    const registers = [...views.map((view) => view.subarray(start, start + size)), ...constants];
    for (const [at, [opcode, a, b, c]] of operator.instructions.entries()) {
      const register = (index: number): Float32Array => registers[index] ?? ZEROS;
      execute(opcode, register(a), register(b), register(c), results[at]!, size);
      registers.push(results[at]!);
    }
    output.set(registers.at(-1)!.subarray(0, size), start);
  }
  return canonicalWords(output);
}

function execute(
  opcode: number,
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  result: Float32Array,
  size: number,
): void {
  switch (opcode) {
    case MapOpcode.add:
      for (let i = 0; i < size; i++) result[i] = a[i]! + b[i]!;
      return;
    case MapOpcode.sub:
      for (let i = 0; i < size; i++) result[i] = a[i]! - b[i]!;
      return;
    case MapOpcode.mul:
      for (let i = 0; i < size; i++) result[i] = a[i]! * b[i]!;
      return;
    case MapOpcode.div:
      for (let i = 0; i < size; i++) result[i] = a[i]! / b[i]!;
      return;
    case MapOpcode.sqrt:
      for (let i = 0; i < size; i++) result[i] = Math.sqrt(a[i]!);
      return;
    case MapOpcode.abs:
      for (let i = 0; i < size; i++) result[i] = Math.abs(a[i]!);
      return;
    case MapOpcode.neg:
      for (let i = 0; i < size; i++) result[i] = -a[i]!;
      return;
    case MapOpcode.max:
      for (let i = 0; i < size; i++) result[i] = Math.max(a[i]!, b[i]!);
      return;
    case MapOpcode.min:
      for (let i = 0; i < size; i++) result[i] = Math.min(a[i]!, b[i]!);
      return;
    case MapOpcode.less:
      for (let i = 0; i < size; i++) result[i] = a[i]! < b[i]! ? 1 : 0;
      return;
    case MapOpcode.equal:
      for (let i = 0; i < size; i++) result[i] = a[i]! === b[i]! ? 1 : 0;
      return;
    case MapOpcode.select:
      for (let i = 0; i < size; i++) result[i] = a[i]! !== 0 ? b[i]! : c[i]!;
      return;
    default:
      result.fill(Number.NaN);
  }
}
