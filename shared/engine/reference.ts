/**
 * The reference engine: docs/numerics.md over whole tensors, with integers and correctly rounded binary32 only. Slow beside ONNX
 * Runtime, but a page of code for each family. Where a family's fast form is not provably equal to the element rule of
 * `shared/operators` (addresses outside, sums beyond 2^53), the element rule itself runs.
 */
import { TouchstoneError } from "../errors.ts";
import { staysInside } from "../operators/address.ts";
import { element, finish, partialValue } from "../operators/element.ts";
import type { Read, StepPosition } from "../operators/read.ts";
import {
  type ComputedOperator,
  isComputed,
  operandShape,
  type PeakOperator,
  type Reference,
  wordCount,
} from "../program/descriptor.ts";
import type { Program, Tensor } from "../program/program.ts";
import { type StepInputs, sourceOutput } from "../program/stepInputs.ts";
import {
  ENGINE_INTERFACE,
  type Engine,
  type EngineDescription,
  type StepResult,
  type StepsRequest,
  type StepsResult,
  type StepTrace,
} from "./engine.ts";
import { dotIsExact, dotTensor } from "./reference/dot.ts";
import { gatherTensor } from "./reference/gather.ts";
import { joinTensor, rangesFit } from "./reference/join.ts";
import { mapTensor } from "./reference/map.ts";
import { peakMaxima, peakWords } from "./reference/peak.ts";
import { scatters, sumByIndexTensor, sumIsExact, sumTensor } from "./reference/sum.ts";
import { numbersOf } from "./reference/view.ts";
import { stepwise } from "./stepwise.ts";

/** Inputs that are not those of the program: a tensor is missing or has another size. */
export class StepInputsError extends TouchstoneError {
  readonly code = "STEP_INPUTS";

  constructor(what: string, expected: number, found: number | undefined) {
    super(`${what} has ${found === undefined ? "no tensor" : `${found} words`}, the program says ${expected} words.`);
  }
}

const NO_WORDS = new Uint32Array(0);
/** No source of words is left when whole tensors are computed: the sources' outputs arrive as inputs. */
const NO_POSITION: StepPosition = { seed: 0n, step: 0, steps: 0, sampleCount: 0, sampleWords: 0, scheduleWidth: 0 };

export class ReferenceEngine implements Engine {
  readonly name = "reference";
  readonly description: EngineDescription = {
    interface: ENGINE_INTERFACE,
    name: this.name,
    realisations: { dot: ["integers"], sum: "integers", root: "element rule" },
    keepsState: false,
  };
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  /** @throws StepInputsError when a tensor is missing or has another size than the program says. */
  async step(inputs: StepInputs): Promise<StepResult> {
    const { state, loss, guard } = this.#run(inputs);
    return { state, loss, guard };
  }

  /** @throws StepInputsError as `step`. */
  async trace(inputs: StepInputs): Promise<StepTrace> {
    return this.#run(inputs);
  }

  async steps(request: StepsRequest): Promise<StepsResult> {
    return stepwise(this, request);
  }

  async close(): Promise<void> {}

  #run(inputs: StepInputs): StepTrace {
    const { operators, state, constants } = this.#program;
    for (const [at, { name, shape }] of state.entries()) requireWords(`State ${name}`, shape, inputs.state[at]);
    const outputs: Tensor[] = [];
    let guard = 0;
    const tensors = { operator: outputs, state: inputs.state, constant: constants };
    const wordsOf = ({ kind, index }: Reference): Uint32Array => tensors[kind][index]?.words ?? NO_WORDS;
    for (const [at, { name, operator }] of operators.entries()) {
      const { dtype, shape } = operator;
      if (!isComputed(operator)) {
        outputs.push(requireWords(`Operator ${name}`, shape, sourceOutput(inputs, at)));
        continue;
      }
      const operands = operator.operands.map(({ reference }) => wordsOf(reference));
      if (operator.family === "peak") {
        const maxima = maximaOf(operator, operands);
        guard = maxima.reduce((most, maximum) => Math.max(most, maximum), guard);
        outputs.push({ dtype, shape, words: peakWords(operator, maxima) });
      } else outputs.push({ dtype, shape, words: tensorOf(operator, operands) });
    }
    const next = state.map(({ dtype, shape, source }, at): Tensor => {
      const tensor = source === null ? inputs.state[at]! : { dtype, shape, words: outputs[source]!.words };
      return requireWords(`State ${state[at]!.name}`, shape, tensor);
    });
    const lossTensor = outputs[this.#program.loss]!;
    const loss = numbersOf(lossTensor.dtype, lossTensor.words)[0]!;
    for (const { dtype, words } of [...next, { dtype: lossTensor.dtype, words: lossTensor.words.subarray(0, 1) }])
      guard = Math.max(guard, greatestMagnitude(numbersOf(dtype, words)));
    return { state: next, loss, guard, outputs };
  }
}

type Computed = Exclude<ComputedOperator, PeakOperator>;

function tensorOf(operator: Computed, operands: readonly Uint32Array[]): Uint32Array {
  if (isPlain(operator, operands)) {
    switch (operator.family) {
      case "map":
        return mapTensor(operator, operands);
      case "dot":
        if (dotIsExact(operator)) return dotTensor(operator, operands);
        break;
      case "sum":
        if (sumIsExact(operator)) return sumTensor(operator, operands);
        break;
      case "sumByIndex":
        if (sumIsExact(operator) && scatters(operator)) return sumByIndexTensor(operator, operands);
        break;
      case "gather":
        return gatherTensor(operator, operands);
      case "join":
        if (rangesFit(operator)) return joinTensor(operator, operands);
        break;
    }
  }
  const read = readFrom(operands);
  return Uint32Array.from({ length: wordCount(operator.shape) }, (_, i) => element(operator, i, read, NO_POSITION));
}

function maximaOf(operator: PeakOperator, operands: readonly Uint32Array[]): Float32Array {
  if (isPlain(operator, operands)) return peakMaxima(operator, operands[0]!);
  const read = readFrom(operands);
  const words = Uint32Array.from({ length: wordCount(operator.shape) }, (_, i) => {
    const { value, exponent } = partialValue(operator, i, 0, operator.length, read);
    return finish({ ...operator, mode: 0 }, value, exponent);
  });
  return new Float32Array(words.buffer);
}

/** Whether every operand has the words that the descriptor says and is read inside them. */
function isPlain(operator: Computed | PeakOperator, operands: readonly Uint32Array[]): boolean {
  const length = "length" in operator ? operator.length : 1;
  return operator.operands.every(
    (operand, at) => operands[at]!.length === operand.count && staysInside(operand, operandShape(operator, at), length),
  );
}

/** A tensor that is shorter than the descriptor says reads 0 beyond its end. */
function readFrom(operands: readonly Uint32Array[]): Read {
  return (operand, address) => operands[operand]![address] ?? 0;
}

function greatestMagnitude(values: Float32Array): number {
  let most = 0;
  for (const value of values) {
    if (Number.isNaN(value)) return Number.POSITIVE_INFINITY;
    most = Math.max(most, Math.abs(value));
  }
  return most;
}

function requireWords(what: string, shape: readonly number[], tensor: Tensor | undefined): Tensor {
  const expected = wordCount(shape);
  if (tensor?.words.length !== expected) throw new StepInputsError(what, expected, tensor?.words.length);
  return tensor;
}
