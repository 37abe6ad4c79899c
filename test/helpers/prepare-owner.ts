/** A process of its own that prepares pixels; tests kill it. Argument: the options, as JSON. */
import { preparePixels } from "../../src/dataset/pictures/prepare-pixels.ts";

await preparePixels(JSON.parse(process.argv[2] ?? "{}"));
