/** The ONNX operators that can be imported, and what to use instead of some that cannot. A new layer is one line here. */
import { importAdd } from "./add.ts";
import { importCast, importConstant, importIdentity, importShape } from "./constants.ts";
import { importDropout } from "./dropout.ts";
import { importErf } from "./erf.ts";
import { importGather } from "./gather.ts";
import { importGelu } from "./gelu.ts";
import { importGemm } from "./gemm.ts";
import { importConv, importConvTranspose } from "./importConv.ts";
import type { Importer } from "./importer.ts";
import { importBatchNormalization, importInstanceNormalization } from "./importNormalise.ts";
import { importAveragePool, importGlobalAveragePool, importMaxPool } from "./importPool.ts";
import { importConcat } from "./join.ts";
import { importMatMul } from "./matmul.ts";
import { importLayerNormalization, importRmsNormalization } from "./normalization.ts";
import { importPad } from "./pad.ts";
import { importReduceL2, importReduceMax, importReduceMean, importReduceMin, importReduceSum } from "./reduce.ts";
import { importRelu } from "./relu.ts";
import { importFlatten, importReshape, importSqueeze, importUnsqueeze } from "./reshape.ts";
import { importSigmoid } from "./sigmoid.ts";
import { importSwish } from "./silu.ts";
import { importSlice, importSplit } from "./slice.ts";
import { importLogSoftmax, importSoftmax } from "./softmax.ts";
import { importTanh } from "./tanh.ts";
import { importTranspose } from "./transpose.ts";

export const IMPORTERS: ReadonlyMap<string, Importer> = new Map(
  Object.entries({
    Add: importAdd,
    AveragePool: importAveragePool,
    BatchNormalization: importBatchNormalization,
    Cast: importCast,
    Concat: importConcat,
    Constant: importConstant,
    Conv: importConv,
    ConvTranspose: importConvTranspose,
    Dropout: importDropout,
    Erf: importErf,
    Flatten: importFlatten,
    Gather: importGather,
    Gelu: importGelu,
    Gemm: importGemm,
    GlobalAveragePool: importGlobalAveragePool,
    Identity: importIdentity,
    InstanceNormalization: importInstanceNormalization,
    LayerNormalization: importLayerNormalization,
    LogSoftmax: importLogSoftmax,
    MatMul: importMatMul,
    MaxPool: importMaxPool,
    RMSNormalization: importRmsNormalization,
    ReduceL2: importReduceL2,
    ReduceMax: importReduceMax,
    ReduceMean: importReduceMean,
    ReduceMin: importReduceMin,
    ReduceSum: importReduceSum,
    Pad: importPad,
    Relu: importRelu,
    Reshape: importReshape,
    Shape: importShape,
    Sigmoid: importSigmoid,
    SimplifiedLayerNormalization: importRmsNormalization,
    Softmax: importSoftmax,
    Slice: importSlice,
    Split: importSplit,
    Squeeze: importSqueeze,
    Swish: importSwish,
    Tanh: importTanh,
    Transpose: importTranspose,
    Unsqueeze: importUnsqueeze,
  }),
);

const NEAREST: ReadonlyMap<string, string> = new Map(
  Object.entries({
    LeakyRelu: "The nearest supported activation is Relu.",
    Elu: "The nearest supported activation is Relu.",
    Sub: "The nearest supported operator is Add.",
    Sum: "The nearest supported operator is Add.",
    Einsum: "The nearest supported operator is MatMul.",
  }),
);

/** What to do about an operator that cannot be imported. */
export function nearestForm(operator: string): string {
  return NEAREST.get(operator) ?? `Supported operators are ${[...IMPORTERS.keys()].join(", ")}.`;
}
