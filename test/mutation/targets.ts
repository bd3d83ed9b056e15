/** What is mutated, and the quick tests that shall notice. */
import { globSync } from "node:fs";
import { ROOT } from "./compiler.ts";
import { float32Cases, recorded, type Suite, solidityTests } from "./suites.ts";

export interface Target {
  readonly name: string;
  readonly files: readonly string[];
  readonly suites: readonly Suite[];
}

const REFEREE = { file: "contracts/Referee.sol", name: "Referee" };
const COMMITMENT = { file: "contracts/test/CommitmentHarness.sol", name: "CommitmentHarness" };
const GAME = { file: "contracts/DisputeGame.sol", name: "DisputeGame" };

const solidity = (pattern: string): string[] => globSync(pattern, { cwd: ROOT }).sort();

export const TARGETS: readonly Target[] = [
  {
    name: "float32",
    files: ["contracts/libraries/Float32.sol", "contracts/libraries/Rounding.sol"],
    suites: [float32Cases(), solidityTests("contracts/libraries/Float32.t.sol", "Float32Test")],
  },
  {
    name: "treeProof",
    files: ["contracts/libraries/TreeProof.sol"],
    suites: [
      recorded("test/commitment/differential.test.ts", COMMITMENT, "calls"),
      solidityTests("contracts/libraries/TreeProof.t.sol", "TreeProofTest"),
    ],
  },
  {
    name: "rules",
    files: ["contracts/Referee.sol", ...solidity("contracts/rules/*.sol")],
    suites: [
      recorded("test/rules/refusals.test.ts", REFEREE, "calls"),
      recorded("test/rules/element.test.ts", REFEREE, "calls"),
    ],
  },
  {
    name: "disputeGame",
    files: ["contracts/DisputeGame.sol", ...solidity("contracts/game/*.sol")],
    suites: [
      recorded("test/contracts/game.test.ts", GAME),
      recorded("test/contracts/guards.test.ts", GAME),
      recorded("test/model/traces.test.ts", GAME),
      recorded("test/contracts/walk.test.ts", GAME),
    ],
  },
];
