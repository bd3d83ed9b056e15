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

  it("name every invariant that the contracts rely on", () => {
    const page = read("docs/invariants.md");
    const comments = trackedFiles
      .filter((file) => file.startsWith("contracts/") && file.endsWith(".sol"))
      .flatMap((file) =>
        [...read(file).matchAll(/\/\/ INVARIANT(?: \(([^)]*)\))?/g)].map(([, names]) => ({ file, names })),
      );
    assert.ok(comments.length > 0);
    for (const { file, names } of comments) {
      assert.ok(names !== undefined, `${file} relies on an invariant without a name`);
      for (const name of names.split(", ")) assert.ok(page.includes(`\`${name}\``), `${file} relies on ${name}`);
    }
  });

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

/** The relative files that a module imports, from the root. */
function importsOf(file: string): string[] {
  const sources = [...read(file).matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, source]) => source!);
  return sources.map((source) => path.relative(root, path.resolve(root, path.dirname(file), source)));
}

const modules = trackedFiles.filter((file) => file.endsWith(".ts"));
const folderOf = (file: string) => file.split("/")[0]!;

describe("the tree", () => {
  /** What the modules of a folder may import besides their own. */
  const ARROWS: Readonly<Record<string, readonly string[]>> = {
    shared: ["artifacts"],
    requester: ["shared", "ignition"],
    solver: ["shared"],
    verifier: ["shared"],
    ignition: [],
    examples: ["shared"],
    scripts: [],
  };

  for (const [folder, allowed] of Object.entries(ARROWS)) {
    it(`lets ${folder} import only ${[folder, ...allowed].join(", ")}`, () => {
      for (const file of modules.filter((module) => folderOf(module) === folder)) {
        for (const target of importsOf(file)) {
          assert.ok([folder, ...allowed].includes(folderOf(target)), `${file} imports ${target}`);
        }
      }
    });
  }

  /** What a folder of shared may import besides itself and shared's own files. */
  const LAYERS: Readonly<Record<string, readonly string[]>> = {
    numerics: [],
    economics: [],
    program: ["numerics"],
    commitment: ["program"],
    operators: ["commitment", "numerics", "program"],
    onnx: ["numerics", "program"],
    graph: ["numerics", "program"],
    layers: ["graph", "numerics", "onnx", "program"],
    import: ["graph", "layers", "numerics", "onnx", "program"],
    task: [],
    job: ["commitment", "numerics", "operators", "program"],
    compile: ["graph", "import", "job", "layers", "numerics", "onnx", "program", "task"],
    engine: ["commitment", "job", "numerics", "onnx", "operators", "program"],
    store: ["commitment"],
    data: ["commitment", "job", "numerics", "onnx", "program", "store", "task"],
    dispute: ["commitment", "engine", "job", "numerics", "operators", "program"],
    chain: ["commitment", "job", "store"],
    service: ["chain", "commitment", "data", "dispute", "engine", "job", "program", "store"],
  };

  it("lets the folders of shared import one way", () => {
    for (const file of modules.filter((module) => /^shared\/.+\//.test(module))) {
      const folder = file.split("/")[1]!;
      for (const target of importsOf(file)) {
        const [root, other, ...rest] = target.split("/");
        if (root !== "shared" || rest.length === 0 || other === folder) continue;
        assert.ok(LAYERS[folder]?.includes(other!), `${file} imports ${target}`);
      }
    }
  });

  it("has an arrow for every folder of code besides tests and measurements", () => {
    const folders = new Set(modules.filter((file) => file.includes("/")).map(folderOf));
    for (const free of ["test", "bench"]) folders.delete(free);
    assert.deepEqual([...folders].sort(), Object.keys(ARROWS).sort());
  });

  it("keeps Node's own modules out of what runs in a browser", () => {
    const NODE_ONLY = [
      /^shared\/(cli|keys|programOptions|progress)\.ts$/,
      /^shared\/data\/files\.ts$/,
      /^shared\/(chain|service)\//,
      /^shared\/engine\/(worker|workerHost|kernelThreads|kernelWorker|referenceThread|referenceWorker)\.ts$/,
      /^shared\/store\/(directory|open|serve)\.ts$/,
    ];
    for (const file of modules.filter((module) => folderOf(module) === "shared")) {
      if (NODE_ONLY.some((pattern) => pattern.test(file))) continue;
      const [found] = read(file).match(/\bfrom "node:[^"]+"/) ?? [];
      assert.equal(found, undefined, `${file} imports a module of Node`);
      for (const target of importsOf(file)) {
        const isNodeOnly = NODE_ONLY.some((pattern) => pattern.test(target));
        // The one door between the two: engines that start a worker.
        if (file === "shared/engine/onnxruntime.ts") continue;
        assert.ok(!isNodeOnly, `${file} imports ${target}, which only runs in Node`);
      }
    }
  });

  it("lets contracts import only contracts and OpenZeppelin's", () => {
    for (const file of trackedFiles.filter((tracked) => tracked.endsWith(".sol"))) {
      for (const [, source] of read(file).matchAll(/^import [^;]*"([^"]+)";/gm)) {
        const target = source!.startsWith(".") ? path.join(path.dirname(file), source!) : source!;
        assert.match(target, /^(contracts|@openzeppelin\/contracts)\//, `${file} imports ${target}`);
        if (!/\.t\.sol$|^contracts\/test\//.test(file)) assert.doesNotMatch(target, /^contracts\/test\//, file);
      }
    }
  });

  it("imports every module of the product somewhere, unless something else starts it", () => {
    const STARTED = [
      /^(requester|solver|verifier)\/cli\.ts$/,
      /^hardhat\.config\.ts$/,
      /^ignition\/modules\//,
      // Started by path, as a process or as a worker.
      /^requester\/localChain\/hardhatNode\.ts$/,
      /^shared\/engine\/(worker|kernelWorker|referenceWorker)\.ts$/,
      /^shared\/service\/loadWorker\.ts$/,
      /^examples\/[^/]+\/data\.ts$/,
      /^scripts\/[^/]+\.ts$/,
    ];
    const imported = new Set(modules.flatMap(importsOf));
    const idle = modules
      .filter((file) => !["test", "bench"].includes(folderOf(file)))
      .filter((file) => !imported.has(file) && !STARTED.some((pattern) => pattern.test(file)));
    assert.deepEqual(idle, []);
  });
});

describe("ARCHITECTURE.md", () => {
  const text = read("ARCHITECTURE.md");
  const exists = (name: string) => existsSync(path.join(root, name));

  it("has a row for every folder", () => {
    const rows = [...text.matchAll(/^\| `([^|]+?)` \|/gm)].flatMap(([, cell]) => cell!.split(/`\s*`/));
    const parents = ["shared", "contracts"];
    const folders = new Set(
      trackedFiles
        .filter((file) => file.includes("/") && !file.startsWith("."))
        .map((file) => {
          const [first, second, third] = file.split("/");
          return parents.includes(first!) && third !== undefined ? `${first}/${second}/` : `${first}/`;
        }),
    );
    for (const parent of parents) folders.delete(`${parent}/`);
    for (const folder of folders) assert.ok(rows.includes(folder), `${folder} has no row`);
  });

  it("names twins and tests that exist", () => {
    const chapter = text.slice(text.indexOf("## One rule"), text.indexOf("## Life of a number"));
    const rows = [...chapter.matchAll(/^\| `.*$/gm)].map(([row]) => row.split(" | ").slice(0, 4));
    assert.ok(rows.length > 10);
    for (const [solidity, typescript, , tests] of rows) {
      for (const [prefix, cell] of [
        ["contracts/", solidity!],
        ["shared/", typescript!],
        ["test/", tests!],
      ] as const) {
        for (const [, name] of cell.matchAll(/`([^`]+)`/g)) assert.ok(exists(prefix + name!), `${prefix}${name}`);
      }
    }
  });

  it("lists every module that calls itself a twin", () => {
    for (const file of modules.filter((module) => folderOf(module) === "shared")) {
      if (/\bTwin of\b/.test(read(file))) assert.ok(text.includes(`\`${file.replace("shared/", "")}\``), file);
    }
  });
});

describe("docs/cli.md", () => {
  const text = read("docs/cli.md");
  const programs = modules.filter((file) => /^(requester|solver|verifier|shared)\//.test(file));

  it("names every option of the three programs", () => {
    for (const file of programs.filter((module) => /cli\.ts$|commands\/|programOptions/.test(module))) {
      for (const [, option] of read(file).matchAll(/(?:option|Option)\(\s*"(?:-\w, )?(--[a-z-]+)/g)) {
        assert.ok(text.includes(`\`${option}`), `${file} has ${option}, which docs/cli.md lacks`);
      }
    }
  });

  it("names every event", () => {
    for (const file of programs) {
      for (const [, event] of read(file).matchAll(/\.event\(\s*"(\w+)"/g)) {
        assert.ok(text.includes(`\`${event}\``), `${file} tells ${event}, which docs/cli.md lacks`);
      }
    }
  });
});
