/**
 * `npm run test:mutation`: plants small faults in the contracts, one at a time, and counts those that quick tests notice. Every verdict
 * is written down at once under cache/mutation, for as long as the sources and tests are what they were: an interrupted run goes on.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../helpers/random.ts";
import { ROOT, sourcesOf } from "./compiler.ts";
import { type Fate, type Judge, judgeOf } from "./judge.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { Replayer } from "./replay.ts";
import { CACHE } from "./suites.ts";
import { TARGETS, type Target } from "./targets.ts";

const JOURNAL = path.join(CACHE, "journal.jsonl");
/** Least share of a target's mutants that must be noticed. */
const GOAL = 0.9;

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true },
    sample: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const sample = Number(values.sample);
const seed = Number(values.seed);
if (!Number.isInteger(sample) || sample < 1)
  throw new Error(`--sample must be a positive integer, not ${values.sample}`);
if (!Number.isInteger(seed)) throw new Error(`--seed must be an integer, not ${values.seed}`);
for (const name of values.target ?? []) {
  if (!TARGETS.some((target) => target.name === name)) {
    throw new Error(`--target must be one of ${TARGETS.map((target) => target.name).join(", ")}, not ${name}`);
  }
}

interface Entry {
  readonly key: string;
  readonly fate: Fate;
  readonly ms: number;
}

/** Reads a list of survivors that were looked at, with what keeps each from being noticed. */
interface Explained {
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly why: string;
}

const explained: readonly Explained[] = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "survivors.json"), "utf8"),
);

const digest = (...parts: readonly string[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 24);
};

/** What the verdicts on a target's mutants depend on. */
function contextOf(target: Target): string {
  const sources = sourcesOf(target.suites.map(({ contract }) => contract.file));
  const tests = target.suites.flatMap(({ files }) => files);
  const tool = ["judge", "mutants", "replay", "suites", "targets"].map((name) => `test/mutation/${name}.ts`);
  return digest(
    JSON.stringify(sources),
    ...[...tests, ...tool].map((file) => readFileSync(path.join(ROOT, file), "utf8")),
  );
}

function readJournal(): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  if (!existsSync(JOURNAL)) return entries;
  for (const line of readFileSync(JOURNAL, "utf8").split("\n")) {
    if (!line.endsWith("}")) continue;
    const entry: Entry = JSON.parse(line);
    entries.set(entry.key, entry);
  }
  return entries;
}

interface Report {
  readonly target: string;
  readonly mutants: number;
  readonly killed: number;
  readonly rate: number;
  readonly seconds: number;
  readonly survivors: readonly {
    readonly place: string;
    readonly before: string;
    readonly after: string;
    readonly why: string | null;
  }[];
}

async function examine(target: Target, journal: Map<string, Entry>): Promise<Report> {
  const all = target.files.flatMap((file) => mutantsOf(file, readFileSync(path.join(ROOT, file), "utf8")));
  const order = shuffle(all, new Random(seed));
  const context = contextOf(target);
  let judge: Judge | undefined;
  const decided: { mutant: Mutant; entry: Entry }[] = [];
  for (const mutant of order) {
    if (decided.length === sample) break;
    const key = digest(context, mutant.file, mutant.text);
    let entry = journal.get(key);
    if (entry === undefined) {
      judge ??= await judgeOf(target, await Replayer.create());
      const start = performance.now();
      const fate = await judge(mutant);
      entry = { key, fate, ms: Math.round(performance.now() - start) };
      mkdirSync(CACHE, { recursive: true });
      appendFileSync(JOURNAL, `${JSON.stringify(entry)}\n`);
    }
    if (entry.fate.fate === "uncompilable") continue;
    decided.push({ mutant, entry });
    progress(`${target.name}: ${decided.length} of ${sample}, ${survivorsOf(decided).length} survive`);
  }
  progress("");
  const survivors = survivorsOf(decided).map(({ mutant: { file, line, before, after } }) => {
    const known = explained.find((item) => item.file === file && item.before === before && item.after === after);
    return { place: `${file}:${line}`, before, after, why: known?.why ?? null };
  });
  const killed = decided.length - survivors.length;
  const seconds = decided.reduce((sum, { entry }) => sum + entry.ms, 0) / 1000;
  return { target: target.name, mutants: decided.length, killed, rate: killed / decided.length, seconds, survivors };
}

function survivorsOf(decided: readonly { mutant: Mutant; entry: Entry }[]) {
  return decided.filter(({ entry }) => entry.fate.fate === "survived");
}

function shuffle<T>(items: readonly T[], random: Random): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}

function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

const reports: Report[] = [];
const journal = readJournal();
for (const target of TARGETS) {
  if (values.target !== undefined && !values.target.includes(target.name)) continue;
  const report = await examine(target, journal);
  reports.push(report);
  if (values.json) continue;
  const percent = (100 * report.rate).toFixed(1);
  const each = (report.seconds / report.mutants).toFixed(1);
  console.log(`${report.target}: ${report.killed} of ${report.mutants} killed (${percent} %), ${each} s each`);
  for (const { place, before, after, why } of report.survivors) {
    console.log(`  ${place}\n    ${before}\n    ${after}\n    ${why ?? "not explained"}`);
  }
}
if (values.json) console.log(JSON.stringify({ seed, targets: reports }));
// The simulated chain keeps the process alive.
process.exit(reports.every(({ rate }) => rate >= GOAL) ? 0 : 1);
