/** A component of a tokenizer.json: read key by key, with an error that names it. */
import { TouchstoneError } from "../../errors.ts";

/** A tokenizer.json that cannot be read, or asks for something that is not supported; `path` is the component. */
export class TokenizerError extends TouchstoneError {
  readonly code = "TOKENIZER";
  readonly path: string;
  constructor(
    path: string,
    problem: string,
    remedy = "Save the tokenizer again with Hugging Face's tokenizers library.",
  ) {
    super(`The tokenizer at ${path}: ${problem}.`, { remedy });
    this.path = path;
  }
}

const OTHER_WAY = 'Use a tokenizer without it, or "bytes"; or tokenise the text yourself and give the tokens as npy.';

export class Component {
  readonly path: string;
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws TokenizerError unless `value` is an object. */
  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new TokenizerError(path, "it is no object");
    this.#members = value as Record<string, unknown>;
    this.path = path;
  }

  get type(): string {
    return this.string("type");
  }

  fail(problem: string): TokenizerError {
    return new TokenizerError(this.path, problem);
  }

  unsupported(what = this.type): TokenizerError {
    return new TokenizerError(this.path, `${what} is not supported`, OTHER_WAY);
  }

  has(key: string): boolean {
    return this.#members[key] !== undefined && this.#members[key] !== null;
  }

  get(key: string): unknown {
    return this.#members[key];
  }

  string(key: string, absent?: string): string {
    return this.#typed(key, "string", absent);
  }

  boolean(key: string, absent?: boolean): boolean {
    return this.#typed(key, "boolean", absent);
  }

  /** A whole number of at least 0. */
  count(key: string, absent?: number): number {
    const value = this.#typed(key, "number", absent);
    if (!Number.isSafeInteger(value) || value < 0) throw this.fail(`its ${key} is ${value}, no whole number`);
    return value;
  }

  list(key: string): readonly unknown[] {
    const value = this.#members[key];
    if (!Array.isArray(value)) throw this.fail(`its ${key} is no list`);
    return value;
  }

  components(key: string): Component[] {
    return this.list(key).map((value, index) => new Component(value, `${this.path}.${key}.${index}`));
  }

  component(key: string): Component {
    return new Component(this.#members[key], `${this.path}.${key}`);
  }

  #typed<T extends string | boolean | number>(key: string, type: "string" | "boolean" | "number", absent?: T): T {
    const value = this.#members[key] ?? absent;
    if (typeof value !== type) throw this.fail(`its ${key} is ${JSON.stringify(value)}, no ${type}`);
    return value as T;
  }
}

/** The token numbers of a `vocab` object. */
export function vocabularyOf(model: Component): Map<string, number> {
  const vocabulary = new Map<string, number>();
  const numbers = new Set<number>();
  const members = model.component("vocab");
  for (const [token, number] of Object.entries(model.get("vocab") as object)) {
    if (!Number.isSafeInteger(number) || number < 0 || number >= MAXIMUM_TOKENS) {
      throw members.fail(`the number of ${JSON.stringify(token)} is ${number}`);
    }
    if (numbers.has(number)) throw members.fail(`two tokens have the number ${number}`);
    numbers.add(number);
    vocabulary.set(token, number);
  }
  if (vocabulary.size === 0) throw members.fail("it is empty");
  return vocabulary;
}

/** Tokens at most. */
export const MAXIMUM_TOKENS = 2 ** 24;
