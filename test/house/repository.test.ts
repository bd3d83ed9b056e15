import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const trackedFiles = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n");

describe("the lockfile", () => {
  it("holds no registry address", () => {
    const addresses = read("package-lock.json").match(/"resolved"|https?:\/\/[^"]*(registry|\.tgz)[^"]*/g) ?? [];
    assert.deepEqual(addresses, []);
  });

  it("pins every direct dependency that package.json names", () => {
    const manifest = JSON.parse(read("package.json"));
    const locked = JSON.parse(read("package-lock.json")).packages;
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      assert.ok(locked[`node_modules/${name}`]?.integrity, `${name} is not locked with an integrity hash`);
    }
  });
});

describe("the documents", () => {
  const documents = trackedFiles.filter((file) => file.endsWith(".md"));

  it("link only to files that exist", () => {
    for (const document of documents) {
      for (const [, target] of read(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)) {
        const file = path.join(root, path.dirname(document), target!);
        assert.ok(existsSync(file), `${document} links to ${target}, which does not exist`);
      }
    }
  });

  it("name only npm scripts that exist", () => {
    const scripts = Object.keys(JSON.parse(read("package.json")).scripts);
    for (const document of documents) {
      for (const [, script] of read(document).matchAll(/npm run (?:--silent |-s )?([\w:-]+)/g)) {
        assert.ok(scripts.includes(script!), `${document} names \`npm run ${script}\`, which package.json lacks`);
      }
    }
  });
});

describe("the tree", () => {
  it("never imports from a program into the core", () => {
    const core = trackedFiles.filter((file) => file.startsWith("shared/") && file.endsWith(".ts"));
    for (const file of core) {
      for (const [, source] of read(file).matchAll(/from "(\.[^"]+)"/g)) {
        const target = path.relative(root, path.resolve(root, path.dirname(file), source!));
        assert.match(target, /^(shared|artifacts)\//, `${file} imports ${target}`);
      }
    }
  });
});
