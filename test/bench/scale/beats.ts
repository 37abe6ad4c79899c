/** Prints what the heartbeats of many claims cost, and the CPU time of a synced write, as JSON. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { TrialClaims } from "../../../src/sweep/run/trial-claims.ts";
import { madeSpec } from "../../helpers/report-input.ts";

export interface BeatFigures {
  num_claims: number;
  share_of_core: number;
  /** Of one synced line at the end of a file. */
  sync_cpu_ms: number;
}

async function main(runsDir: string, numClaims: number): Promise<void> {
  const specs = Array.from({ length: numClaims }, (_, seed) => madeSpec("film", seed));
  const claims = new TrialClaims(specs, { runsDir, keep_models: "all", command: "npm run bench" });
  for (const spec of specs) await claims.tryClaim(spec);
  const [started, cpu] = [performance.now(), cpuMs()];
  await sleep(watchedMs);
  const share_of_core = (cpuMs() - cpu) / (performance.now() - started);
  await claims.close();
  const figures: BeatFigures = { num_claims: numClaims, share_of_core, sync_cpu_ms: syncCpuMs(runsDir) };
  process.stdout.write(JSON.stringify(figures));
}

/** Two heartbeats of each claim. */
const watchedMs = 20_000;

function syncCpuMs(folder: string): number {
  const fd = openSync(join(folder, "lines"), "a");
  const cpu = cpuMs();
  for (let line = 0; line < numLines; line += 1) {
    writeSync(fd, `${" ".repeat(200)}\n`);
    fdatasyncSync(fd);
  }
  const each_ms = (cpuMs() - cpu) / numLines;
  closeSync(fd);
  return each_ms;
}

const numLines = 1000;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

await main(process.argv[2] ?? "", Number(process.argv[3]));
