/** Byte pair encoding: a piece's characters, and then, again and again, the leftmost of the pairs that come first in the list of merges. */
import { type Component, vocabularyOf } from "./component.ts";
import { byteTokens, type TokenModel } from "./model.ts";

interface Merge {
  readonly rank: number;
  readonly token: number;
}

/** Pieces that are remembered. */
const CACHE_SIZE = 1 << 16;

export class BytePairModel implements TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly #merges = new Map<number, Merge>();
  readonly #cache = new Map<string, number[]>();
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #unknown: number | null;
  readonly #fusesUnknown: boolean;
  readonly #fallsBackToBytes: boolean;
  readonly #ignoresMerges: boolean;

  /** @throws TokenizerError */
  constructor(model: Component) {
    this.vocabulary = vocabularyOf(model);
    if (model.has("dropout") && model.get("dropout") !== 0) throw model.unsupported("dropout");
    this.#prefix = model.string("continuing_subword_prefix", "");
    this.#suffix = model.string("end_of_word_suffix", "");
    this.#fusesUnknown = model.boolean("fuse_unk", false);
    this.#fallsBackToBytes = model.boolean("byte_fallback", false);
    this.#ignoresMerges = model.boolean("ignore_merges", false);
    this.#unknown = model.has("unk_token") ? (this.vocabulary.get(model.string("unk_token")) ?? null) : null;
    if (model.has("unk_token") && this.#unknown === null) throw model.fail("its unk_token is not in the vocabulary");
    for (const [rank, value] of model.list("merges").entries()) this.#addMerge(model, rank, value);
  }

  encode(piece: string): number[] {
    const known = this.#cache.get(piece);
    if (known !== undefined) return known;
    const whole = this.#ignoresMerges ? this.vocabulary.get(piece) : undefined;
    const tokens = whole === undefined ? this.#merge(this.#characters(piece)) : [whole];
    if (this.#cache.size < CACHE_SIZE) this.#cache.set(piece, tokens);
    return tokens;
  }

  #addMerge(model: Component, rank: number, value: unknown): void {
    const pair = typeof value === "string" ? value.split(" ") : value;
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string");
    if (!isPair) throw model.fail(`merge ${rank} is ${JSON.stringify(value)}, no pair`);
    const [left, right] = pair as [string, string];
    const tokens = [left, right, left + right.slice(this.#prefix.length)].map((token) => this.vocabulary.get(token));
    if (tokens.includes(undefined)) throw model.fail(`merge ${rank}, ${left} ${right}, is not in the vocabulary`);
    const [a, b, token] = tokens as [number, number, number];
    const key = pairKey(a, b);
    if (!this.#merges.has(key)) this.#merges.set(key, { rank, token });
  }

  /** The tokens of the piece's characters. */
  #characters(piece: string): number[] {
    const characters = [...piece];
    const tokens: number[] = [];
    let isUnknown = false;
    for (const [index, character] of characters.entries()) {
      const prefix = index === 0 ? "" : this.#prefix;
      const suffix = index === characters.length - 1 ? this.#suffix : "";
      const text = prefix + character + suffix;
      const token = this.vocabulary.get(text);
      const bytes = token === undefined && this.#fallsBackToBytes ? byteTokens(text, this.vocabulary) : null;
      const wasUnknown = isUnknown;
      isUnknown = token === undefined && bytes === null;
      if (token !== undefined) tokens.push(token);
      else if (bytes !== null) tokens.push(...bytes);
      else if (this.#unknown !== null && !(wasUnknown && this.#fusesUnknown)) tokens.push(this.#unknown);
    }
    return tokens;
  }

  /** Merges by a queue over a linked list: time n log n, also for a text that nothing has split. */
  #merge(tokens: readonly number[]): number[] {
    const token = [...tokens];
    const next = token.map((_, index) => index + 1);
    const previous = token.map((_, index) => index - 1);
    const isGone = new Uint8Array(token.length);
    const queue = new MergeQueue();
    const offer = (left: number): void => {
      const right = next[left]!;
      if (left < 0 || right >= token.length) return;
      const merge = this.#merges.get(pairKey(token[left]!, token[right]!));
      if (merge !== undefined) queue.push({ ...merge, at: left, left: token[left]!, right: token[right]! });
    };
    for (let index = 0; index < token.length - 1; index++) offer(index);
    for (let best = queue.pop(); best !== null; best = queue.pop()) {
      const { at } = best;
      const right = next[at]!;
      // The pair may have been merged with a neighbour since it was offered.
      if (isGone[at] || right >= token.length || token[at] !== best.left || token[right] !== best.right) continue;
      token[at] = best.token;
      isGone[right] = 1;
      next[at] = next[right]!;
      if (next[at]! < token.length) previous[next[at]!] = at;
      if (previous[at]! >= 0) offer(previous[at]!);
      offer(at);
    }
    return token.filter((_, index) => isGone[index] === 0);
  }
}

/** Tokens are below 2^24, so a pair of them is a whole number below 2^53. */
function pairKey(left: number, right: number): number {
  return left * 2 ** 24 + right;
}

interface Candidate extends Merge {
  readonly at: number;
  readonly left: number;
  readonly right: number;
}

/** A binary heap: the least rank first, the leftmost of equals. */
class MergeQueue {
  readonly #heap: Candidate[] = [];

  push(candidate: Candidate): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(candidate);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(candidate, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = candidate;
  }

  pop(): Candidate | null {
    const heap = this.#heap;
    const [best] = heap;
    const last = heap.pop();
    if (best === undefined || last === undefined) return null;
    if (heap.length === 0) return best;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return best;
  }
}

function isBefore(a: Candidate, b: Candidate): boolean {
  return a.rank !== b.rank ? a.rank < b.rank : a.at < b.at;
}
