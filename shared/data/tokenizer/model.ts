/** What turns a piece into tokens. */
export interface TokenModel {
  /** Numbers of the model's own tokens. */
  readonly vocabulary: ReadonlyMap<string, number>;
  encode(piece: string): number[];
}

/** The tokens `<0x00>` … of a text's UTF-8 bytes, or null when the vocabulary lacks one. */
export function byteTokens(text: string, vocabulary: ReadonlyMap<string, number>): number[] | null {
  const tokens = Array.from(new TextEncoder().encode(text), (byte) =>
    vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  );
  return tokens.includes(undefined) ? null : (tokens as number[]);
}
