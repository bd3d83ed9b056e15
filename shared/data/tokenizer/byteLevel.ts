/**
 * The byte-level alphabet of GPT-2: every byte as one printable character. Bytes that are printable in Latin-1 stand for themselves,
 * the other 68 take the characters from U+0100 on, in their order.
 */
const PRINTABLE = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
] as const;

const CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = PRINTABLE.some(([first, last]) => byte >= first && byte <= last);
    return String.fromCodePoint(isPrintable ? byte : next++);
  });
})();
const BYTES: ReadonlyMap<string, number> = new Map(CHARACTERS.map((character, byte) => [character, byte]));

/** A text's UTF-8 bytes, each as its character. */
export function toByteCharacters(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => CHARACTERS[byte]!).join("");
}

/** Bytes of tokens in this alphabet; a token with another character stands for its own UTF-8 bytes. */
export function fromByteCharacters(tokens: readonly string[]): string {
  const bytes = tokens.flatMap((token) => {
    const known = Array.from(token, (character) => BYTES.get(character));
    return known.includes(undefined) ? [...new TextEncoder().encode(token)] : (known as number[]);
  });
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
