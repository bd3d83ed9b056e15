#!/usr/bin/env node
/** Measurements. One file a benchmark; the last line under `--json` is the result. */
import { Command } from "commander";
import { runProgram } from "../shared/cli.ts";
import { addDispute } from "./dispute.ts";
import { addMemory } from "./memory.ts";
import { addTraining } from "./training.ts";

const program = new Command("bench").description(
  "Measures Touchstone beside what it replaces, in one run on this machine.",
);
addTraining(program);
addMemory(program);
addDispute(program);
await runProgram(program);
