/** Small faults that a programmer could have made, planted one at a time by the syntax tree, in assembly too. */
import { type AstNode, parse } from "./compiler.ts";

export interface Mutant {
  readonly file: string;
  readonly line: number;
  /** What was done, for the table of kinds. */
  readonly kind: string;
  /** The line as it is, and as the mutant has it. */
  readonly before: string;
  readonly after: string;
  /** The whole file with the fault. */
  readonly text: string;
}

/** Replaces a range of bytes. */
interface Edit {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  "+": ["-"],
  "-": ["+"],
  "*": ["+"],
  "/": ["*"],
  "%": ["/"],
  "<<": [">>"],
  ">>": ["<<"],
  "&": ["|"],
  "|": ["&"],
  "^": ["|"],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "==": ["!="],
  "!=": ["=="],
  "&&": ["||"],
  "||": ["&&"],
};

const ASSIGNMENTS: Readonly<Record<string, string>> = {
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "|=": "&=",
  "&=": "|=",
  "<<=": ">>=",
  ">>=": "<<=",
};

const OPCODES: Readonly<Record<string, string>> = {
  add: "sub",
  sub: "add",
  mul: "add",
  div: "mul",
  sdiv: "mul",
  mod: "div",
  and: "or",
  or: "and",
  xor: "or",
  shl: "shr",
  shr: "shl",
  sar: "shr",
  lt: "gt",
  gt: "lt",
  slt: "sgt",
  sgt: "slt",
  eq: "sub",
};

