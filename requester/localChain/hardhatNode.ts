/**
 * A Hardhat chain as a process of its own. Prints `{"url":…}` on one line when it listens; stops when its standard input closes,
 * so that it never outlives the program that started it.
 */
import { network } from "hardhat";

const BLOCK_INTERVAL_MILLISECONDS = 500;

const server = await network.createServer(
  {
    network: "default",
    // Many transactions a second must not push block time ahead of the wall clock: windows are judged by it.
    override: { allowBlocksWithSameTimestamp: true, mining: { auto: true, interval: BLOCK_INTERVAL_MILLISECONDS } },
  },
  "127.0.0.1",
  0,
);
const { address, port } = await server.listen();
console.log(JSON.stringify({ url: `http://${address}:${port}` }));

process.stdin.resume();
process.stdin.once("close", async () => {
  await server.close();
  process.exit(0);
});
