/** What every compiler of steps gives: the step, the state that it starts from, and the schedule's columns. */
import type { ValueId } from "../graph/graph.ts";
import type { StateEntry, StepGraph } from "../graph/lower.ts";
import type { Parameter } from "../import/import.ts";
import type { ParameterUpdate } from "./optimizer/update.ts";
import type { ChosenParameters } from "./parameters.ts";
import type { ScheduleColumns } from "./schedule.ts";

export interface BuiltStep {
  readonly step: StepGraph;
  /** Words of state tensors that do not start from zero. */
  readonly initial: ReadonlyMap<ValueId, Uint32Array>;
  readonly columns: ScheduleColumns;
}

/** A model's part of the state. */
export interface ModelState {
  readonly trained: readonly Pick<Parameter, "value">[];
  /** One for each trained parameter. */
  readonly updates: readonly ParameterUpdate[];
  readonly running: ChosenParameters["running"];
}

/** State in program order: of all models the parameters, then the running statistics, then each one's first and second moments. */
export function orderedState(models: readonly ModelState[]): StateEntry[] {
  return [
    ...models.flatMap(({ trained, updates }) =>
      trained.map(({ value }, index) => ({ value, next: updates[index]!.next })),
    ),
    ...models.flatMap(({ running }) =>
      running.map(({ parameter, update }) => ({
        value: parameter.value,
        next: update.next,
        role: "running" as const,
      })),
    ),
    ...models.flatMap(({ updates }) => {
      const depth = Math.max(0, ...updates.map(({ moments }) => moments.length));
      return Array.from({ length: depth }, (_, part) =>
        updates.flatMap(({ moments }) =>
          moments[part] === undefined ? [] : [{ ...moments[part], role: "moment" as const }],
        ),
      ).flat();
    }),
  ];
}

export function wordsByValue(parameters: readonly Parameter[]): Map<ValueId, Uint32Array> {
  return new Map(parameters.map(({ value, initial }) => [value, initial]));
}
