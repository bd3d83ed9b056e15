import type { ImportContext } from "../../layers/importer.ts";
import type { HostTensor } from "../../onnx/host.ts";

/**
 * What an operator gives for known inputs.
 * @param inputs null where an optional one is left out.
 */
export type Fold = (
  context: ImportContext,
  inputs: readonly (HostTensor | null)[],
) => HostTensor | readonly HostTensor[];
