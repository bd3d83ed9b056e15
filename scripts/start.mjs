// Starts a program of this repository: `node scripts/start.mjs requester/cli.ts …`. Plain JavaScript without packages, so that whoever comes
// before `npm ci` is told so in a sentence, under whatever Node there is.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const [program, ...args] = process.argv.slice(2);

if (!existsSync(path.join(root, "node_modules", "commander"))) {
  console.error("touchstone: the packages are not installed yet; run `npm ci` in the repository first.");
  process.exit(1);
}
const file = path.join(root, program);
process.argv = [process.argv[0], file, ...args];
await import(pathToFileURL(file).href);
