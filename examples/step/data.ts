/** Writes the example's data, the digits that examples/resnet learns, too. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { writeSmallDigits } from "../resnet/data.ts";

if (process.argv[1] === fileURLToPath(import.meta.url)) writeSmallDigits(path.join(import.meta.dirname, "data"));
