/** What is wrong with a task file, in words: where, what belongs there, what is there instead. */
import { z } from "zod";
import { nearestWord } from "../nearest.ts";

export interface TaskIssue {
  /** `$.training.optimizer.kind`. */
  readonly path: string;
  readonly problem: string;
}

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;
type Path = readonly PropertyKey[];

const KINDS: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  string: "text in quotes",
  boolean: "true or false",
  object: "an object in braces",
  record: "an object in braces",
  array: "a list in brackets",
};
const SHOWN = 40;

/** The first thing that is wrong; a misspelt key before what is missing because of it. */
export function taskIssue(schema: Schema, document: unknown, issues: readonly Issue[]): TaskIssue {
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys as [string];
    return { path: placeOf([...issue.path, key]), problem: unknownKey(key, keysAt(schema, document, issue.path)) };
  }
  return { path: placeOf(issue.path), problem: problemOf(issue, valueAt(document, issue.path)) };
}

function placeOf(path: Path): string {
  return path.reduce<string>((place, key) => place + (typeof key === "number" ? `[${key}]` : `.${String(key)}`), "$");
}

function unknownKey(key: string, known: readonly string[]): string {
  const nearest = nearestWord(key, known);
  if (nearest !== null) return `there is no key "${key}" here; the nearest is "${nearest}"`;
  return `there is no key "${key}" here; there are ${known.map((name) => `"${name}"`).join(", ")}`;
}

function problemOf(issue: Issue, value: unknown): string {
  if (issue.code === "invalid_key") return `the name ${issue.issues[0]?.message ?? issue.message}`;
  const wanted = wantedBy(issue);
  // The schema's own words are about the value.
  if (wanted === null) return value === undefined ? issue.message : `${issue.message}, got ${shown(value)}`;
  if (value === undefined) return `it is missing: expected ${wanted}`;
  const choices = choicesOf(issue);
  const nearest = typeof value === "string" && choices !== null ? nearestWord(JSON.stringify(value), choices) : null;
  return `expected ${wanted}, got ${shown(value)}${nearest === null ? "" : `; the nearest is ${nearest}`}`;
}

/** What belongs there; null where the message of the schema says it. */
function wantedBy(issue: Issue): string | null {
  const choices = choicesOf(issue);
  if (choices !== null) return choices.length === 1 ? choices[0]! : `one of ${choices.join(", ")}`;
  switch (issue.code) {
    case "invalid_type":
      return KINDS[issue.expected] ?? issue.expected;
    case "too_small":
      return bound(issue.origin, issue.minimum, issue.inclusive === false ? "above" : "at least");
    case "too_big":
      return bound(issue.origin, issue.maximum, issue.inclusive === false ? "below" : "at most");
    case "invalid_union": {
      const wanted = issue.errors.flatMap(([first]) => (first === undefined ? [] : [wantedBy(first) ?? first.message]));
      return wanted.length === 0 ? null : [...new Set(wanted)].join(", or ");
    }
    default:
      return null;
  }
}

/** The words that may stand there, as they are written in the file. */
function choicesOf(issue: Issue): string[] | null {
  if (issue.code === "invalid_value") return issue.values.map((value) => JSON.stringify(value));
  if (issue.code !== "invalid_union" || !("options" in issue) || !Array.isArray(issue.options)) return null;
  return issue.options.map((option) => JSON.stringify(option));
}

function bound(origin: string, limit: number | bigint, relation: string): string {
  if (origin === "string") return `${relation} ${limit} ${limit === 1 ? "character" : "characters"}`;
  if (origin === "array") return `${relation} ${limit} ${limit === 1 ? "entry" : "entries"}`;
  return `a number ${relation} ${limit}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** What the file has at a place; undefined where it has nothing. */
function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const key of path) {
    if (value === null || value === undefined) return undefined;
    // A kind alone may be written as a string.
    if (typeof value === "string") return key === "kind" ? value : undefined;
    value = Object.hasOwn(value as object, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined;
  }
  return value;
}

/** The keys that an object of the file may have. */
function keysAt(schema: Schema, document: unknown, path: Path): string[] {
  const objects = objectsOf(schema, document);
  const [key, ...rest] = path;
  if (key === undefined) return [...new Set(objects.flatMap((object) => Object.keys(object.shape)))];
  const value = valueAt(document, [key]);
  return [...new Set(insides(schema, document, key).flatMap((inside) => keysAt(inside, value, rest)))];
}

/** The schemas of what an object or a list holds under a key. */
function insides(schema: Schema, value: unknown, key: PropertyKey): Schema[] {
  return peeled(schema, value).flatMap((each): Schema[] => {
    if (each instanceof z.ZodObject) return key in each.shape ? [each.shape[String(key)] as Schema] : [];
    if (each instanceof z.ZodRecord) return [each.valueType];
    if (each instanceof z.ZodArray) return [each.element];
    return [];
  });
}

function objectsOf(schema: Schema, value: unknown): z.ZodObject[] {
  return peeled(schema, value).filter((each) => each instanceof z.ZodObject);
}

/** What is inside of defaults, options and unions: of a union by kind, the kind that the file names (or the first). */
function peeled(schema: Schema, value: unknown): Schema[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return peeled(schema.unwrap(), value);
  if (schema instanceof z.ZodPipe) {
    return peeled(schema.in instanceof z.ZodTransform ? schema.out : schema.in, value);
  }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const { discriminator } = schema.def;
    const kind = valueAt(value, [discriminator]);
    const options = schema.options as readonly Schema[];
    const named = options.filter((option) =>
      objectsOf(option, value).some(({ shape }) => {
        const literal = shape[discriminator];
        return literal instanceof z.ZodLiteral && literal.values.has(kind as string);
      }),
    );
    return (named.length > 0 ? named : options.slice(0, 1)).flatMap((option) => peeled(option, value));
  }
  if (schema instanceof z.ZodUnion) return (schema.options as readonly Schema[]).flatMap((each) => peeled(each, value));
  return [schema];
}
