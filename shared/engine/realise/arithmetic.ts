/** Which of the equal realisations of a rule an engine uses (docs/numerics.md, section 5). They differ in speed and in what they ask of the engine. */

/**
 * Dot. `float64`: one float64 product. `digits32`: float32 products of digits of magnitude at most 64, added exactly and rounded once; needs
 * nothing but float32. `int8`: MatMulInteger of the same digits, added in float64.
 */
export type DotRealisation = "float64" | "digits32" | "int8";

/** Sum and SumByIndex. `float64`: float64 ReduceSum and ScatterND. `digits32`: the same on float32 digits. */
export type SumRealisation = "float64" | "digits32";

/** Map's div and sqrt. `native`: Div and Sqrt of float32. `float64`: those of float64. `corrected`: float32 ones, corrected by exact residuals. */
export type RootRealisation = "native" | "float64" | "corrected";

export interface Arithmetic {
  readonly dot: DotRealisation;
  /** Dots that are realised otherwise, by operator index. */
  readonly dotAt?: ReadonlyMap<number, DotRealisation>;
  readonly sum: SumRealisation;
  readonly root: RootRealisation;
}

export const FLOAT64: Arithmetic = { dot: "float64", sum: "float64", root: "native" };

/** For engines without float64 whose float32 division and root are not correctly rounded. */
export const FLOAT32_ONLY: Arithmetic = { dot: "digits32", sum: "digits32", root: "corrected" };
