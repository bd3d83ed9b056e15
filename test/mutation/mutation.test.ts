/** The tool on itself: faults whose fate is known. The figures of whole targets are in docs/verification.md. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "./compiler.ts";
import { judgeOf } from "./judge.ts";
import { mutantsOf } from "./mutants.ts";
import { Replayer, type Step } from "./replay.ts";
import { solidityTests } from "./suites.ts";

const FILE = "contracts/libraries/TreeProof.sol";
const mutants = mutantsOf(FILE, readFileSync(path.join(ROOT, FILE), "utf8"));

/** The mutant that makes `after` of `before`. */
function mutant(before: string, after: string) {
  const found = mutants.filter((candidate) => candidate.before === before && candidate.after === after);
  assert.equal(found.length, 1, `${before} has no mutant ${after}`);
  return found[0]!;
}

describe("the mutation tool", () => {
  it("plants faults of every kind, in assembly too, each in one place", () => {
    const kinds = new Set(mutants.map(({ kind }) => kind));
    for (const kind of [
      "< to <=",
      "drop guard",
      "drop statement",
      "drop return",
      "constant off by one",
      "shl to shr",
    ]) {
      assert.ok(kinds.has(kind), kind);
    }
    assert.equal(new Set(mutants.map(({ text }) => text)).size, mutants.length);
    for (const { before, after } of mutants) assert.notEqual(before, after);
  });

  it("tells the faults that tests notice from those that they do not, and from what does not compile", async () => {
    const suites = [solidityTests("contracts/libraries/TreeProof.t.sol", "TreeProofTest")];
    const judge = await judgeOf({ name: "treeProof", files: [FILE], suites }, await Replayer.create());
    const guard = "if (node != root) revert TreeProofMismatch(root, node);";
    const known = [
      ["killed", "let side := shl(5, and(index, 1))", "let side := shr(5, and(index, 1))"],
      ["killed", "mstore(xor(side, 0x20), calldataload(cursor))", "{}"],
      ["killed", "if (count < 2) return 0;", "if (count < 3) return 0;"],
      // The depth of one leaf comes out 0 either way.
      ["survived", "if (count < 2) return 0;", "if (count < 1) return 0;"],
    ] as const;
    for (const [fate, before, after] of known) assert.equal((await judge(mutant(before, after))).fate, fate, after);
    const [unchecked] = mutants.filter(({ before, kind }) => before === guard && kind === "drop guard");
    assert.equal((await judge(unchecked!)).fate, "killed");
    const text = mutants[0]!.text.replace("library", "libary");
    assert.equal((await judge({ file: FILE, text })).fate, "uncompilable");
  });

  it("plays recordings again, on other code where it is created, and finds the first other answer", async () => {
    const replayer = await Replayer.create();
    // Code that returns a word, by a constructor that copies it behind itself.
    const returning = (word: string): string => `600a600c600039600a6000f360${word}60005260206000f3`;
    const account = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
    const answer = (word: string) => ({ result: `0x${word.padStart(64, "0")}` });
    const created = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
    const steps: Step[] = [
      { kind: "connect", chain: 0 },
      {
        kind: "send",
        chain: 0,
        transaction: { from: account, data: `0x${returning("2a")}` },
        timestamp: "0x6b000000",
        answer: { status: "0x1", logs: [] },
      },
      { kind: "snapshot", chain: 0, name: 0 },
      { kind: "mine", chain: 0, blocks: "0x3", timestamp: "0x6b000010" },
      { kind: "revert", chain: 0, name: 0 },
      { kind: "call", chain: 0, transaction: { to: created, data: "0x" }, answer: answer("2a") },
    ];
    assert.equal(await replayer.firstDifference(steps, []), -1);
    const replacement = { from: returning("2a"), to: returning("2b") };
    assert.equal(await replayer.firstDifference(steps, [replacement]), 5);
    assert.deepEqual(await replayer.withoutBlockHashes(steps, [replacement]), steps.slice(0, 5));
  });
});
