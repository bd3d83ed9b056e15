/** How far a follower has come, in a file, so that a program resumes where it was interrupted. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { CursorError } from "./errors.ts";

export interface Cursor {
  readonly chainId: number;
  /** Events before this block have been handled. */
  readonly nextBlock: bigint;
  /** The block before `nextBlock` with its hash, by which a replaced chain is recognised; null at the start of the chain. */
  readonly anchor: { readonly number: bigint; readonly hash: string } | null;
}

const decimal = z.string().regex(/^\d{1,19}$/);
const cursorFile = z.object({
  version: z.literal(1),
  chainId: z.int().positive(),
  nextBlock: decimal,
  anchor: z.object({ number: decimal, hash: z.string().regex(/^0x[0-9a-f]{64}$/) }).nullable(),
});

/**
 * @returns undefined when there is no such file yet.
 * @throws CursorError when the file is damaged or belongs to another chain.
 */
export async function readCursor(file: string, chainId: number): Promise<Cursor | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CursorError(`${file} cannot be read.`, "Check its permissions.", error);
  }
  const cursor = parse(text, file);
  if (cursor.chainId !== chainId) {
    throw new CursorError(
      `${file} belongs to chain ${cursor.chainId}, this is chain ${chainId}.`,
      "Use one data directory for each chain (--data-dir).",
    );
  }
  return cursor;
}

function parse(text: string, file: string): Cursor {
  try {
    const { chainId, nextBlock, anchor } = cursorFile.parse(JSON.parse(text));
    return {
      chainId,
      nextBlock: BigInt(nextBlock),
      anchor: anchor && { number: BigInt(anchor.number), hash: anchor.hash },
    };
  } catch (error) {
    throw new CursorError(`${file} is damaged.`, "Delete it: the program will read the events again.", error);
  }
}

/** Replaces the file as a whole. @throws CursorError. */
export async function writeCursor(file: string, cursor: Cursor): Promise<void> {
  const { chainId, nextBlock, anchor } = cursor;
  const text = JSON.stringify({
    version: 1,
    chainId,
    nextBlock: nextBlock.toString(),
    anchor: anchor && { number: anchor.number.toString(), hash: anchor.hash },
  });
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.partial`, text);
    await rename(`${file}.partial`, file);
  } catch (error) {
    throw new CursorError(`${file} cannot be written.`, "Check its permissions and the disk.", error);
  }
}
