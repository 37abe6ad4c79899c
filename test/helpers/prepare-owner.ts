/** A process that prepares pixels; tests kill it. Argument: a JSON file with the options. */
import { readFileSync } from "node:fs";
import { preparePixels } from "../../src/dataset/images/prepare-pixels.ts";

await preparePixels(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")));
