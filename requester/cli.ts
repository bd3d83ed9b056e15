#!/usr/bin/env node
/** The `touchstone` program: for whoever needs a model trained. */
import { Command } from "commander";
import { runProgram, VERSION } from "../shared/cli.ts";
import { addDemo } from "./commands/demo.ts";

const program = new Command("touchstone")
  .description(
    "Have a model trained on machines you do not trust: a solver trains, verifiers replay, and a dispute ends in one number\n" +
      "that a contract recomputes.",
  )
  .version(VERSION);

addDemo(program);
// These load the compiled contracts' interfaces when they run, which the demo compiles first.
const [
  { addPost },
  { addFollow },
  { addFetch },
  { addConformance },
  { addPlan },
  { addData },
  { addEvaluate },
  { addServeStore },
  { addFaucet },
  { addLint },
] = await Promise.all([
  import("./commands/post.ts"),
  import("./commands/follow.ts"),
  import("./commands/fetch.ts"),
  import("./commands/conformance.ts"),
  import("./commands/plan.ts"),
  import("./commands/data.ts"),
  import("./commands/evaluate.ts"),
  import("./commands/serveStore.ts"),
  import("./commands/faucet.ts"),
  import("./commands/lint.ts"),
]);
addPost(program);
addFollow(program);
addFetch(program);
addConformance(program);
addPlan(program);
addData(program);
addEvaluate(program);
addServeStore(program);
addFaucet(program);
addLint(program);

await runProgram(program);
