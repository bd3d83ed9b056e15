/**
 * Activations that are straight or exponential in pieces: LeakyRelu, ThresholdedRelu, HardSigmoid, HardSwish, Elu, Selu, Celu, Softplus,
 * Softsign. Those with an exponential are off by at most 2e-6 absolutely (`exponential.ts`).
 */
import type { MapBuilder, Register } from "../graph/mapBuilder.ts";
import { expNegative, logarithmOfOnePlus } from "./exponential.ts";
import { sigmoidExpression } from "./sigmoid.ts";
import { importUnary, type Unary } from "./unary.ts";

const isNegative = (map: MapBuilder, x: Register): Register => map.less(x, map.immediate(0));

export function leakyRelu(alpha: number): Unary {
  return {
    layer: "leakyRelu",
    forward: (map, x) => map.select(isNegative(map, x), map.flush(map.mul(x, map.immediate(alpha))), x),
    slope: {
      of: "input",
      expression: (map, x) => map.select(isNegative(map, x), map.immediate(alpha), map.immediate(1)),
    },
    isSteep: Math.abs(alpha) > 2,
  };
}

export function thresholdedRelu(alpha: number): Unary {
  const isAbove = (map: MapBuilder, x: Register) => map.less(map.immediate(alpha), x);
  return {
    layer: "thresholdedRelu",
    forward: (map, x) => map.select(isAbove(map, x), x, map.immediate(0)),
    slope: { of: "input", expression: isAbove },
  };
}

/** The ramp clamp(alpha · x + beta, 0, 1). */
function ramp(map: MapBuilder, x: Register, alpha: number, beta: number): Register {
  return map.clamp(map.add(map.flush(map.mul(x, map.immediate(alpha))), map.immediate(beta)), 0, 1);
}

/** The ramp's slope: alpha strictly between its ends. */
function rampSlope(map: MapBuilder, x: Register, alpha: number, beta: number): Register {
  const value = ramp(map, x, alpha, beta);
  const isInside = map.mul(map.less(map.immediate(0), value), map.less(value, map.immediate(1)));
  return map.mul(isInside, map.immediate(alpha));
}

export function hardSigmoid(alpha: number, beta: number): Unary {
  return {
    layer: "hardSigmoid",
    forward: (map, x) => ramp(map, x, alpha, beta),
    slope: { of: "input", expression: (map, x) => rampSlope(map, x, alpha, beta) },
    isSteep: Math.abs(alpha) > 2,
    bound: 1,
  };
}

/** x · clamp(x / 6 + ½, 0, 1). */
export const HARD_SWISH: Unary = {
  layer: "hardSwish",
  forward: (map, x) => map.flush(map.mul(x, ramp(map, x, 1 / 6, 0.5))),
  slope: {
    of: "input",
    expression: (map, x) => {
      const near = map.clamp(x, -3, 3);
      return map.add(ramp(map, x, 1 / 6, 0.5), map.flush(map.mul(near, rampSlope(map, x, 1 / 6, 0.5))));
    },
  },
};

/** x above zero; below it scale · (e^(x / width) − 1) · alpha. */
function exponentialUnit(layer: string, scale: number, alpha: number, width: number): Unary {
  const bend = (map: MapBuilder, x: Register) => {
    const stretched = map.mul(map.clamp(x, -30 * width, 0), map.immediate(-1 / width));
    return map.min(expNegative(map, map.flush(stretched)), map.immediate(1));
  };
  return {
    layer,
    forward: (map, x) => {
      const below = map.mul(map.sub(bend(map, x), map.immediate(1)), map.immediate(scale * alpha));
      const above = scale === 1 ? x : map.flush(map.mul(x, map.immediate(scale)));
      return map.select(isNegative(map, x), map.flush(below), above);
    },
    slope: {
      of: "input",
      expression: (map, x) =>
        map.select(
          isNegative(map, x),
          map.mul(bend(map, x), map.immediate((scale * alpha) / width)),
          map.immediate(scale),
        ),
    },
    isSteep: Math.max(scale, Math.abs((scale * alpha) / width)) > 2,
  };
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^−|x|). */
export const SOFTPLUS: Unary = {
  layer: "softplus",
  forward: (map, x) => {
    const small = map.min(expNegative(map, map.abs(x)), map.immediate(1));
    return map.add(map.max(x, map.immediate(0)), map.flush(logarithmOfOnePlus(map, small)));
  },
  slope: { of: "input", expression: sigmoidExpression },
};

/** x / (1 + |x|). */
export const SOFTSIGN: Unary = {
  layer: "softsign",
  forward: (map, x) => map.flush(map.div(x, map.add(map.abs(x), map.immediate(1)))),
  slope: {
    of: "input",
    expression: (map, x) => {
      const share = map.div(map.immediate(1), map.min(map.add(map.abs(x), map.immediate(1)), map.immediate(2 ** 20)));
      return map.mul(share, share);
    },
  },
  bound: 1,
};

const SELU = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

export const importLeakyRelu = importUnary((context) => leakyRelu(context.float("alpha", 0.01)));
export const importThresholdedRelu = importUnary((context) => thresholdedRelu(context.float("alpha", 1)));
export const importHardSigmoid = importUnary((context) =>
  hardSigmoid(context.float("alpha", 0.2), context.float("beta", 0.5)),
);
export const importHardSwish = importUnary(() => HARD_SWISH);
export const importElu = importUnary((context) => exponentialUnit("elu", 1, context.float("alpha", 1), 1));
export const importSelu = importUnary((context) =>
  exponentialUnit("selu", context.float("gamma", SELU.gamma), context.float("alpha", SELU.alpha), 1),
);
export const importCelu = importUnary((context) => {
  const alpha = context.float("alpha", 1);
  if (!(alpha > 0)) throw context.error(`its alpha is ${alpha}`, "It must be above zero.");
  return exponentialUnit("celu", 1, alpha, alpha);
});
export const importSoftplus = importUnary(() => SOFTPLUS);
export const importSoftsign = importUnary(() => SOFTSIGN);
