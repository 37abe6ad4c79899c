/**
 * Runs a made sweep and kills itself with SIGKILL before its n-th change of the runs folder, or in the middle of it:
 * `sweep-and-die.ts WORK ASK N before|half`. A run that ends prints the changes that it made.
 */
import { type DiskChange, watchChanges } from "./disk-changes.ts";
import { type Ask, runMadeSweep, runsIn } from "./made-sweep.ts";

const [work = "", asked = "", killAt = "", mode] = process.argv.slice(2);
const changes: DiskChange[] = [];
watchChanges(runsIn(work), (change) => {
  changes.push(change);
  if (changes.length !== Number(killAt)) return;
  if (mode === "half") change.half?.();
  process.kill(process.pid, "SIGKILL");
});
// Heartbeats of locks would come at other changes in each run.
const { setTimeout: start } = globalThis;
const never = 2 ** 31 - 1;
const quiet = (run: () => void, ms = 0): NodeJS.Timeout => start(run, ms < 1000 ? ms : never);
globalThis.setTimeout = quiet as typeof setTimeout;
const ask: Ask = JSON.parse(asked);
await runMadeSweep(work, ask);
const names = changes.map(({ name, isSync, half }) => ({ name, isSync, hasHalf: half !== undefined }));
process.stdout.write(JSON.stringify(names));
