/**
 * Local functions of a model (FunctionProto), put where they are called: exporters keep a module or a library routine as one. Values inside
 * get names of their own; attributes that refer to the function's take what the call gives, or the default.
 */
import { OnnxFormatError } from "./errors.ts";
import type { OnnxAttribute, OnnxNode } from "./model.ts";

/** An attribute inside a function's node that refers to one of the function's. */
export interface AttributeReference {
  readonly kind: "reference";
  readonly name: string;
}

export interface FunctionNode extends Omit<OnnxNode, "attributes"> {
  readonly attributes: Readonly<Record<string, OnnxAttribute | AttributeReference>>;
}

export interface OnnxFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that a call may leave out. */
  readonly defaults: Readonly<Record<string, OnnxAttribute>>;
  readonly nodes: readonly FunctionNode[];
}

/** More nodes than any model has, and more calls; calls of calls could otherwise make endlessly many, also of nothing. */
const MOST_NODES = 1_000_000;
const MOST_DEPTH = 64;

/**
 * The nodes of a graph without calls of local functions.
 * @throws OnnxFormatError when functions call each other endlessly or too often, or a node refers to an attribute outside a function.
 */
export function withoutCalls(nodes: readonly FunctionNode[], functions: readonly OnnxFunction[]): readonly OnnxNode[] {
  const known = new Map(functions.map((each) => [`${each.domain}.${each.name}`, each]));
  const inlined: OnnxNode[] = [];
  let calls = 0;
  const place = (list: readonly FunctionNode[], depth: number): void => {
    if (depth > MOST_DEPTH) throw new OnnxFormatError("functions", "they call each other endlessly");
    for (const node of list) {
      const called = known.get(`${node.domain}.${node.operator}`);
      if (called !== undefined) {
        if (++calls > MOST_NODES) throw new OnnxFormatError("functions", "they call each other too often");
        place(body(called, node, `${node.name || node.operator}.${calls}/`), depth + 1);
        continue;
      }
      const dangling = Object.entries(node.attributes).find(([, attribute]) => attribute.kind === "reference");
      if (dangling !== undefined) {
        throw new OnnxFormatError(
          `node ${node.name}`,
          `its attribute ${dangling[0]} refers to a function's, and it is in none`,
        );
      }
      if (inlined.push(node as OnnxNode) > MOST_NODES)
        throw new OnnxFormatError("functions", "they make too many nodes");
    }
  };
  place(nodes, 0);
  return inlined;
}

/** A function's nodes as one call has them. */
function body({ inputs, outputs, defaults, nodes }: OnnxFunction, call: FunctionNode, prefix: string): FunctionNode[] {
  const names = new Map<string, string>([["", ""]]);
  for (const [index, name] of inputs.entries()) names.set(name, call.inputs[index] ?? "");
  for (const [index, name] of outputs.entries()) {
    const outer = call.outputs[index] ?? "";
    if (outer !== "") names.set(name, outer);
  }
  const renamed = (name: string): string => names.get(name) ?? `${prefix}${name}`;
  // An output that is an input needs a node of its own.
  const passed = outputs.flatMap((name, index) => {
    const outer = call.outputs[index] ?? "";
    if (outer === "" || !inputs.includes(name)) return [];
    const from = call.inputs[inputs.indexOf(name)] ?? "";
    names.set(name, from);
    return [
      { name: `${prefix}${name}`, operator: "Identity", domain: "", inputs: [from], outputs: [outer], attributes: {} },
    ];
  });
  const copied = nodes.map((node): FunctionNode => {
    const attributes: Record<string, OnnxAttribute | AttributeReference> = {};
    for (const [name, attribute] of Object.entries(node.attributes)) {
      const value =
        attribute.kind === "reference" ? (call.attributes[attribute.name] ?? defaults[attribute.name]) : attribute;
      // Left out by the call and without a default: the operator's own default holds.
      if (value !== undefined) attributes[name] = value;
    }
    return {
      ...node,
      name: `${prefix}${node.name || node.operator}`,
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
      attributes,
    };
  });
  return [...copied, ...passed];
}
