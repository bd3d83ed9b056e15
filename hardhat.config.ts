import { createRequire } from "node:module";
import hardhatToolboxViem from "@nomicfoundation/hardhat-toolbox-viem";
import { configVariable, defineConfig } from "hardhat/config";

const require = createRequire(import.meta.url);

// The compiler is the npm package: no download, the lockfile pins it.
export default defineConfig({
  plugins: [hardhatToolboxViem],
  solidity: {
    version: "0.8.37",
    path: require.resolve("solc/soljson.js"),
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: "osaka" },
  },
  paths: { sources: "./contracts", tests: { nodejs: "./test", solidity: "./contracts" } },
  networks: {
    default: { type: "edr-simulated", chainType: "l1" },
    // Any JSON-RPC chain, by the variables that the programs take; what deploys from code brings its own.
    remote: {
      type: "http",
      chainType: "l1",
      url: configVariable("TOUCHSTONE_RPC"),
      accounts: [configVariable("TOUCHSTONE_KEY")],
    },
  },
});
