/** Filling the draw with seats that nobody stakes for any more, so that the draw finds no verifier. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bytes32 } from "../../shared/commitment/bytes32.ts";
import {
  type Arena,
  by,
  connection,
  deployArena,
  mine,
  networkHelpers,
  time,
  type Wallet,
  wallets,
} from "../contracts/support/arena.ts";
import { append, specOf, startTask, TERMS, trainingOf } from "../contracts/support/task.ts";
import { exampleJob, exampleState, regressionProgram } from "../helpers/programs.ts";
import { Random } from "../helpers/random.ts";

const program = regressionProgram();
const job = exampleJob(program, 1, { steps: 1, interval: 1 });
const training = trainingOf(job, exampleState(program, 1));
const ROOT: Bytes32 = `0x${"22".repeat(32)}`;
const DRAWS = 32;
const spec = specOf(training, { draws: DRAWS });

async function arena(): Promise<Arena> {
  return networkHelpers.loadFixture(deployArena);
}

/** The seats that the draws of a committed segment take. */
async function drawnSeats({ market }: Arena, taskId: Bytes32): Promise<bigint[]> {
  await mine(TERMS.beaconDelay + 1);
  await market.write.draw([taskId, 0], by(wallets.stranger));
  const seats: bigint[] = [];
  for (let draw = 0n; draw < DRAWS; draw++) {
    const [seat, holder, counts] = await market.read.drawnSeat([taskId, 0, draw]);
    assert.equal(counts, true);
    assert.equal(holder.toLowerCase(), (await market.read.seatOf([seat])).verifier.toLowerCase());
    seats.push(seat);
  }
  return seats;
}

describe("seats that left", () => {
  it("take no draw from the verifiers that stay", async () => {
    const a = await arena();
    const { market } = a;
    const attacker = wallets.stranger;
    await market.write.joinSeats([64n], by(attacker));
    await market.write.joinSeats([1n], by(wallets.verifier));
    await market.write.joinSeats([8n], by(attacker));
    for (let seat = 0n; seat < 73n; seat++) if (seat !== 64n) await market.write.leaveSeat([seat], by(attacker));
    await time.increase(86_400);
    await market.write.withdrawSeat([0n], by(attacker));
    const taskId = await startTask(a, spec);
    await append(a, taskId, 0, ROOT);
    assert.deepEqual(new Set(await drawnSeats(a, taskId)), new Set([64n]));
  });

  it("leave the list of active seats as a list that forgets them would be, in any order", async () => {
    const a = await arena();
    const { market } = a;
    const random = new Random(7);
    const holders: Wallet[] = [];
    const active: bigint[] = [];
    const join = async (wallet: Wallet, count: number) => {
      for (let i = 0; i < count; i++) active.push(BigInt(holders.push(wallet) - 1));
      await market.write.joinSeats([BigInt(count)], by(wallet));
    };
    await join(wallets.verifier, 3);
    for (let turn = 0; turn < 24; turn++) {
      if (active.length < 2 || random.chance(0.45)) {
        await join(random.chance(0.5) ? wallets.verifier : wallets.stranger, 1 + random.below(3));
        continue;
      }
      const [gone] = active.splice(random.below(active.length), 1);
      await market.write.leaveSeat([gone!], by(holders[Number(gone)]!));
    }
    const taskId = await startTask(a, spec);
    await append(a, taskId, 0, ROOT);
    assert.equal((await market.read.segmentOf([taskId, 0])).seats, active.length);
    // What happens after the checkpoint changes nothing about its draw.
    await market.write.leaveSeat([active[0]!], by(holders[Number(active[0])]!));
    await market.write.joinSeats([5n], by(wallets.stranger));
    const drawn = await drawnSeats(a, taskId);
    for (const seat of drawn) assert.ok(active.includes(seat), `seat ${seat} had left or was not there yet`);
    assert.ok(new Set(drawn).size > 1);
  });
});

describe("seats for one block", () => {
  it("that a solver stakes together with its checkpoint take no draw", async () => {
    const a = await arena();
    const { market } = a;
    await market.write.joinSeats([1n], by(wallets.verifier));
    const taskId = await startTask(a, spec);
    const { provider } = connection;
    await provider.request({ method: "evm_setAutomine", params: [false] });
    await market.write.joinSeats([16n], by(wallets.solver));
    await append(a, taskId, 0, ROOT);
    for (let seat = 1n; seat <= 16n; seat++) await market.write.leaveSeat([seat], by(wallets.solver));
    await provider.request({ method: "evm_setBlockGasLimit", params: ["0x20000000"] });
    await mine(1);
    await provider.request({ method: "evm_setAutomine", params: [true] });
    assert.equal((await market.read.segmentOf([taskId, 0])).seats, 1);
    assert.equal((await market.read.seatOf([16n])).leftAt, (await market.read.segmentOf([taskId, 0])).committedAt);
    assert.deepEqual(new Set(await drawnSeats(a, taskId)), new Set([0n]));
  });
});
