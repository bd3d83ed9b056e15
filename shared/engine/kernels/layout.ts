/** Where the buffers of a plan lie: those that never live at one time share memory. */
import type { BufferId, Command, Plan } from "./plan.ts";

/** Lines of a cache; vectors never straddle two of them at the start of a buffer. */
const ALIGNMENT = 64;

export interface Layout {
  /** First byte of each buffer. */
  readonly offsets: readonly number[];
  /** Bytes of all, with some behind the last that a vector may read. */
  readonly bytes: number;
}

export function layOut({ buffers, commands }: Pick<Plan, "buffers" | "commands">): Layout {
  const lastUse = new Map<BufferId, number>();
  for (const [at, command] of commands.entries()) for (const buffer of buffersOf(command)) lastUse.set(buffer, at);
  const offsets = new Array<number>(buffers.length).fill(0);
  let end = 0;
  for (const [buffer, { lasting, bytes }] of buffers.entries()) {
    if (!lasting) continue;
    offsets[buffer] = end;
    end += aligned(bytes);
  }

  /** Free pieces by ascending offset; none touches the next. */
  const free: { offset: number; bytes: number }[] = [];
  const take = (bytes: number): number => {
    const at = free.findIndex((piece) => piece.bytes >= bytes);
    if (at !== -1) {
      const piece = free[at]!;
      const { offset } = piece;
      piece.offset += bytes;
      piece.bytes -= bytes;
      if (piece.bytes === 0) free.splice(at, 1);
      return offset;
    }
    const tail = free.at(-1);
    const offset = tail !== undefined && tail.offset + tail.bytes === end ? free.pop()!.offset : end;
    end = offset + bytes;
    return offset;
  };
  const give = (offset: number, bytes: number): void => {
    const at = free.findIndex((piece) => piece.offset > offset);
    free.splice(at === -1 ? free.length : at, 0, { offset, bytes });
    for (let i = free.length - 1; i > 0; i--) {
      const [before, after] = [free[i - 1]!, free[i]!];
      if (before.offset + before.bytes !== after.offset) continue;
      before.bytes += after.bytes;
      free.splice(i, 1);
    }
  };
  const placed = new Set<BufferId>();
  for (const [at, command] of commands.entries()) {
    const used = new Set(buffersOf(command).filter((buffer) => !buffers[buffer]!.lasting));
    for (const buffer of used) {
      if (placed.has(buffer)) continue;
      placed.add(buffer);
      offsets[buffer] = take(aligned(buffers[buffer]!.bytes));
    }
    for (const buffer of used) if (lastUse.get(buffer) === at) give(offsets[buffer]!, aligned(buffers[buffer]!.bytes));
  }
  return { offsets, bytes: end + ALIGNMENT };
}

function buffersOf(command: Command): BufferId[] {
  switch (command.kind) {
    case "kernel":
      return command.places.map(({ buffer }) => buffer);
    case "product":
      return [command.a, command.b, command.c];
    case "keep":
      return [command.from];
    default:
      return [command.to];
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
