/** What is wrong is refused with its name, before anything is staked. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { erc20Abi, type Hex, parseEther } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { WrongChainError } from "../../shared/chain/errors.ts";
import { putTaskPackage, type TaskPackage } from "../../shared/data/taskPackage.ts";
import type { Job } from "../../shared/job/job.ts";
import { MapOpcode } from "../../shared/program/descriptor.ts";
import { openChain } from "../../shared/programOptions.ts";
import { work } from "../../solver/service.ts";
import { replay } from "../../verifier/single.ts";
import { smallInitialState, smallJob } from "../dispute/smallJob.ts";
import { Stage, type Terms } from "./stage.ts";

const job = smallJob({ steps: 6, interval: 3 });
const taskPackage: TaskPackage = { name: "small", job, initialState: smallInitialState() };

let stage: Stage;
before(async () => {
  stage = await Stage.build();
});
after(() => stage?.close());

const POSTED = 1;

/** Posts a task, lets something happen to it, and expects a solver to refuse it by this code. */
async function refused(
  code: string,
  { published = taskPackage, terms = {}, tokens = parseEther("1000"), spoil = async () => {} }: Attempt = {},
): Promise<void> {
  const requester = await stage.account();
  const taskId = await stage.post(requester, published, terms);
  await spoil(taskId);
  const context = stage.context(`solver-${taskId}`, await stage.account(tokens));
  await assert.rejects(work(context, { task: taskId, once: true }), { code });
  const { status } = await stage.chain.client.readContract({ ...stage.market, functionName: "task", args: [taskId] });
  assert.equal(status, POSTED, "the task was taken");
  assert.equal(await stage.tokens(context.sender.address), tokens, "something was staked");
}

interface Attempt {
  readonly published?: TaskPackage;
  readonly terms?: Partial<Terms>;
  readonly tokens?: bigint;
  readonly spoil?: (taskId: Hex) => Promise<void>;
}

/** Overwrites the file of the store that holds `part` of the package. */
async function spoilFile(published: TaskPackage, part: string, spoil: (bytes: Buffer) => Buffer): Promise<void> {
  const manifest = await putTaskPackage(stage.store, published);
  const { [part]: id } = JSON.parse(new TextDecoder().decode(await stage.store.get(manifest))) as Record<
    string,
    string
  >;
  const bytes = await stage.store.get(id as never);
  await writeFile(path.join(stage.folder, "store", id!.slice(0, 2), id!), spoil(Buffer.from(bytes)));
}

test("a truncated dataset is refused", async () => {
  // A seed of its own gives the package files of its own.
  const published = { ...taskPackage, job: smallJob({ steps: 6, interval: 3, seed: 21 }) };
  await refused("STORE_CORRUPT", {
    published,
    spoil: () => spoilFile(published, "samples", (bytes) => bytes.subarray(0, bytes.length - 8)),
  });
});

test("a corrupt initial state is refused", async () => {
  const published = { ...taskPackage, initialState: smallInitialState(22) };
  await refused("STORE_CORRUPT", {
    published,
    spoil: () =>
      spoilFile(published, "initialState", (bytes) => {
        bytes[bytes.length - 1]! ^= 1;
        return bytes;
      }),
  });
});

test("a package that is not what the task binds is refused", async () => {
  const other = { ...taskPackage, job: smallJob({ steps: 6, interval: 3, seed: 23 }) };
  const requester = await stage.account();
  // Posted with the commitments of one job and the package of another.
  const taskId = await stage.post(requester, taskPackage, {}, await putTaskPackage(stage.store, other));
  const context = stage.context("deceived", await stage.account());
  await assert.rejects(work(context, { task: taskId, once: true }), { code: "TASK_PACKAGE" });
});

test("a program that engines could disagree on is refused", async () => {
  const operators = job.program.operators.map((named) => {
    if (named.name !== "square" || named.operator.family !== "map") return named;
    const instructions = [[MapOpcode.mul, 0, 0, 0]] as const;
    return { ...named, operator: { ...named.operator, immediates: [], instructions } };
  });
  const unflushed: Job = { ...job, program: { ...job.program, operators } };
  await refused("PROGRAM_MALFORMED", { published: { ...taskPackage, job: unflushed } });
});

test("windows that no machine keeps are refused", async () => {
  const long = { ...taskPackage, job: smallJob({ steps: 20_000, interval: 20_000 }) };
  await refused("TASK_WINDOW", { published: long, terms: { checkpointTime: 1, replayTime: 1 } });
});

test("without tokens or coin nothing is taken", async () => {
  await refused("NO_TOKENS", { tokens: parseEther("399") });
  const key = generatePrivateKey();
  const { address } = privateKeyToAccount(key);
  const donor = await stage.account();
  await stage.sender(donor).send({
    address: stage.deployment.token,
    abi: erc20Abi,
    functionName: "transfer",
    args: [address, parseEther("1000")],
  });
  const taskId = await stage.post(donor, taskPackage);
  const context = stage.context("coinless", { address, key });
  await assert.rejects(work(context, { task: taskId, once: true }), { code: "CHAIN_NO_FUNDS" });
});

test("a task that is not there or not free is refused", async () => {
  const context = stage.context("late", await stage.account());
  const nowhere = `0x${"99".repeat(32)}` as const;
  await assert.rejects(work(context, { task: nowhere, once: true }), { code: "TASK_UNAVAILABLE" });
  await assert.rejects(replay(context, { task: nowhere, segment: 0, fromBlock: 0n }), { code: "SEGMENT_UNKNOWN" });
  const taskId = await stage.post(await stage.account(), taskPackage);
  const first = await stage.account();
  const sender = stage.sender(first);
  await sender.send({
    address: stage.deployment.token,
    abi: erc20Abi,
    functionName: "approve",
    args: [stage.deployment.market, parseEther("400")],
  });
  await sender.send({ ...stage.market, functionName: "accept", args: [taskId] });
  await assert.rejects(work(context, { task: taskId, once: true }), { code: "TASK_UNAVAILABLE" });
  await assert.rejects(replay(context, { task: taskId, segment: 0, fromBlock: 0n }), { code: "SEGMENT_UNKNOWN" });
});

test("a program says in its own process what it was called wrongly with", async () => {
  const account = await stage.account();
  const wrong = [
    ["--rpc", "http://127.0.0.1:9"],
    ["--chain-id", "1"],
    ["--market", stage.deployment.token],
    ["--market", account.address],
  ];
  const processes = wrong.map((extra, at) =>
    stage.start(`wrong-${at}`, at % 2 === 0 ? "solver" : "verifier", account, ["work"], extra),
  );
  const codes = await Promise.all(
    processes.map(async (process) => {
      assert.equal(await process.ended, 1);
      return (process.events.at(-1)!.error as { code: string }).code;
    }),
  );
  assert.deepEqual(codes, ["CHAIN_UNREACHABLE", "CHAIN_WRONG", "DEPLOYMENT", "CHAIN_NO_CONTRACT"]);
  const options = { rpc: stage.chain.url, chainId: 1, market: stage.deployment.market };
  await assert.rejects(openChain(options), WrongChainError);
});
