/** Sliding windows over the two axes of an image, as tables of positions. */
import type { RowTable } from "./takeRows.ts";

export type Pair = readonly [vertical: number, horizontal: number];

/** Tap k of window o lies at o · stride + k · dilation − pad of the input; outside it there is nothing. */
export interface Windows {
  readonly input: Pair;
  /** How many windows there are. */
  readonly output: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** What the first window starts before the input. */
  readonly pad: Pair;
}

/** Input positions of every tap of every window, [KH, KW, OH, OW]. */
export function windowTable({ input, output, kernel, stride, dilation, pad }: Windows): RowTable {
  return table(kernel, output, input, (axis, tap, window) => window * stride[axis] + tap * dilation[axis] - pad[axis]);
}

/** The window that reads an input position with a tap, [KH, KW, H, W]. */
export function coverTable({ input, output, kernel, stride, dilation, pad }: Windows): RowTable {
  return table(kernel, input, output, (axis, tap, position) => {
    const start = position + pad[axis] - tap * dilation[axis];
    return start % stride[axis] === 0 ? start / stride[axis] : -1;
  });
}

/** Positions in `target` for every pair of a tap and a place; −1 where either coordinate lies outside. */
function table(
  kernel: Pair,
  places: Pair,
  target: Pair,
  at: (axis: 0 | 1, tap: number, place: number) => number,
): RowTable {
  const [rows, columns] = ([0, 1] as const).map((axis) =>
    Array.from({ length: kernel[axis] }, (_, tap) =>
      Array.from({ length: places[axis] }, (_, place) => {
        const position = at(axis, tap, place);
        return position >= 0 && position < target[axis] ? position : -1;
      }),
    ),
  ) as [number[][], number[][]];
  const positions = new Int32Array(kernel[0] * kernel[1] * places[0] * places[1]);
  let next = 0;
  for (const vertical of rows)
    for (const horizontal of columns)
      for (const row of vertical)
        for (const column of horizontal) positions[next++] = row < 0 || column < 0 ? -1 : row * target[1] + column;
  return { shape: [...kernel, ...places], positions };
}

/** The windows of a kernel over an image; pads are top, left, bottom, right. */
export function windowsOf(
  input: Pair,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
  pads: readonly [number, number, number, number],
): Windows {
  const count = (axis: 0 | 1): number =>
    Math.floor((input[axis] + pads[axis] + pads[axis + 2]! - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis]) +
    1;
  return { input, output: [count(0), count(1)], kernel, stride, dilation, pad: [pads[0], pads[1]] };
}
