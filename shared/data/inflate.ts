/** Decompression with a bound on what comes out, by what every browser and Node have. */
import { TouchstoneError } from "../errors.ts";

export class InflateError extends TouchstoneError {
  readonly code = "INFLATE";
}

/**
 * @param maximumBytes output beyond which reading stops: a small file may claim to hold terabytes.
 * @throws InflateError when the bytes are damaged, end early or hold more.
 */
export async function inflate(
  bytes: Uint8Array,
  format: "gzip" | "deflate-raw",
  maximumBytes: number,
): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    let chunk: Uint8Array | undefined;
    try {
      chunk = (await reader.read()).value;
    } catch (cause) {
      throw new InflateError(`The compressed data are damaged or end early (${(cause as Error).message}).`, { cause });
    }
    if (chunk === undefined) break;
    length += chunk.length;
    if (length > maximumBytes) {
      await reader.cancel().catch(() => {});
      throw new InflateError(`The compressed data hold more than ${maximumBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  const result = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
