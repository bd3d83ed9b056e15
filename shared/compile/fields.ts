/** The samples of a step as tensors of its graph: one Batch for each field that is used, whole or in micro-batches. */

import type { SourceGraph, ValueId } from "../graph/graph.ts";
import { field } from "../layers/leaf.ts";
import { slice } from "../layers/slice.ts";
import type { SampleOrder } from "../numerics/sampleOrder.ts";
import { SettingError } from "../program/errors.ts";
import type { SampleField } from "../program/program.ts";

export class BatchFields {
  readonly #graph: SourceGraph;
  readonly #fields: ReadonlyMap<string, SampleField>;
  readonly #batch: number;
  readonly #order: SampleOrder;
  readonly #values = new Map<string, ValueId>();

  constructor(graph: SourceGraph, fields: readonly SampleField[], batch: number, order: SampleOrder = "replacement") {
    this.#graph = graph;
    this.#fields = new Map(fields.map((each) => [each.name, each]));
    this.#batch = batch;
    this.#order = order;
  }

  get names(): readonly string[] {
    return [...this.#fields.keys()];
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** @throws SettingError when the data has no such field. */
  layout(name: string): SampleField {
    const found = this.#fields.get(name);
    if (found === undefined) {
      throw new SettingError(
        "fields",
        `the data has no field "${name}", but ${this.names.join(", ") || "none at all"}`,
      );
    }
    return found;
  }

  /** Rows `first … first + count − 1` of a field, [count, width]. @throws SettingError when the data has no such field. */
  part(name: string, first: number, count: number): ValueId {
    const known = this.#values.get(name);
    const whole = known ?? field(this.#graph, this.layout(name), this.#batch, this.#order);
    this.#values.set(name, whole);
    return slice(this.#graph, whole, 0, first, count, 1, name);
  }

  whole(name: string): ValueId {
    return this.part(name, 0, this.#batch);
  }
}
