/** Map (docs/numerics.md, section 2.2): one ONNX node an instruction. */

import { OnnxType } from "../../onnx/model.ts";
import { type MapInstruction, MapOpcode, type MapOperator } from "../../program/descriptor.ts";
import type { RootRealisation } from "./arithmetic.ts";
import { type Context, resolveNumbers } from "./context.ts";
import { UnrealisableError } from "./errors.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { cast, elementwise, expand } from "./nodes.ts";
import { DIVIDE, ROOT } from "./roots.ts";
import { broadcastable, takeView } from "./views.ts";

const ARITHMETIC: Readonly<Record<number, { readonly node: string; readonly arity: 1 | 2 }>> = {
  [MapOpcode.add]: { node: "Add", arity: 2 },
  [MapOpcode.sub]: { node: "Sub", arity: 2 },
  [MapOpcode.mul]: { node: "Mul", arity: 2 },
  [MapOpcode.abs]: { node: "Abs", arity: 1 },
  [MapOpcode.neg]: { node: "Neg", arity: 1 },
  [MapOpcode.max]: { node: "Max", arity: 2 },
  [MapOpcode.min]: { node: "Min", arity: 2 },
};

const COMPARISON: Readonly<Record<number, string>> = { [MapOpcode.less]: "Less", [MapOpcode.equal]: "Equal" };

/** A number, and where it is the result of a comparison also the truth value that it stands for. */
interface Register {
  readonly value: Value;
  readonly truth?: Value;
}

export function realiseMap(context: Context, operator: MapOperator, root: RootRealisation): Value {
  const { graph } = context;
  const registers: Register[] = operator.operands.map((operand) => {
    const view = takeView(graph, resolveNumbers(context, operand), operand, operator.shape);
    return { value: broadcastable(graph, view, operator.shape.length) };
  });
  if (operator.immediates.length > 0) {
    const numbers = new Float32Array(Uint32Array.from(operator.immediates).buffer);
    for (let i = 0; i < numbers.length; i++) {
      registers.push({ value: graph.constant(OnnxType.float32, [], numbers.slice(i, i + 1)) });
    }
  }
  for (const instruction of operator.instructions) registers.push(execute(graph, instruction, registers, root));
  return expand(graph, registers.at(-1)!.value, operator.shape);
}

function execute(
  graph: GraphBuilder,
  [opcode, a, b, c]: MapInstruction,
  registers: readonly Register[],
  root: RootRealisation,
): Register {
  const register = (index: number): Register => {
    const found = registers[index];
    if (found === undefined) throw new UnrealisableError(`register ${index} is read before it is written`);
    return found;
  };
  if (opcode === MapOpcode.div) return { value: DIVIDE[root](graph, register(a).value, register(b).value) };
  if (opcode === MapOpcode.sqrt) return { value: ROOT[root](graph, register(a).value) };
  const arithmetic = ARITHMETIC[opcode];
  if (arithmetic !== undefined) {
    const operands = [a, b].slice(0, arithmetic.arity).map((index) => register(index).value);
    return { value: elementwise(graph, arithmetic.node, operands) };
  }
  const comparison = COMPARISON[opcode];
  if (comparison !== undefined) {
    const truth = elementwise(graph, comparison, [register(a).value, register(b).value], OnnxType.bool);
    return { value: cast(graph, truth, OnnxType.float32), truth };
  }
  if (opcode === MapOpcode.select) {
    const truth = register(a).truth ?? cast(graph, register(a).value, OnnxType.bool);
    return { value: elementwise(graph, "Where", [truth, register(b).value, register(c).value], OnnxType.float32) };
  }
  throw new UnrealisableError(`there is no instruction ${opcode}`);
}
