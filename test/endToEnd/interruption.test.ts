/** Programs that are killed go on where they were, and their bits are the same. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Hex } from "viem";
import type { ProgramProcess } from "../../requester/demo/programProcess.ts";
import type { LocalAccount } from "../../requester/localChain/accounts.ts";
import { startOnnxRuntime } from "../../shared/engine/onnxruntime.ts";
import { segmentCount } from "../../shared/job/job.ts";
import { replaySegment } from "../../verifier/replay.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { Stage } from "./stage.ts";

const job = smallJob({ steps: 2000, interval: 500 });
const taskPackage = { name: "long", job, initialState: smallInitialState() };
const segments = segmentCount(job);

let stage: Stage;
let taskId: Hex;
let solverAccount: LocalAccount;
let verifierAccount: LocalAccount;

const startSolver = (): ProgramProcess =>
  stage.start("solver", "solver", solverAccount, ["work", "--task", taskId, "--once"]);
const startVerifier = (): ProgramProcess =>
  stage.start("verifier", "verifier", verifierAccount, ["work", "--seats", "2"]);
const named = (name: string) => (event: { event: string }) => event.event === name;
const ofSegment = (name: string, segment: number) => (event: { event: string; segment?: unknown }) =>
  event.event === name && event.segment === segment;

before(async () => {
  stage = await Stage.build();
  solverAccount = await stage.account();
  verifierAccount = await stage.account();
  taskId = await stage.post(await stage.account(), taskPackage);
});

after(() => stage?.close());

test("killed in training, in a dispute and between seal and reveal, everything ends as if nothing had happened", async () => {
  const { market, chain } = stage;
  let verifier = startVerifier();
  await verifier.waitFor("its seats", named("ready"));

  let solver = startSolver();
  await solver.waitFor("the first checkpoint", ofSegment("checkpoint", 0));
  await solver.stop("SIGKILL");
  const { committed } = await chain.client.readContract({ ...market, functionName: "task", args: [taskId] });
  assert(committed < segments, "it was killed too late to be interrupted");

  solver = startSolver();
  const { losses } = await solver.waitFor("the last step", named("trained"));
  const first = solver.events.find(named("step"));
  assert.equal(first?.step, committed * job.interval, "it did not go on from its checkpoint");
  assert.equal((losses as unknown[]).filter((loss) => typeof loss !== "number").length, 0, "losses were forgotten");

  const accuser = await stage.account();
  const args = ["challenge", "--false-accusation", "--task", taskId, "--segment", "2", "--seed", "11"];
  const accusing = stage.start("accuser", "verifier", accuser, args);
  await solver.waitFor("an opening", (event) => event.event === "move" && event.move === "open");
  await solver.stop("SIGKILL");
  solver = startSolver();
  const { defendantConvicted } = await accusing.waitFor("the verdict", named("resolved"));
  assert.equal(defendantConvicted, false);
  assert.equal(await accusing.ended, 3);

  const engine = await startOnnxRuntime(job.program);
  let state = taskPackage.initialState;
  for (let segment = 0; segment < segments; segment++) {
    const { end, endRoot } = await replaySegment(job, engine, state, segment);
    const stored = await chain.client.readContract({ ...market, functionName: "segmentOf", args: [taskId, segment] });
    assert.equal(stored.stateRoot, endRoot, `segment ${segment}`);
    state = [...end];
  }
  await engine.close();

  for (let segment = 0; segment < segments; segment++) await verifier.waitFor("a seal", ofSegment("sealed", segment));
  await verifier.stop("SIGKILL");
  verifier = startVerifier();
  const windows = await chain.client.readContract({
    ...market,
    functionName: "windowsOf",
    args: [taskId, segments - 1],
  });
  await stage.advancePast(windows[0]);
  for (let segment = 0; segment < segments; segment++) {
    await verifier.waitFor("a digest", ofSegment("revealed", segment));
  }
  const { finalAt } = await chain.client.readContract({ ...market, functionName: "task", args: [taskId] });
  await stage.advancePast(finalAt);
  await solver.waitFor("settlement", named("settled"));
  assert.equal(await solver.ended, 0);
});
