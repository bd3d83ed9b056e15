/** The attributes that convolutions and pools have in common: kernel, strides, dilations, pads, auto_pad, ceil_mode. */
import type { ValueId } from "../graph/graph.ts";
import type { ImportContext } from "./importer.ts";
import { reshape } from "./reshape.ts";
import type { Pair, Windows } from "./windows.ts";

/** One number for each spatial axis of the model. */
type Sizes = readonly number[];

export interface WindowAttributes {
  readonly kernel: Sizes;
  readonly stride: Sizes;
  readonly dilation: Sizes;
  /** Of each axis, before and after; null where auto_pad says it. */
  readonly pads: readonly (readonly [before: number, after: number])[] | null;
  readonly autoPad: string;
}

/** @param kernel sizes where the weight says them; else the attribute kernel_shape does. */
export function windowAttributes(context: ImportContext, rank: number, kernel: Sizes | null): WindowAttributes {
  if (rank < 1 || rank > 2) {
    throw context.error(`it has ${rank} spatial axes`, "Windows over one or two axes are supported.");
  }
  const sizes = (attribute: string, absent: Sizes | null, least: number, count = rank): Sizes => {
    const given = context.integers(null, attribute) ?? absent;
    if (given === null || given.length !== count || !given.every((size) => size >= least)) {
      throw context.error(`its ${attribute} [${given ?? ""}] do not fit ${rank} axes`, "Correct the model.");
    }
    return given;
  };
  const ones = new Array<number>(rank).fill(1);
  const named = sizes("kernel_shape", kernel, 1);
  if (kernel !== null && `${named}` !== `${kernel}`) {
    throw context.error(`its kernel_shape [${named}] is not its weight's [${kernel}]`, "Correct the model.");
  }
  const autoPad = context.string("auto_pad", "NOTSET");
  if (!["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].includes(autoPad)) {
    throw context.error(`auto_pad ${autoPad}`, "Use NOTSET with pads, VALID, SAME_UPPER or SAME_LOWER.");
  }
  const flat = sizes("pads", new Array<number>(2 * rank).fill(0), 0, 2 * rank);
  return {
    kernel: named,
    stride: sizes("strides", ones, 1),
    dilation: sizes("dilations", ones, 1),
    pads: autoPad === "NOTSET" ? ones.map((_, axis) => [flat[axis]!, flat[axis + rank]!] as const) : null,
    autoPad,
  };
}

/** Windows, and the padding all around the image: top, left, bottom, right. */
export interface PaddedWindows {
  readonly windows: Windows;
  readonly pads: readonly [number, number, number, number];
}

/** The windows over an image of the given spatial shape. */
export function importWindows(context: ImportContext, image: Sizes, attributes: WindowAttributes): PaddedWindows {
  const { kernel, stride, dilation, pads, autoPad } = attributes;
  const ceil = context.integer("ceil_mode", 0) !== 0;
  const axes = image.map((size, axis) => {
    const [k, s, d] = [kernel[axis]!, stride[axis]!, dilation[axis]!];
    const reach = d * (k - 1) + 1;
    if (autoPad.startsWith("SAME")) {
      const count = Math.ceil(size / s);
      const total = Math.max((count - 1) * s + reach - size, 0);
      const before = autoPad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
      return { count, before, after: total - before };
    }
    const [before, after] = pads?.[axis] ?? [0, 0];
    const room = size + before + after - reach;
    const count = (ceil ? Math.ceil : Math.floor)(room / s) + 1;
    // A window that starts behind the image and its first padding is left out.
    return { count: ceil && (count - 1) * s >= size + before ? count - 1 : count, before, after };
  });
  if (!axes.every(({ count }) => count >= 1)) {
    throw context.error(`no window of [${kernel}] fits into [${image}]`, "Use a smaller kernel, or padding.");
  }
  const each = (pick: (axis: (typeof axes)[number]) => number, absent: number): Pair => pair(axes.map(pick), absent);
  const pad = each(({ before }) => before, 0);
  return {
    windows: {
      input: pair(image, 1),
      output: each(({ count }) => count, 1),
      kernel: pair(kernel, 1),
      stride: pair(stride, 1),
      dilation: pair(dilation, 1),
      pad,
    },
    pads: [...pad, ...each(({ after }) => after, 0)],
  };
}

/** One spatial axis is the second of two. */
export function pair(sizes: Sizes, absent: number): Pair {
  return sizes.length === 1 ? [absent, sizes[0]!] : [sizes[0]!, sizes[1]!];
}

/** [N, C, L] as [N, C, 1, L]; an image stays as it is. */
export function asImage(context: ImportContext, x: ValueId): ValueId {
  const shape = context.graph.shape(x);
  return shape.length === 3 ? reshape(context.graph, x, [shape[0]!, shape[1]!, 1, shape[2]!]) : x;
}

/** The result with as many axes as the model's input had. */
export function fromImage(context: ImportContext, y: ValueId, rank: number): ValueId {
  const shape = context.graph.shape(y);
  return rank === 3 ? reshape(context.graph, y, [shape[0]!, shape[1]!, shape[3]!]) : y;
}
