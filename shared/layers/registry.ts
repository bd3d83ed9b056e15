/** The ONNX operators that can be imported, and what to use instead of some that cannot. A new layer is one line here. */
import { importAbs, importSign } from "./absolute.ts";
import {
  importCelu,
  importElu,
  importHardSigmoid,
  importHardSwish,
  importLeakyRelu,
  importSelu,
  importSoftplus,
  importSoftsign,
  importThresholdedRelu,
} from "./activations.ts";
import { importAdd } from "./add.ts";
import {
  importAnd,
  importEqual,
  importGreater,
  importGreaterOrEqual,
  importLess,
  importLessOrEqual,
  importNot,
  importOr,
  importXor,
} from "./compare.ts";
import { importCast, importConstant, importIdentity, importShape, importSize } from "./constants.ts";
import { importDiv, importReciprocal } from "./divide.ts";
import { importDropout } from "./dropout.ts";
import { importEinsum } from "./einsum.ts";
import { importErf } from "./erf.ts";
import { importExp } from "./exp.ts";
import { importExpand, importTile } from "./expand.ts";
import { importClip, importMax, importMin } from "./extremum.ts";
import { importGelu } from "./gelu.ts";
import { importGemm } from "./gemm.ts";
import { importConv, importConvTranspose } from "./importConv.ts";
import type { Importer } from "./importer.ts";
import { importGather, importGatherElements } from "./importGather.ts";
import { importBatchNormalization, importGroupNormalization, importInstanceNormalization } from "./importNormalise.ts";
import { importAveragePool, importGlobalAveragePool, importGlobalMaxPool, importMaxPool } from "./importPool.ts";
import {
  importBernoulli,
  importRandomNormal,
  importRandomNormalLike,
  importRandomUniform,
  importRandomUniformLike,
} from "./importRandom.ts";
import { importGru, importLstm, importRnn } from "./importRecurrent.ts";
import { importDepthToSpace, importResize, importSpaceToDepth } from "./importResize.ts";
import { importConcat } from "./join.ts";
import { importLog } from "./log.ts";
import { importMatMul } from "./matmul.ts";
import { importMul } from "./multiply.ts";
import { importLayerNormalization, importRmsNormalization } from "./normalization.ts";
import { importPad } from "./pad.ts";
import { importNever, importOneHot, importTrilu } from "./patterns.ts";
import { importPow } from "./power.ts";
import { importPRelu } from "./prelu.ts";
import {
  importReduceL1,
  importReduceL2,
  importReduceLogSumExp,
  importReduceMax,
  importReduceMean,
  importReduceMin,
  importReduceSum,
  importReduceSumSquare,
} from "./reduce.ts";
import { importRelu } from "./relu.ts";
import { importFlatten, importReshape, importSqueeze, importUnsqueeze } from "./reshape.ts";
import { importSqrt } from "./roots.ts";
import { importSigmoid } from "./sigmoid.ts";
import { importSwish } from "./silu.ts";
import { importSlice, importSplit } from "./slice.ts";
import { importLogSoftmax, importSoftmax } from "./softmax.ts";
import { importNeg, importSub } from "./subtract.ts";
import { importTanh } from "./tanh.ts";
import { importTranspose } from "./transpose.ts";
import { importMean, importSum } from "./variadic.ts";
import { importWhere } from "./where.ts";

