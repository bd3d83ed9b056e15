/**
 * `npm run test:deep`: the full form of every check, by part, two at a time. What passed is written down under `cache/`, so that an
 * interrupted run goes on where it stopped for as long as the sources stay what they were; `--fresh` begins again. Words after `--`
 * choose the parts whose name holds one of them. `--json` prints the report as one object.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.resolve(import.meta.dirname, "..");
const JOURNAL = path.join(root, "cache", "deep-run.jsonl");
const COUNTS = ["tests", "pass", "fail", "skipped"] as const;
/** No part is waited for longer; a run that hangs shall say where. */
const PART_LIMIT_MS = 40 * 60_000;

/** Files that take long, in slices by the names of their tests; what no pattern matches is a slice too. */
const SLICES: Readonly<Record<string, readonly string[]>> = {
  "test/rules/numerics.test.ts": [
    "agree on (add|sub|mul)$",
    "agree on (div|sqrt|less|equal|fromInt)$",
    "agree on (roundToFloat32|quantise)$",
  ],
  "test/engine/longRuns.test.ts": ["small (MLP|LeNet|ResNet|LoRA|GAN) ", "small (GPT|Llama) "],
};

/** Folders of what the examples' own scripts draw. */
const EXAMPLE_DATA = /^examples.[^/\\]+.data$/;

interface Part {
  readonly name: string;
  readonly command: readonly string[];
}

/** The outcome of a part on one state of the sources. */
interface Outcome {
  readonly sources: string;
  readonly part: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** What node's runner counted; null for parts that are not files of tests. */
  readonly counts: Readonly<Record<(typeof COUNTS)[number], number>> | null;
}

function slicesOf(file: string): Part[] {
  const part = (name: string, ...choice: string[]): Part => ({
    name,
    command: [process.execPath, "--test", "--test-reporter=tap", `--test-timeout=${PART_LIMIT_MS}`, ...choice, file],
  });
  const patterns = SLICES[file];
  if (patterns === undefined) return [part(file)];
  return [
    ...patterns.map((pattern) => part(`${file} ${pattern}`, `--test-name-pattern=${pattern}`)),
    part(`${file}, the rest`, `--test-skip-pattern=${patterns.join("|")}`),
  ];
}

/** The parts that must come first, as others need what they make, and one for each file of tests. */
function listParts(): { first: Part[]; rest: Part[] } {
  const npm = (script: string): Part => ({ name: script, command: ["npm", "run", "--silent", script] });
  const files = globSync("test/**/*.test.ts", { cwd: root }).sort();
  return {
    first: [npm("lint"), npm("typecheck")],
    rest: [
      { name: "contracts", command: ["npx", "hardhat", "test", "solidity", "--no-compile"] },
      ...files.flatMap(slicesOf),
    ],
  };
}

/** SHA-256 of everything that a test can depend on, so that no outcome outlives a change. */
function hashSources(): string {
  const patterns = [
    "{bench,contracts,examples,ignition,requester,scripts,shared,solver,test,verifier}/**/*",
    "{.,docs}/*.{md,ts,json}",
    ".*.json",
  ];
  const files = globSync(patterns, { cwd: root, withFileTypes: true })
    .filter((entry) => entry.isFile() && !EXAMPLE_DATA.test(path.relative(root, entry.parentPath)))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash("sha256");
  for (const file of files) {
    hash.update(`${path.relative(root, file)}\0`).update(createHash("sha256").update(readFileSync(file)).digest());
  }
  return hash.digest("hex");
}

/** What was written down, without the line that an interruption may have torn. */
function readJournal(): Outcome[] {
  if (!existsSync(JOURNAL)) return [];
  return readFileSync(JOURNAL, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as Outcome];
      } catch {
        return [];
      }
    });
}

const running = new Set<ChildProcess>();

function runPart(part: Part, sources: string): Promise<Outcome & { output: string }> {
  const started = performance.now();
  const [program, ...argv] = part.command;
  const child = spawn(program!, argv, {
    cwd: root,
    // Without the mark by which a runner of tests knows its children, as this may run under one.
    env: { ...process.env, TOUCHSTONE_DEEP: "1", NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PART_LIMIT_MS,
  });
  running.add(child);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      running.delete(child);
      const output = Buffer.concat(chunks).toString("utf8");
      const count = (name: string) => output.match(new RegExp(`^# ${name} (\\d+)$`, "m"))?.[1];
      const counted = count("tests") !== undefined;
      resolve({
        sources,
        part: part.name,
        passed: code === 0,
        seconds: Math.round((performance.now() - started) / 100) / 10,
        counts: counted
          ? {
              tests: Number(count("tests")),
              pass: Number(count("pass")),
              fail: Number(count("fail")),
              skipped: Number(count("skipped")),
            }
          : null,
        output,
      });
    });
  });
}

