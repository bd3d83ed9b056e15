/** A process of its own that trains one network for a few steps and prints the most memory that it held, in MiB. */
import { networks } from "./models/networks.ts";
import { touchstoneContender } from "./touchstone.ts";

const [name, threads] = process.argv.slice(2) as [string, string];
const training = networks.get(name)!();
const contender = await touchstoneContender(training.job, training.initialState, Number(threads));
await contender.train(0, 3);
await contender.close();
process.stdout.write(`${process.resourceUsage().maxRSS / 1024}\n`);