export const IMPORTERS: ReadonlyMap<string, Importer> = new Map(
  Object.entries({
    Abs: importAbs,
    Add: importAdd,
    And: importAnd,
    AveragePool: importAveragePool,
    BatchNormalization: importBatchNormalization,
    Bernoulli: importBernoulli,
    Cast: importCast,
    Celu: importCelu,
    Clip: importClip,
    Concat: importConcat,
    Constant: importConstant,
    Conv: importConv,
    ConvTranspose: importConvTranspose,
    Div: importDiv,
    Dropout: importDropout,
    Einsum: importEinsum,
    Elu: importElu,
    Equal: importEqual,
    Erf: importErf,
    Exp: importExp,
    Expand: importExpand,
    Flatten: importFlatten,
    Gather: importGather,
    GatherElements: importGatherElements,
    Gelu: importGelu,
    Gemm: importGemm,
    GlobalAveragePool: importGlobalAveragePool,
    GlobalMaxPool: importGlobalMaxPool,
    GroupNormalization: importGroupNormalization,
    DepthToSpace: importDepthToSpace,
    Resize: importResize,
    SpaceToDepth: importSpaceToDepth,
    Greater: importGreater,
    GreaterOrEqual: importGreaterOrEqual,
    GRU: importGru,
    HardSigmoid: importHardSigmoid,
    HardSwish: importHardSwish,
    Identity: importIdentity,
    InstanceNormalization: importInstanceNormalization,
    IsInf: importNever,
    IsNaN: importNever,
    LayerNormalization: importLayerNormalization,
    LeakyRelu: importLeakyRelu,
    Less: importLess,
    LessOrEqual: importLessOrEqual,
    Log: importLog,
    LogSoftmax: importLogSoftmax,
    LSTM: importLstm,
    MatMul: importMatMul,
    Max: importMax,
    MaxPool: importMaxPool,
    Mean: importMean,
    Min: importMin,
    Mul: importMul,
    Neg: importNeg,
    Not: importNot,
    OneHot: importOneHot,
    Or: importOr,
    Pad: importPad,
    Pow: importPow,
    PRelu: importPRelu,
    RandomNormal: importRandomNormal,
    RandomNormalLike: importRandomNormalLike,
    RandomUniform: importRandomUniform,
    RandomUniformLike: importRandomUniformLike,
    Reciprocal: importReciprocal,
    ReduceL1: importReduceL1,
    ReduceL2: importReduceL2,
    ReduceLogSumExp: importReduceLogSumExp,
    ReduceMax: importReduceMax,
    ReduceMean: importReduceMean,
    ReduceMin: importReduceMin,
    ReduceSum: importReduceSum,
    ReduceSumSquare: importReduceSumSquare,
    Relu: importRelu,
    Reshape: importReshape,
    RMSNormalization: importRmsNormalization,
    RNN: importRnn,
    Selu: importSelu,
    Shape: importShape,
    Sigmoid: importSigmoid,
    Sign: importSign,
    SimplifiedLayerNormalization: importRmsNormalization,
    Size: importSize,
    Slice: importSlice,
    Softmax: importSoftmax,
    Softplus: importSoftplus,
    Softsign: importSoftsign,
    Split: importSplit,
    Sqrt: importSqrt,
    Squeeze: importSqueeze,
    Sub: importSub,
    Sum: importSum,
    Swish: importSwish,
    Tanh: importTanh,
    ThresholdedRelu: importThresholdedRelu,
    Tile: importTile,
    Transpose: importTranspose,
    Trilu: importTrilu,
    Unsqueeze: importUnsqueeze,
    Where: importWhere,
    Xor: importXor,
  }),
);

/** What `repeat_interleave` is exported as, with a Loop. */
const SEQUENCES =
  "Sequences come of torch.repeat_interleave: write x[:, :, None].expand(b, k, n, t, d).reshape(b, k * n, t, d) for repeated heads.";

const NEAREST: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Acos: "It is supported of constants only.",
    ArgMax: "It has no gradient: leave it out, and choose where the model is used.",
    ArgMin: "It has no gradient: leave it out, and choose where the model is used.",
    Cos: "It is supported of constants only, such as a table of positions.",
    ConcatFromSequence: SEQUENCES,
    CumSum: "It is supported of constants only; of data, multiply by a triangular matrix.",
    If: "Export the branch that is trained.",
    Loop: `Export with the loop unrolled (a fixed number of iterations). ${SEQUENCES}`,
    Mod: "It is supported of constants only.",
    NonZero: "Its shape depends on data; it is supported of constants only. Use Where.",
    ...Object.fromEntries(
      ["At", "Construct", "Empty", "Erase", "Insert", "Length"].map((name) => [`Sequence${name}`, SEQUENCES]),
    ),
    Scan: "Export with the loop unrolled (a fixed number of iterations).",
    ScatterND: "The nearest supported operators are Where and Concat.",
    Sin: "It is supported of constants only, such as a table of positions.",
    SplitToSequence: SEQUENCES,
    TopK: "It has no gradient through its choice: leave it out, and choose where the model is used.",
  }),
);

/** What to do about an operator that cannot be imported. */
export function nearestForm(operator: string): string {
  return NEAREST.get(operator) ?? `Supported operators are ${[...IMPORTERS.keys()].sort().join(", ")}.`;
}