/** What a reader of a failure needs: the failed tests of a TAP stream with what follows them, or the end of anything else. */
function excerpt(output: string): string {
  const lines = output.split("\n");
  const at = lines.findIndex((line) => /^\s*not ok /.test(line));
  return (at < 0 ? lines.slice(-60) : lines.slice(at, at + 60)).join("\n");
}

const { values, positionals } = parseArgs({
  options: { fresh: { type: "boolean" }, json: { type: "boolean" } },
  allowPositionals: true,
});
const say = (line: string) => (values.json ? process.stderr : process.stdout).write(`${line}\n`);

if (values.fresh) rmSync(JOURNAL, { force: true });
mkdirSync(path.dirname(JOURNAL), { recursive: true });
const sources = hashSources();
const journal = readJournal();
const outcomes = new Map(
  journal.filter((outcome) => outcome.passed && outcome.sources === sources).map((outcome) => [outcome.part, outcome]),
);
/** The last known length of a part on whatever sources: the longest start first, so that none is left alone at the end. */
const lengths = new Map(journal.map((outcome) => [outcome.part, outcome.seconds]));

const { first, rest } = listParts();
const chosen = (part: Part) => positionals.length === 0 || positionals.some((word) => part.name.includes(word));
const parts = [...first, ...rest].filter(chosen);
if (parts.length === 0) {
  say(`no part's name holds ${positionals.join(" or ")}: parts are lint, typecheck, contracts and the files of test/`);
  process.exit(2);
}
const open = parts.filter((part) => !outcomes.has(part.name));
say(`${parts.length} parts, ${parts.length - open.length} of them passed before on these sources`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill("SIGTERM");
    say("interrupted: the same command goes on with what is left");
    process.exit(130);
  });
}

const began = performance.now();
let done = parts.length - open.length;
async function settle(part: Part): Promise<void> {
  const { output, ...outcome } = await runPart(part, sources);
  outcomes.set(part.name, outcome);
  // The line break before it keeps it apart from a torn line.
  appendFileSync(JOURNAL, `\n${JSON.stringify(outcome)}\n`);
  done++;
  say(
    `${outcome.passed ? "passed" : "FAILED"} ${String(done).padStart(4)}/${parts.length} ${outcome.seconds.toFixed(1).padStart(8)} s  ${part.name}`,
  );
  if (!outcome.passed) say(excerpt(output));
}

for (const part of open.filter((part) => first.includes(part))) await settle(part);
const queue = open
  .filter((part) => !first.includes(part))
  .sort((a, b) => (lengths.get(b.name) ?? Infinity) - (lengths.get(a.name) ?? Infinity) || 0);
const workers = Math.max(1, Math.min(2, os.availableParallelism()));
await Promise.all(
  Array.from({ length: workers }, async () => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) await settle(part);
  }),
);

const all = parts.map((part) => outcomes.get(part.name)!);
const failed = all.filter((outcome) => !outcome.passed).map((outcome) => outcome.part);
const total = Object.fromEntries(
  COUNTS.map((name) => [name, all.reduce((sum, outcome) => sum + (outcome.counts?.[name] ?? 0), 0)]),
);
const minutes = (seconds: number) => Math.round(seconds / 6) / 10;
const report = {
  parts: all.length,
  failed,
  ...total,
  minutes: minutes((performance.now() - began) / 1000),
  coreMinutes: minutes(all.reduce((sum, outcome) => sum + outcome.seconds, 0)),
  longest: [...all]
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, 10)
    .map(({ part, seconds }) => ({ part, seconds })),
};
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  say(
    `\n${report.parts} parts; ${COUNTS.map((name) => `${name} ${total[name]}`).join(", ")}; this run ${report.minutes} min, all parts together ${report.coreMinutes} min`,
  );
  for (const { part, seconds } of report.longest) say(`${seconds.toFixed(1).padStart(8)} s  ${part}`);
  if (failed.length > 0) say(`failed:\n${failed.map((part) => `  ${part}`).join("\n")}`);
}
process.exitCode = failed.length > 0 ? 1 : 0;
