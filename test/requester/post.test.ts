import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { privateKeyToAccount } from "viem/accounts";
import { ROLES, Stage } from "../../requester/demo/stage.ts";
import { fetchModel, TaskNotSettledError } from "../../requester/fetchModel.ts";
import { localAccount } from "../../requester/localChain/accounts.ts";
import { escrowOf, postTask, TokensMissingError } from "../../requester/post.ts";
import { type PreparedTask, prepareTask } from "../../requester/prepare.ts";
import { readTaskStatus } from "../../requester/taskStatus.ts";
import { Sender } from "../../shared/chain/sender.ts";
import { readTaskRecord, TaskUnknownError } from "../../shared/chain/taskRecord.ts";
import { getTaskPackage } from "../../shared/data/taskPackage.ts";
import { commitTraining } from "../../shared/job/training.ts";
import { TaskFileError } from "../../shared/task/task.ts";

describe("posting a task", () => {
  let folder: string;
  let stage: Stage;
  let prepared: PreparedTask;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "touchstone-"));
    [stage, prepared] = await Promise.all([
      Stage.build("hardhat", folder),
      prepareTask("examples/solidity-mlp/task.json"),
    ]);
  });
  after(async () => {
    await stage.close();
    await rm(folder, { recursive: true });
  });

  it("escrows the price and the fees, and binds exactly what the package holds", async () => {
    const { chain, deployment, store } = stage;
    const before = await stage.balance("requester");
    const { taskId, manifest, escrow } = await postTask(prepared, stage.sender("requester"), deployment, store);
    assert.equal(before - (await stage.balance("requester")), escrow);
    assert.equal(escrow, escrowOf(prepared.task));
    const record = await readTaskRecord(chain, deployment, taskId);
    assert.equal(record.manifest, manifest);
    const published = await getTaskPackage(store, record.manifest, record.training);
    assert.deepEqual(commitTraining(published.job, published.initialState), record.training);
    assert.equal((await readTaskStatus(chain, deployment, taskId)).status, "posted");
    await assert.rejects(
      fetchModel(chain, deployment, store, taskId),
      (error) => error instanceof TaskNotSettledError && /accepted by no solver yet/.test(error.message),
    );
    assert.match(new TaskNotSettledError(taskId, "failed").message, /has failed: its solver was convicted or gave up/);
  });

  for (const [field, value] of [
    ["solverBond", 1n],
    ["challengerBond", 0n],
    ["verifierFee", 10n ** 19n],
    ["draws", 33],
    ["checkpointTime", 0],
    ["sealWindow", 0],
    ["challengeWindow", 241],
    ["clock", 0],
  ] as const) {
    it(`names market.${field} when ${value} makes no sense, and keeps the money`, async () => {
      const { deployment, store } = stage;
      const before = await stage.balance("requester");
      const task = { ...prepared.task, market: { ...prepared.task.market, [field]: value } };
      const sender = stage.sender("requester");
      const { client } = stage.chain;
      const sent = () => client.getTransactionCount({ address: sender.address });
      const nonce = await sent();
      await assert.rejects(
        postTask({ ...prepared, task }, sender, deployment, store),
        (error) =>
          error instanceof TaskFileError &&
          error.path === `$.market.${field}` &&
          /refuses it: .*\d/.test(error.message),
      );
      assert.equal(await sent(), nonce);
      assert.equal(await stage.balance("requester"), before);
    });
  }

  it("says that tokens are missing before it sends anything", async () => {
    const poor = localAccount(ROLES.length);
    const sender = new Sender(stage.chain, privateKeyToAccount(poor.key));
    await assert.rejects(postTask(prepared, sender, stage.deployment, stage.store), (error) => {
      assert.ok(error instanceof TokensMissingError);
      assert.match(error.message, /has 0 [A-Z]+, the task needs \d{1,4} [A-Z]+ in escrow/);
      return true;
    });
    assert.equal(await stage.chain.client.getTransactionCount({ address: poor.address }), 0);
  });

  it("knows no task that was not posted", async () => {
    const taskId = `0x${"12".repeat(32)}` as const;
    await assert.rejects(readTaskRecord(stage.chain, stage.deployment, taskId), TaskUnknownError);
  });
});
