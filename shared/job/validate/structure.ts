/** Rules 1, 2 and 5 of docs/numerics.md, section 4: what can be said of descriptors without any range of values. */

import { canonical, MIN_NORMAL_EXPONENT } from "../../numerics/float32.ts";
import { isFlushed } from "../../numerics/flush.ts";
import { GUARD_LIMIT } from "../../numerics/guard.ts";
import { staysInside } from "../../operators/address.ts";
import {
  type BatchOperator,
  Dtype,
  type GatherOperator,
  type JoinOperator,
  MapOpcode,
  type MapOperator,
  type Operand,
  type Operator,
  operandShape,
  type Reference,
  wordCount,
} from "../../program/descriptor.ts";
import { encodeOperator, encodeState, isPeakOperand, reduces, stateDescriptor } from "../../program/encoding.ts";
import { MAX_FIELDS, type Program, type Tensor } from "../../program/program.ts";
import type { Finding, Rule } from "./finding.ts";

/** Registers that each opcode reads. */
/** Rows of a table that an int32 can name. */
const MAX_ROWS = 2 ** 31 - 1;

/** Words of Batch and Random in a step: whoever replays makes them, one by one, before any engine is asked. */
const MAX_MADE = 2 ** 28;

const ARITY = new Map<number, number>([
  ...[MapOpcode.sqrt, MapOpcode.abs, MapOpcode.neg].map((opcode) => [opcode, 1] as const),
  ...[MapOpcode.add, MapOpcode.sub, MapOpcode.mul, MapOpcode.div].map((opcode) => [opcode, 2] as const),
  ...[MapOpcode.max, MapOpcode.min, MapOpcode.less, MapOpcode.equal].map((opcode) => [opcode, 2] as const),
  [MapOpcode.select, 3],
]);

/** Adds a finding about the operator at hand. */
export type Report = (rule: Rule, message: string) => void;

export function structureFindings(program: Program): Finding[] {
  const findings: Finding[] = [];
  const reportOn =
    (operator: number | null): Report =>
    (rule, message) =>
      void findings.push({ operator, rule, message });
  checkWhole(program, reportOn(null));
  if (program.sample.fields.length > MAX_FIELDS) return findings;
  for (const [at, { name, operator }] of program.operators.entries()) {
    const report = reportOn(at);
    const undecodable = errorOf(() => encodeOperator(operator));
    if (undecodable !== null) report(1, `${name}: ${undecodable}`);
    else checkOperator(program, at, operator, (rule, message) => report(rule, `${name}: ${message}`));
  }
  return findings;
}

/** What a reference names, as far as descriptors say it; null when it does not exist or is not earlier than operator `before`. */
export function referenced(
  program: Program,
  { kind, index }: Reference,
  before: number,
): { readonly dtype: Dtype; readonly count: number } | null {
  const tensor =
    kind === "operator" && index >= before
      ? undefined
      : {
          operator: program.operators[index]?.operator,
          state: program.state[index],
          constant: program.constants[index],
        }[kind];
  return tensor === undefined ? null : { dtype: tensor.dtype, count: wordCount(tensor.shape) };
}

/** Whether an operand's view, over all output elements and reduced positions, takes every word of its tensor. */
export function coversAll(operand: Operand, shape: readonly number[], length: number): boolean {
  const axes = [...shape, length]
    .map((extent, d) => ({ extent, stride: operand.strides[d] ?? 0 }))
    .filter(({ extent, stride }) => extent > 1 && stride !== 0)
    .sort((a, b) => a.stride - b.stride);
  let next = 1;
  for (const { extent, stride } of axes) {
    if (stride !== next) return false;
    next *= extent;
  }
  return operand.offset === 0 && next === operand.count;
}

function checkWhole(program: Program, report: Report): void {
  const { operators, state, constants, sample } = program;
  const names = new Set<string>();
  for (const { name } of operators) {
    if (names.has(name)) report(1, `several operators have the name ${name}`);
    names.add(name);
  }
  if (state.length === 0) report(1, "there is no state");
  const made = operators.reduce(
    (sum, { operator: { family, shape } }) =>
      family === "batch" || family === "random" ? sum + wordCount(shape) : sum,
    0,
  );
  if (made > MAX_MADE) report(1, `a step makes ${made} words of batches and random numbers, more than 2^28`);
  const loss = operators[program.loss]?.operator;
  if (loss === undefined || loss.dtype !== Dtype.float32 || wordCount(loss.shape) !== 1)
    report(1, `the loss is not an operator of one float32 word`);
  if (program.logits !== null && operators[program.logits]?.operator.dtype !== Dtype.float32)
    report(1, `the logits are not a float32 operator`);
  for (const tensor of state) {
    const undecodable = errorOf(() => encodeState(stateDescriptor(tensor)));
    if (undecodable !== null) report(1, `state ${tensor.name}: ${undecodable}`);
    if (tensor.source === null) continue;
    const source = operators[tensor.source]?.operator;
    if (source?.dtype !== tensor.dtype || wordCount(source.shape) !== wordCount(tensor.shape))
      report(1, `state ${tensor.name}: its source does not have its dtype and size`);
  }
  for (const [at, constant] of constants.entries()) {
    const problem = constantProblem(constant);
    if (problem !== null) report(problem.rule, `constant ${at}: ${problem.message}`);
  }
  if (sample.fields.length > MAX_FIELDS) {
    report(1, `a sample has ${sample.fields.length} fields, more than ${MAX_FIELDS}`);
    return;
  }
  for (const { name, offset, width, dtype, minimum, maximum } of sample.fields) {
    if (offset + width > sample.words) report(1, `sample field ${name} ends after the sample`);
    const bound = dtype === Dtype.int32 ? 2 ** 31 : 2 ** 20;
    if (!(minimum <= maximum && minimum >= -bound && maximum <= bound))
      report(4, `sample field ${name}: ${minimum} … ${maximum} are no bounds within ±${bound}`);
  }
}

