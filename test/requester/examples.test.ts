import assert from "node:assert/strict";
import { readFileSync, statSync, utimesSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { listExamples, prepareExample, typicalCheat, UnknownExampleError } from "../../requester/demo/examples.ts";
import { CHEATS } from "../../solver/cheats/catalogue.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

describe("the demo's examples", () => {
  it("have a README that names their command, and a cheat of the catalogue or none of their own", () => {
    for (const name of listExamples()) {
      const readme = readFileSync(path.join(ROOT, "examples", name, "README.md"), "utf8");
      // The first one needs no name.
      if (name !== "solidity-mlp") assert.ok(readme.includes(`npm run demo -- --example ${name}`), name);
      assert.ok(readFileSync(path.join(ROOT, "README.md"), "utf8").includes(`(examples/${name})`), name);
      const cheat = typicalCheat(name);
      assert.ok(cheat === undefined || CHEATS.some((known) => known.name === cheat), `${name}: ${cheat}`);
    }
    assert.throws(() => prepareExample("perpetuum-mobile"), UnknownExampleError);
  });

  it("make their data once, and again when they are older than a script", () => {
    const task = prepareExample("gan");
    const folder = path.join(ROOT, path.dirname(task), "data");
    const changed = (): number => statSync(path.join(folder, "training.npy")).mtimeMs;
    const first = changed();
    assert.equal(prepareExample("gan"), task);
    assert.equal(changed(), first);
    utimesSync(path.join(folder, ".made"), 0, 0);
    prepareExample("gan");
    assert.ok(changed() > first);
  });
});
