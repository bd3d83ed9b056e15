/** Conv and ConvTranspose of ONNX, over one or two spatial axes. */
import type { ValueId } from "../graph/graph.ts";
import { addToChannels, conv, convTranspose } from "./conv.ts";
import type { ImportContext, Importer } from "./importer.ts";
import { layerName } from "./importer.ts";
import { asImage, fromImage, importWindows, pair, type WindowAttributes, windowAttributes } from "./importWindows.ts";

interface Parts {
  readonly x: ValueId;
  readonly w: ValueId;
  readonly groups: number;
  readonly spatial: readonly number[];
  readonly attributes: WindowAttributes;
  readonly name: string;
}

function parts(context: ImportContext): Parts {
  const { graph } = context;
  const [x, w] = [context.tensor(0), context.tensor(1)];
  const [image, weight] = [graph.shape(x), graph.shape(w)];
  const groups = context.integer("group", 1);
  const attributes = windowAttributes(context, image.length - 2, weight.slice(2));
  if (weight.length !== image.length || !(groups >= 1) || weight[0]! % groups !== 0 || image[1]! % groups !== 0) {
    throw context.error(`the weight [${weight}] does not fit [${image}] in ${groups} groups`, "Correct the weight.");
  }
  return { x, w, groups, spatial: image.slice(2), attributes, name: layerName(graph, w) };
}

function finish(context: ImportContext, y: ValueId, { x, name }: Parts): ValueId {
  const { graph } = context;
  const rank = graph.shape(x).length;
  if (!context.has(2)) return fromImage(context, y, rank);
  const bias = context.tensor(2);
  if (`${graph.shape(bias)}` !== `${graph.shape(y)[1]}`) {
    throw context.error(`the bias [${graph.shape(bias)}] does not fit [${graph.shape(y)}]`, "Correct the bias.");
  }
  return fromImage(context, addToChannels(graph, y, bias, `${name}.out`), rank);
}

export const importConv: Importer = (context) => {
  const { graph } = context;
  const each = parts(context);
  const { x, w, groups, spatial, attributes, name } = each;
  if (graph.shape(w)[1]! * groups !== graph.shape(x)[1]) {
    throw context.error(`the weight [${graph.shape(w)}] does not fit [${graph.shape(x)}]`, "Correct the weight.");
  }
  const { windows } = importWindows(context, spatial, attributes);
  return finish(context, conv(graph, asImage(context, x), asImage(context, w), windows, groups, name), each);
};

export const importConvTranspose: Importer = (context) => {
  const { graph } = context;
  const each = parts(context);
  const { x, w, groups, spatial, attributes, name } = each;
  if (graph.shape(w)[0] !== graph.shape(x)[1]) {
    throw context.error(`the weight [${graph.shape(w)}] does not fit [${graph.shape(x)}]`, "Correct the weight.");
  }
  const { kernel, stride, dilation, pads, autoPad } = attributes;
  const extra = context.integers(null, "output_padding") ?? spatial.map(() => 0);
  const wanted = context.integers(null, "output_shape")?.slice(-spatial.length) ?? null;
  const axes = spatial.map((size, axis) => {
    const full = stride[axis]! * (size - 1) + extra[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1;
    const explicit = pads?.[axis] ?? null;
    const length =
      wanted?.[axis] ??
      (autoPad.startsWith("SAME") ? size * stride[axis]! : full - (explicit === null ? 0 : explicit[0] + explicit[1]));
    if (explicit !== null && wanted === null) return { length, pad: explicit[0] };
    const total = Math.max(full - length, 0);
    return { length, pad: autoPad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2) };
  });
  if (!axes.every(({ length }) => length >= 1)) {
    throw context.error(`it makes an image of ${axes.map(({ length }) => length)}`, "Use less padding.");
  }
  const windows = {
    input: pair(
      axes.map(({ length }) => length),
      1,
    ),
    output: pair(spatial, 1),
    kernel: pair(kernel, 1),
    stride: pair(stride, 1),
    dilation: pair(dilation, 1),
    pad: pair(
      axes.map(({ pad }) => pad),
      0,
    ),
  };
  return finish(context, convTranspose(graph, asImage(context, x), asImage(context, w), windows, groups, name), each);
};
