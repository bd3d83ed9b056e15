/** Standard base64 with padding; works where `Uint8Array.fromBase64` does not exist yet (Node 24, browsers of 2024). */

const CHUNK = 0x8000;

export function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let i = 0; i < bytes.length; i += CHUNK) pieces.push(String.fromCharCode(...bytes.subarray(i, i + CHUNK)));
  return btoa(pieces.join(""));
}

/** Throws a DOMException where the text is not base64. */
export function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
