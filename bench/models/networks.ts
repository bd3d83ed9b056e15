/** The networks that are measured, by name. */
import { cnn } from "./cnn.ts";
import { gpt, wideGpt } from "./gpt.ts";
import { mlp } from "./mlp.ts";
import type { Training } from "./training.ts";

export const networks: ReadonlyMap<string, () => Training> = new Map([
  ["mlp", mlp],
  ["cnn", cnn],
  ["gpt", gpt],
  ["gpt-wide", wideGpt],
]);
