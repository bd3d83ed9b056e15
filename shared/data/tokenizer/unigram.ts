/** Unigram language model: of all ways to cut a piece into tokens, the one with the greatest sum of scores (Kudo, 2018). */
import { type Component, MAXIMUM_TOKENS, TokenizerError } from "./component.ts";
import { byteTokens, type TokenModel } from "./model.ts";

/** How much worse than the worst token an unknown character is. */
const UNKNOWN_PENALTY = 10;

/** The best way to reach a position of the piece. */
interface Arrival {
  readonly score: number;
  readonly from: number;
  /** Null where the character is in no token. */
  readonly token: number | null;
}

export class UnigramModel implements TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly #scores: readonly number[];
  readonly #unknown: number | null;
  readonly #unknownScore: number;
  readonly #longest: number;
  readonly #fallsBackToBytes: boolean;

  /** @throws TokenizerError */
  constructor(model: Component) {
    const entries = model.list("vocab").map((entry, index): readonly [string, number] => {
      const [text, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof text !== "string" || typeof score !== "number")
        throw model.fail(`token ${index} is no text with a score`);
      return [text, score];
    });
    if (entries.length === 0 || entries.length > MAXIMUM_TOKENS) throw model.fail(`it has ${entries.length} tokens`);
    this.vocabulary = new Map(entries.map(([text], index) => [text, index]));
    if (this.vocabulary.size < entries.length) throw model.fail("a token stands twice in its vocabulary");
    this.#scores = entries.map(([, score]) => score);
    this.#unknown = model.has("unk_id") ? model.count("unk_id") : null;
    if (this.#unknown !== null && this.#unknown >= entries.length)
      throw model.fail("its unk_id is not in the vocabulary");
    this.#unknownScore =
      entries.reduce((least, [, score]) => Math.min(least, score), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY;
    this.#longest = entries.reduce((most, [text]) => Math.max(most, text.length), 0);
    this.#fallsBackToBytes = model.boolean("byte_fallback", false);
  }

  encode(piece: string): number[] {
    const tokens: number[] = [];
    let unknown = "";
    const flush = (): void => {
      if (unknown === "") return;
      const bytes = this.#fallsBackToBytes ? byteTokens(unknown, this.vocabulary) : null;
      if (bytes !== null) tokens.push(...bytes);
      else if (this.#unknown !== null) tokens.push(this.#unknown);
      else throw new TokenizerError("$.model", `no token holds ${JSON.stringify(unknown)}, and there is no unk_id`);
      unknown = "";
    };
    for (const { text, token } of this.#bestPath(piece)) {
      if (token === null || token === this.#unknown) unknown += text;
      else {
        flush();
        tokens.push(token);
      }
    }
    flush();
    return tokens;
  }

  #bestPath(piece: string): { text: string; token: number | null }[] {
    const arrivals: (Arrival | undefined)[] = new Array(piece.length + 1);
    const offer = (end: number, arrival: Arrival): void => {
      const known = arrivals[end];
      if (known === undefined || arrival.score > known.score) arrivals[end] = arrival;
    };
    for (let from = 0; from < piece.length; ) {
      const width = piece.codePointAt(from)! > 0xffff ? 2 : 1;
      const before = from === 0 ? 0 : arrivals[from]!.score;
      let isCovered = false;
      for (let length = width; length <= this.#longest && from + length <= piece.length; length++) {
        const token = this.vocabulary.get(piece.slice(from, from + length));
        if (token === undefined) continue;
        offer(from + length, { score: before + this.#scores[token]!, from, token });
        isCovered ||= length === width;
      }
      if (!isCovered) offer(from + width, { score: before + this.#unknownScore, from, token: null });
      from += width;
    }
    const path: { text: string; token: number | null }[] = [];
    for (let end = piece.length; end > 0; end = arrivals[end]!.from) {
      const { from, token } = arrivals[end]!;
      path.push({ text: piece.slice(from, end), token });
    }
    return path.reverse();
  }
}
