/** Which tensors of a state are the model's own: the others are the optimizer's moments (docs/models.md). */
import type { StateTensor } from "../program.ts";

type NamedShape = Pick<StateTensor, "name" | "shape">;

const MOMENT_SUFFIXES = [".m", ".v"] as const;

/** Indices of the parameters. A tensor is a moment when it and its twin are named after a tensor of the same shape before them. */
export function parameterIndices(state: readonly NamedShape[]): number[] {
  const positions = new Map(state.map(({ name }, index) => [name, index]));
  const moments = new Set<number>();
  for (const [index, { name, shape }] of state.entries()) {
    const named = MOMENT_SUFFIXES.map((suffix) => positions.get(name + suffix));
    const isPair = named.every((at) => at !== undefined && at > index && `${state[at]!.shape}` === `${shape}`);
    if (isPair) for (const at of named) moments.add(at!);
  }
  return [...state.keys()].filter((index) => !moments.has(index));
}
