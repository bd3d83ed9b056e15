/** A false checkpoint under a clock in which nobody can trace a disputed step: bait for whoever challenges. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Address, Hex } from "viem";
import { Chores } from "../../shared/service/chores.ts";
import type { LoadedTask } from "../../shared/service/loadTask.ts";
import type { DirectoryStore } from "../../shared/store/directory.ts";
import { Prosecution } from "../../verifier/prosecution.ts";
import { Replayer } from "../../verifier/replayer.ts";
import { loadedSmallTask } from "../dispute/loadedSmallTask.ts";

const LIAR: Address = "0x00000000000000000000000000000000000000b1";

interface Terms {
  readonly clock: number;
  readonly choiceGrace?: number;
  readonly challengeWindow?: number;
  /** Steps of the segment that are traced before the engine falls silent. */
  readonly traced?: number;
}

/** A verifier that has found the checkpoint of segment 0 false and attends to it until nothing is under way. */
async function prosecute({ clock, choiceGrace = 0, challengeWindow = 10_000, traced = 3 }: Terms) {
  const small = loadedSmallTask();
  const order: string[] = [];
  const silence = Promise.withResolvers<never>();
  const { engine } = small;
  const trace: LoadedTask["engine"]["trace"] = async (inputs) => {
    if (order.length >= traced) return silence.promise;
    order.push("traced");
    return engine.trace(inputs);
  };
  const spec = { clock, choiceGrace, challengeWindow, training: {} };
  const task = { ...small, engine: { trace }, spec } as unknown as LoadedTask;
  const problems: string[] = [];
  const context = {
    output: {
      event: (name: string, { code }: { code: string }) => name === "problem" && problems.push(code),
      note() {},
    },
    signal: new AbortController().signal,
    chain: { client: {} },
    sender: { send: async () => order.push("staked") && { hash: "0x", gasUsed: 1n } },
  };
  const chores = new Chores(context as never);
  const desk = {
    taskId: task.taskId,
    context,
    booked: { state: "accepted", spec, checkpoints: [], attestations: new Map() },
    watch: { now: async () => 0, book: { disputes: new Map() } },
    purse: { spend: (_bond: unknown, _what: string, pay: () => Promise<Hex>) => pay() },
    windows: async () => ({ challengeEnd: challengeWindow }),
    isOwn: () => false,
    isSolver: () => true,
    start: (chore: string, work: () => Promise<void>) => chores.start(chore, work),
  };
  const replayer = new Replayer(task, {} as DirectoryStore, () => []);
  const prosecution = new Prosecution(
    desk as never,
    () => {},
    async () => replayer,
  );
  prosecution.accuse(0, LIAR);
  for (let i = 0; i < 2; i++) {
    prosecution.attend();
    await chores.settle();
  }
  return { order, problems };
}

describe("a challenge whose moves cannot be computed within the clock", () => {
  it("is refused before anything is staked", async () => {
    const { order, problems } = await prosecute({ clock: 1e-6 });
    assert.deepEqual(order, ["traced", "traced", "traced"]);
    assert.deepEqual(problems, ["CHALLENGE_TIME"]);
  });

  it("is made with all evidence at hand where the clock suffices", async () => {
    const { order, problems } = await prosecute({ clock: 300 });
    assert.deepEqual(order, ["traced", "traced", "traced", "staked"]);
    assert.deepEqual(problems, []);
  });

  it("is made towards the end of the window when what is left fits the clock", async () => {
    const { order } = await prosecute({ clock: 0, choiceGrace: 36_000, challengeWindow: 1, traced: 2 });
    assert.deepEqual(order, ["traced", "traced", "staked"]);
  });

  it("is refused at the end of the window when nothing could be measured", async () => {
    const { order, problems } = await prosecute({ clock: 1e6, challengeWindow: 0.2, traced: 0 });
    assert.deepEqual(order, []);
    assert.deepEqual(problems, ["CHALLENGE_TIME"]);
  });
});
