/** Operators that move pixels: Resize by the nearest, DepthToSpace, SpaceToDepth. */
import type { ValueId } from "../graph/graph.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { reshape } from "./reshape.ts";
import { take } from "./take.ts";
import { transpose } from "./transpose.ts";

/** Where the pixel `at` of an axis of `length` pixels, made from `before` pixels, is taken from. */
type Place = (at: number, before: number, length: number, scale: number) => number;

const PLACES: Readonly<Record<string, Place>> = {
  asymmetric: (at, _, __, scale) => at / scale,
  half_pixel: (at, _, __, scale) => (at + 0.5) / scale - 0.5,
  pytorch_half_pixel: (at, _, length, scale) => (length > 1 ? (at + 0.5) / scale - 0.5 : 0),
  align_corners: (at, before, length) => (length > 1 ? (at * (before - 1)) / (length - 1) : 0),
};

const ROUNDINGS: Readonly<Record<string, (place: number) => number>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

export const importResize: Importer = (context) => {
  const { graph } = context;
  const x = context.tensor(0);
  const before = graph.shape(x);
  const mode = context.string("mode", "nearest");
  if (mode !== "nearest") throw context.error(`mode ${mode}`, "Resizing by the nearest pixel is supported.");
  const place = PLACES[context.string("coordinate_transformation_mode", "half_pixel")];
  const round = ROUNDINGS[context.string("nearest_mode", "round_prefer_floor")];
  if (place === undefined || round === undefined) {
    throw context.error("its coordinate_transformation_mode or nearest_mode", "Use half_pixel or asymmetric.");
  }
  const { sizes, scales } = wantedSizes(context, before);
  // Kept with the batch innermost, as other layers over images do.
  const inner = [...before.keys()].slice(1);
  let value = transpose(graph, x, [...inner, 0]);
  if (sizes[0] !== before[0]) throw context.error("it resizes the batch axis", "Resize other axes only.");
  for (const axis of inner) {
    const [from, to] = [before[axis]!, sizes[axis]!];
    if (from === to) continue;
    const positions = Array.from({ length: to }, (_, at) =>
      Math.min(Math.max(round(place(at, from, to, scales[axis]!)), 0), from - 1),
    );
    value = take(graph, value, axis - 1, positions, `${layerName(graph, x)}.resized`);
  }
  return transpose(graph, value, [inner.length, ...inner.map((axis) => axis - 1)]);
};

function wantedSizes(
  context: ImportContext,
  before: readonly number[],
): { readonly sizes: readonly number[]; readonly scales: readonly number[] } {
  const named = context.integers(null, "axes") ?? [...before.keys()];
  const axes = named.map((axis) => context.axis(axis, before.length));
  const each = (list: readonly number[], absent: (axis: number) => number) =>
    before.map((_, axis) => (axes.includes(axis) ? list[axes.indexOf(axis)]! : absent(axis)));
  const given = (index: number): readonly number[] | null => {
    const numbers = Array.from(context.host(index)?.values ?? []);
    return numbers.length === 0 ? null : numbers;
  };
  const [scales, sizes] = [given(2), given(3)];
  const list = sizes ?? scales;
  if (list === null || list.length !== axes.length || !list.every((each) => each > 0)) {
    throw context.error("its sizes or scales are not known now or fit no axes", "Export with static sizes.");
  }
  if (context.string("keep_aspect_ratio_policy", "stretch") !== "stretch") {
    throw context.error("it keeps the aspect ratio", "Give the sizes themselves.");
  }
  if (sizes !== null) {
    const whole = each(sizes, (axis) => before[axis]!);
    return { sizes: whole, scales: whole.map((size, axis) => size / before[axis]!) };
  }
  const factors = each(scales!, () => 1);
  return { sizes: factors.map((factor, axis) => Math.floor(before[axis]! * factor)), scales: factors };
}

function blocks(context: ImportContext): { x: ValueId; shape: [number, number, number, number]; block: number } {
  const x = context.tensor(0);
  const shape = context.graph.shape(x);
  const block = context.integer("blocksize", 0);
  if (shape.length !== 4 || block < 1) throw context.error(`[${shape}] in blocks of ${block}`, "Correct the model.");
  return { x, shape: shape as unknown as [number, number, number, number], block };
}

export const importDepthToSpace: Importer = (context) => {
  const { graph } = context;
  const { x, shape, block } = blocks(context);
  const [batch, channels, height, width] = shape;
  const depth = channels / block ** 2;
  if (!Number.isInteger(depth)) {
    throw context.error(`${channels} channels do not make blocks of ${block}`, "Correct the model.");
  }
  const isColumnsFirst = context.string("mode", "DCR") === "CRD";
  const split = isColumnsFirst ? [depth, block, block] : [block, block, depth];
  const parts = reshape(graph, x, [batch, ...split, height, width]);
  const moved = transpose(graph, parts, isColumnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return reshape(graph, moved, [batch, depth, height * block, width * block]);
};

export const importSpaceToDepth: Importer = (context) => {
  const { graph } = context;
  const { x, shape, block } = blocks(context);
  const [batch, channels, height, width] = shape;
  if (height % block !== 0 || width % block !== 0) {
    throw context.error(`[${shape}] does not divide into blocks of ${block}`, "Correct the model.");
  }
  const parts = reshape(graph, x, [batch, channels, height / block, block, width / block, block]);
  const moved = transpose(graph, parts, [0, 3, 5, 1, 2, 4]);
  return reshape(graph, moved, [batch, channels * block ** 2, height / block, width / block]);
};