function constantProblem({ dtype, shape, words }: Tensor): { readonly rule: Rule; readonly message: string } | null {
  if (words.length !== wordCount(shape) || words.length === 0)
    return { rule: 1, message: `it has ${words.length} words for the shape [${shape}]` };
  if (dtype !== Dtype.float32) return null;
  const values = new Float32Array(words.buffer, words.byteOffset, words.length);
  const bad = words.findIndex((word, at) => !isFlushed(word) || Math.abs(values[at]!) > GUARD_LIMIT);
  return bad < 0 ? null : { rule: 4, message: `word ${bad} is not a flushed float32 number of magnitude at most 2^20` };
}

function checkOperator(program: Program, at: number, operator: Operator, report: Report): void {
  const { shape } = operator;
  const length = reduces(operator.family) && "length" in operator ? operator.length : 1;
  for (const [position, operand] of operator.operands.entries()) {
    const about: Report = (rule, message) => report(rule, `operand ${position} ${message}`);
    const { kind, index } = operand.reference;
    const tensor = referenced(program, operand.reference, at);
    if (tensor === null) about(1, `refers to ${kind} ${index}, which is not there before it`);
    else if (tensor.dtype !== operand.dtype || tensor.count !== operand.count)
      about(1, `says another dtype or size than ${kind} ${index} has`);
    if (!acceptsDtype(operator, position, operand.dtype)) about(1, `has the wrong dtype`);
    if (!staysInside(operand, operandShape(operator, position), length))
      about(2, `is read outside its ${operand.count} words`);
    if (operand.strides.some((stride) => stride < 0)) about(5, `has a negative stride`);
    if (isPeakOperand(operator.family, position) && operand.strides.at(-1) !== 0)
      about(3, `is a peak that depends on k`);
    if (operator.family === "sumByIndex" && operand.strides[operator.axis] !== 0)
      about(5, `moves along the dimension that the index selects`);
  }
  if (operator.family === "map") checkMap(operator, report);
  if (operator.family === "gather") checkGather(operator, report);
  if (operator.family === "batch") checkBatch(program, operator, report);
  if (operator.family === "join") checkJoin(operator, report);
  if (operator.family === "schedule") {
    if (operator.column >= program.scheduleColumns.length)
      report(2, `reads column ${operator.column}, past the schedule`);
    if (shape.length !== 1 || shape[0] !== 1) report(1, `has the shape [${shape}] instead of [1]`);
  }
}

function acceptsDtype(operator: Operator, position: number, dtype: Dtype): boolean {
  switch (operator.family) {
    case "map":
      return true;
    case "gather":
      return dtype === (position === 1 ? Dtype.int32 : operator.dtype);
    case "join":
      return dtype === operator.dtype;
    case "sumByIndex":
      return dtype === (position === 2 ? Dtype.int32 : Dtype.float32);
    default:
      return dtype === Dtype.float32;
  }
}

function checkMap({ operands, immediates, instructions }: MapOperator, report: Report): void {
  for (const [at, word] of immediates.entries()) {
    const exponent = ((word >>> 23) & 0xff) - 127;
    const isNormal = exponent >= MIN_NORMAL_EXPONENT && exponent <= 127;
    if (word !== canonical(word) || !(word === 0 || isNormal))
      report(4, `immediate ${at} is neither zero nor a normal number`);
  }
  for (const [at, [opcode, ...registers]] of instructions.entries()) {
    const arity = ARITY.get(opcode);
    if (arity === undefined) report(1, `instruction ${at} has the unknown opcode ${opcode}`);
    else {
      const defined = operands.length + immediates.length + at;
      const bad = registers.find((register, field) => (field < arity ? register >= defined : register !== 0));
      if (bad !== undefined) report(1, `instruction ${at} names register ${bad}`);
    }
  }
}

function checkGather(operator: GatherOperator, report: Report): void {
  const { shape, rows, rowStride, operands } = operator;
  const [table] = operands;
  if (rows === 0) report(1, `has a table of no rows`);
  // An index is an int32: where rows may exceed it, engines would differ on what is inside.
  else if (rows > MAX_ROWS) report(2, `has ${rows} rows, more than an index can name`);
  else if (!staysInside({ ...table, strides: [...table.strides, rowStride] }, shape, rows))
    report(2, `row ${rows - 1} is read outside the table's ${table.count} words`);
}

function checkJoin({ shape, axis, ranges }: JoinOperator, report: Report): void {
  let end = 0;
  for (const [position, { start, extent }] of ranges.entries()) {
    if (extent === 0) report(1, `operand ${position} has no extent`);
    if (start < end) report(1, `operand ${position} begins before the end of the one before it`);
    end = start + extent;
    if (end > shape[axis]!) report(1, `operand ${position} ends past the dimension`);
  }
}

function checkBatch({ sample }: Program, { dtype, shape, offset }: BatchOperator, report: Report): void {
  const end = offset + shape[1]!;
  const fields = sample.fields
    .filter((field) => field.dtype === dtype && field.offset < end && field.offset + field.width > offset)
    .sort((a, b) => a.offset - b.offset);
  // From field to field, not from word to word: words are as many as the descriptor likes.
  let word = offset;
  for (const field of fields) if (field.offset <= word) word = Math.max(word, field.offset + field.width);
  if (word < end) report(2, `word ${word} of a sample is in no field of its dtype`);
}

function errorOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