/** Every mutant of a file, in the order of its text. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const bytes = Buffer.from(text);
  const edits: Edit[] = [];
  visit(parse(file, text), bytes, edits);
  edits.sort((a, b) => a.from - b.from || a.to - b.to || (a.by < b.by ? -1 : 1));
  const seen = new Set<string>();
  const mutants: Mutant[] = [];
  for (const edit of edits) {
    const name = `${edit.from} ${edit.to} ${edit.by}`;
    if (seen.has(name) || bytes.toString("utf8", edit.from, edit.to) === edit.by) continue;
    seen.add(name);
    mutants.push(plant(file, bytes, edit));
  }
  return mutants;
}

function plant(file: string, bytes: Buffer, { kind, from, to, by }: Edit): Mutant {
  const head = bytes.toString("utf8", 0, from);
  const tail = bytes.toString("utf8", to);
  const line = head.split("\n").length;
  const before = oneLine(bytes.toString("utf8", lineStart(bytes, from), lineEnd(bytes, to)));
  const after = oneLine(
    bytes.toString("utf8", lineStart(bytes, from), from) + by + bytes.toString("utf8", to, lineEnd(bytes, to)),
  );
  return { file, line, kind, before, after, text: head + by + tail };
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

function lineStart(bytes: Buffer, at: number): number {
  return bytes.lastIndexOf(0x0a, Math.max(0, at - 1)) + 1;
}

function lineEnd(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(0x0a, at);
  return end < 0 ? bytes.length : end;
}

const isNode = (value: unknown): value is AstNode =>
  typeof value === "object" && value !== null && typeof (value as AstNode).nodeType === "string";

function visit(node: AstNode, bytes: Buffer, edits: Edit[]): void {
  edits.push(...editsOf(node, bytes));
  for (const [field, value] of Object.entries(node)) {
    // The length of an array's type is no constant of the program, and a name is not code.
    if (field === "typeName" || field === "documentation" || field === "functionName") continue;
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, bytes, edits);
  }
}

function rangeOf(node: AstNode): readonly [from: number, to: number] {
  const [from, length] = node.src.split(":").map(Number);
  return [from!, from! + length!];
}

function editsOf(node: AstNode, bytes: Buffer): Edit[] {
  const [from, to] = rangeOf(node);
  const text = bytes.toString("utf8", from, to);
  const field = (name: string): AstNode => node[name] as AstNode;
  /** The first `token` between two nodes. */
  const between = (left: AstNode, right: AstNode, token: string, kind: string, by: string): Edit[] => {
    const [, after] = rangeOf(left);
    const [before] = rangeOf(right);
    const gap = bytes.toString("utf8", after, before).replace(/\/\/[^\n]*/g, (comment) => " ".repeat(comment.length));
    const at = gap.indexOf(token);
    if (at < 0) return [];
    const start = after + Buffer.byteLength(gap.slice(0, at));
    return [{ kind, from: start, to: start + token.length, by }];
  };
  switch (node.nodeType) {
    case "BinaryOperation": {
      const operator = node.operator as string;
      return (OPERATORS[operator] ?? []).flatMap((by) =>
        between(field("leftExpression"), field("rightExpression"), operator, `${operator} to ${by}`, by),
      );
    }
    case "Assignment": {
      const by = ASSIGNMENTS[node.operator as string];
      if (by === undefined) return [];
      const operator = node.operator as string;
      return between(field("leftHandSide"), field("rightHandSide"), operator, `${operator} to ${by}`, by);
    }
    case "UnaryOperation": {
      const operator = node.operator as string;
      const [inner, end] = rangeOf(field("subExpression"));
      if (operator === "++" || operator === "--") {
        const by = operator === "++" ? "--" : "++";
        const at = node.prefix ? from : end;
        return [{ kind: `${operator} to ${by}`, from: at, to: at + 2, by }];
      }
      if (!["!", "-", "~"].includes(operator)) return [];
      return [{ kind: `drop ${operator}`, from, to: inner, by: "" }];
    }
    case "Literal": {
      if (node.kind === "bool") return [{ kind: "other bool", from, to, by: text === "true" ? "false" : "true" }];
      if (node.kind !== "number" || text.length > 40) return [];
      return beside(text).map((by) => ({ kind: "constant off by one", from, to, by }));
    }
    case "IfStatement": {
      const [start, end] = rangeOf(field("condition"));
      const condition = bytes.toString("utf8", start, end);
      const negated: Edit = { kind: "negate condition", from: start, to: end, by: `!(${condition})` };
      if (isNode(node.falseBody)) return [negated];
      return [
        negated,
        {
          kind: guards(field("trueBody")) ? "drop guard" : "drop branch",
          from,
          to: throughSemicolon(bytes, to),
          by: "{}",
        },
      ];
    }
    case "Conditional": {
      const [start, end] = rangeOf(field("condition"));
      const condition = bytes.toString("utf8", start, end);
      return [{ kind: "negate condition", from: start, to: end, by: `!(${condition})` }];
    }
    case "ExpressionStatement":
    case "EmitStatement":
    case "RevertStatement":
      return [{ kind: "drop statement", from, to: throughSemicolon(bytes, to), by: "{}" }];
    case "Return": {
      const drop: Edit = { kind: "drop return", from, to: throughSemicolon(bytes, to), by: "{}" };
      const components = isNode(node.expression) ? (node.expression.components as (AstNode | null)[] | undefined) : [];
      const [first, second] = components ?? [];
      if (components?.length !== 2 || !isNode(first) || !isNode(second)) return [drop];
      const [a, b] = [first, second].map((part) => bytes.toString("utf8", ...rangeOf(part)));
      const [start] = rangeOf(first);
      const [, end] = rangeOf(second);
      return [drop, { kind: "swap returns", from: start, to: end, by: `${b}, ${a}` }];
    }
    case "YulFunctionCall": {
      const name = field("functionName");
      const [start, end] = rangeOf(name);
      const opcode = name.name as string;
      const swapped = OPCODES[opcode];
      if (opcode === "iszero") {
        const [inside] = node.arguments as AstNode[];
        return [{ kind: "drop iszero", from, to, by: bytes.toString("utf8", ...rangeOf(inside!)) }];
      }
      if (swapped === undefined) return [];
      return [{ kind: `${opcode} to ${swapped}`, from: start, to: end, by: swapped }];
    }
    case "YulLiteral": {
      if (node.kind !== "number" || text.length > 40) return [];
      return beside(text).map((by) => ({ kind: "constant off by one", from, to, by }));
    }
    case "YulAssignment":
    case "YulExpressionStatement":
      return [{ kind: "drop statement", from, to, by: "{}" }];
    default:
      return [];
  }
}

/** A number one more and one less. */
function beside(text: string): string[] {
  const digits = text.replaceAll("_", "");
  if (!/^(0x[0-9a-fA-F]+|\d+)$/.test(digits)) return [];
  const value = BigInt(digits);
  return value === 0n ? ["1"] : [String(value + 1n), String(value - 1n)];
}

function guards(body: AstNode): boolean {
  const [only, ...rest] = body.nodeType === "Block" ? (body.statements as AstNode[]) : [body];
  return rest.length === 0 && only?.nodeType === "RevertStatement";
}

/** A statement of Solidity ends in a semicolon that is not always in its range. */
function throughSemicolon(bytes: Buffer, to: number): number {
  if (bytes[to - 1] === 0x3b) return to;
  for (let at = to; at < bytes.length; at++) {
    if (bytes[at] === 0x3b) return at + 1;
    if (bytes[at] !== 0x20 && bytes[at] !== 0x0a) break;
  }
  return to;
}
