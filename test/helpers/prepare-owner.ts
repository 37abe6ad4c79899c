/** A process of its own that prepares pixels; tests kill it. Argument: a file with the options, as JSON. */
import { readFileSync } from "node:fs";
import { preparePixels } from "../../src/dataset/images/prepare-pixels.ts";

await preparePixels(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")));
