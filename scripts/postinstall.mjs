// Runs after `npm ci` / `npm install` under whatever Node the user has (20 or newer).
// 1. Says in one sentence when the platform cannot work.
// 2. Old npm/Node pairs silently drop optional packages that ask for Node >= 22 (Hardhat's EDR):
//    when that happened, completes the installation under the pinned Node of this repository.
// 3. Records how long the installation took, for the demo's report.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
const pinnedNode = path.join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");

function fail(sentence) {
  console.error(`touchstone: ${sentence}`);
  process.exit(1);
}

if (!existsSync(pinnedNode)) {
  fail(
    `unsupported platform ${process.platform}-${process.arch}: this release runs on linux-x64, linux-arm64, darwin-arm64 and darwin-x64, for which a pinned Node 24 is installed.`,
  );
}

function edrLoads() {
  return spawnSync(pinnedNode, ["-e", 'require("@nomicfoundation/edr")'], { cwd: root, stdio: "ignore" }).status === 0;
}

if (!edrLoads() && !process.env.TOUCHSTONE_COMPLETING_INSTALL) {
  const npm = process.env.npm_execpath;
  if (npm === undefined)
    fail("Hardhat's native part is missing; run `npm install` with npm (no other package manager is supported).");
  const result = spawnSync(pinnedNode, [npm, "install", "--no-save", "--ignore-scripts"], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, TOUCHSTONE_COMPLETING_INSTALL: "1" },
  });
  if (result.status !== 0 || !edrLoads()) {
    fail(
      `unsupported platform ${process.platform}-${process.arch}: Hardhat's native part (@nomicfoundation/edr) could not be installed.\n${result.stderr ?? ""}`,
    );
  }
}

/** Age in seconds of the oldest npm process above this one, or null where `ps` cannot tell. */
function secondsSinceNpmStarted() {
  let pid = process.ppid;
  let seconds = null;
  try {
    for (let depth = 0; depth < 8 && pid > 1; depth++) {
      const [parent, elapsed, ...command] = execFileSync("ps", ["-o", "ppid=,etimes=,args=", "-p", String(pid)], {
        encoding: "utf8",
      })
        .trim()
        .split(/\s+/);
      if (/npm/.test(command.join(" "))) seconds = Number(elapsed);
      pid = Number(parent);
    }
  } catch {
    return null;
  }
  return seconds;
}

writeFileSync(
  path.join(root, "node_modules", ".touchstone-install.json"),
  JSON.stringify({ seconds: secondsSinceNpmStarted() }),
);
