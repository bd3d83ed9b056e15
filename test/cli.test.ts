import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";

const shared = pathToFileURL(path.resolve(import.meta.dirname, "../shared")).href;
const commander = import.meta.resolve("commander");
const directory = mkdtempSync(path.join(os.tmpdir(), "touchstone-cli-"));
after(() => rmSync(directory, { recursive: true }));

// A program with one command for every way to end.
const program = path.join(directory, "program.ts");
writeFileSync(
  program,
  `import { Command, Option } from "${commander}";
import { createOutput, ExitCode, runProgram } from "${shared}/cli.ts";
import { TouchstoneError } from "${shared}/errors.ts";
import { createProgress } from "${shared}/progress.ts";

class ExampleError extends TouchstoneError {
  readonly code = "EXAMPLE";
}
const program = new Command("example").option("--json");
const output = () => createOutput(program.opts().json === true);
program.command("good").action(() => {
  const progress = createProgress("steps", 10, output().json);
  for (let step = 1; step <= 10; step++) progress.update(step);
  progress.finish();
  output().note("a remark");
  output().event("result", { amount: 12345678901234567890n }, "the amount");
});
program.command("bad").action(async () => {
  throw new ExampleError("It is broken.", { remedy: "Mend it." });
});
program.command("bug").action(() => {
  throw new Error("unforeseen");
});
program.command("fault").action(() => {
  process.exitCode = ExitCode.faultFound;
});
program.command("needs").requiredOption("--thing <thing>").action(() => {});
program.command("asks").addOption(new Option("--place <url>").env("EXAMPLE_PLACE").makeOptionMandatory()).action(() => {});
await runProgram(program);
`,
);

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { status, stdout, stderr, lines: stdout.split("\n").slice(0, -1) };
}

describe("runProgram", () => {
  it("ends well with 0", () => {
    const { status, stdout, stderr } = run("good");
    assert.equal(status, 0);
    assert.equal(stdout, "the amount\n");
    assert.match(stderr, /10\/10[\s\S]*a remark\n$/);
  });

  it("prints JSON lines and nothing else under --json", () => {
    const { status, lines, stderr } = run("--json", "good");
    assert.equal(status, 0);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [{ event: "result", amount: "12345678901234567890" }],
    );
    assert.equal(stderr, "");
  });

  it("tells a failure as one message and ends with 1", () => {
    assert.deepEqual(run("bad"), { status: 1, stdout: "", stderr: "error: It is broken. Mend it.\n", lines: [] });
    const { status, lines, stderr } = run("--json", "bad");
    assert.equal(status, 1);
    assert.deepEqual(JSON.parse(lines.at(-1)!), {
      event: "error",
      error: { code: "EXAMPLE", message: "It is broken. Mend it.", remedy: "Mend it." },
    });
    assert.equal(stderr, "");
  });

  it("tells a bug with its stack", () => {
    const { status, stderr } = run("bug");
    assert.equal(status, 1);
    assert.match(stderr, /unforeseen[\s\S]*program\.ts/);
    assert.equal(JSON.parse(run("--json", "bug").lines.at(-1)!).error.code, "INTERNAL");
  });

  it("ends with 2 when it is called wrongly, and says so under --json too", () => {
    for (const args of [["good", "--nonsense"], ["nonsense"], ["needs"], ["good", "extra"]]) {
      const { status, stdout, stderr } = run(...args);
      assert.equal(status, 2, args.join(" "));
      assert.equal(stdout, "");
      assert.match(stderr, /error: /);
      const json = run("--json", ...args);
      assert.equal(json.status, 2);
      assert.equal(JSON.parse(json.lines.at(-1)!).error.code, "USAGE");
    }
  });

  it("ends with 3 when a command found a fault, and with 0 after --help", () => {
    assert.equal(run("fault").status, 3);
    const { status, stdout } = run("--help");
    assert.equal(status, 0);
    assert.match(stdout, /Usage: example/);
  });

  it("names the variable that may give an option which is missing", () => {
    const { status, stderr } = run("asks");
    assert.equal(status, 2);
    assert.match(stderr, /required option '--place <url>' not specified, nor EXAMPLE_PLACE in the environment\n/);
    const json = run("--json", "asks");
    assert.match(JSON.parse(json.lines.at(-1)!).error.message, /EXAMPLE_PLACE in the environment/);
    assert.match(run("needs").stderr, /'--thing <thing>' not specified\n/);
  });
});
