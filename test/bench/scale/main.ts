/** Prints the figures of a simulated sweep as JSON. Run with `--expose-gc`. */
import { type ScaleOptions, simulateSweep } from "./simulate-sweep.ts";

const [runsDir = "", ...numbers] = process.argv.slice(2);
const [num_trials = 0, num_slots = 0, visibility_s = 0] = numbers.map(Number);
const options: ScaleOptions = { runsDir, num_trials, num_slots, visibility_s };
process.stdout.write(JSON.stringify(await simulateSweep(options)));
