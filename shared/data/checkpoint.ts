/** Checkpoints: the state as a safetensors file in the store, never believed before it hashes to the committed root. */
import type { Bytes32 } from "../commitment/bytes32.ts";
import { stateRoot, stateRootInTurns } from "../commitment/stateRoot.ts";
import { TouchstoneError } from "../errors.ts";
import type { StateTensor, Tensor } from "../program/program.ts";
import type { ContentId, Store } from "../store/store.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

/** The file does not hold the state tensors of the program. */
export class CheckpointShapeError extends TouchstoneError {
  readonly code = "CHECKPOINT_SHAPE";
  constructor(detail: string) {
    super(`The checkpoint does not fit the program: ${detail}.`, { remedy: "Use a checkpoint of this very program." });
  }
}

/** The file holds a state, but not the committed one. */
export class CheckpointRootError extends TouchstoneError {
  readonly code = "CHECKPOINT_ROOT";
  constructor(actual: Bytes32, expected: Bytes32) {
    super(`The checkpoint's state root is ${actual}, committed was ${expected}.`, {
      remedy: "The publisher replaced or damaged it: recompute the state from an earlier checkpoint.",
    });
  }
}

type Layout = readonly Pick<StateTensor, "name" | "dtype" | "shape">[];

const describe = (tensor: { dtype: number; shape: readonly number[] }) =>
  `${tensor.dtype === 0 ? "float32" : "int32"} [${tensor.shape}]`;

function requireFit(layout: Layout, state: readonly (Tensor & { name?: string })[]): void {
  if (state.length !== layout.length) {
    throw new CheckpointShapeError(`${state.length} tensors instead of ${layout.length}`);
  }
  for (const [p, expected] of layout.entries()) {
    const actual = state[p]!;
    if (actual.name !== undefined && actual.name !== expected.name) {
      throw new CheckpointShapeError(`tensor ${p} is ${JSON.stringify(actual.name)}, not ${expected.name}`);
    }
    if (describe(actual) !== describe(expected)) {
      throw new CheckpointShapeError(`${expected.name} is ${describe(actual)}, not ${describe(expected)}`);
    }
  }
}

/**
 * The checkpoint's file. A function of the program's layout and the state's words alone, so that it has one content id.
 * @throws CheckpointShapeError when the state is not one of this layout.
 */
export function encodeCheckpoint(layout: Layout, state: readonly Tensor[]): Uint8Array {
  requireFit(layout, state);
  return writeSafetensors(
    state.map(({ dtype, shape, words }, p) => ({ name: layout[p]!.name, dtype, shape, words })),
    { format: "touchstone checkpoint 1" },
  );
}

/**
 * The state in a checkpoint's file.
 * @throws SafetensorsError, CheckpointShapeError, CheckpointRootError.
 */
export function decodeCheckpoint(layout: Layout, file: Uint8Array, expectedRoot: Bytes32): Tensor[] {
  const state = stateIn(layout, file);
  requireRoot(stateRoot(state), expectedRoot);
  return state;
}

/** @throws SafetensorsError, CheckpointShapeError. */
function stateIn(layout: Layout, file: Uint8Array): Tensor[] {
  const { tensors } = readSafetensors(file);
  requireFit(layout, tensors);
  return tensors.map(({ dtype, shape, words }) => ({ dtype, shape, words }));
}

function requireRoot(root: Bytes32, expected: Bytes32): void {
  if (root !== expected) throw new CheckpointRootError(root, expected);
}

export async function putCheckpoint(store: Store, layout: Layout, state: readonly Tensor[]): Promise<ContentId> {
  return store.put(encodeCheckpoint(layout, state));
}

/** Fetched, and hashed with turns for others. @throws as `Store.get` and `decodeCheckpoint`. */
export async function getCheckpoint(
  store: Store,
  id: ContentId,
  layout: Layout,
  expectedRoot: Bytes32,
): Promise<Tensor[]> {
  const state = stateIn(layout, await store.get(id));
  requireRoot(await stateRootInTurns(state), expectedRoot);
  return state;
}
