/** What the scheduler of a sweep adds to trials that do nothing: controller, store and journal, alone and with local workers. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { count } from "../../src/base/format.ts";
import { packageRoot } from "../../src/package-root.ts";
import type { Row } from "./rows.ts";
import { endsIn } from "./runners/ends.ts";
import type { StoreFigures } from "./scheduler-store.ts";
import { median } from "./statistics.ts";

/** @param python of cliprpn's environment. */
export async function schedulerRows(folder: string, python: string): Promise<Row[]> {
  return [...(await storeRows(folder)), await localRow(folder, python, 1), await localRow(folder, python, 2)];
}

async function storeRows(folder: string): Promise<Row[]> {
  const script = join(packageRoot, "test/bench/scheduler-store.ts");
  const args = ["--expose-gc", "--import", "tsx", script, join(folder, "store"), "10000"];
  const figures: StoreFigures = JSON.parse(
    (await execa(process.execPath, args, { cwd: packageRoot })).stdout,
  );
  const { num_trials, syncs_per_trial, names_per_trial, trial_ms, bare_ms, last_ms, first_ms } = figures;
  const { trial_cpu_ms, bare_cpu_ms, growth_bytes } = figures;
  const [ratio, drift] = [trial_ms / bare_ms, last_ms / first_ms];
  return [
    {
      what: `files and journal of a trial that does nothing, ${count(num_trials)} trials; baseline: only its ${syncs_per_trial.toFixed(1)} synced writes, with the same sizes, in turns`,
      ours: `${trial_ms.toFixed(2)} ms (CPU ${trial_cpu_ms.toFixed(2)} ms; ${names_per_trial.toFixed(1)} renames and links)`,
      baseline: `${bare_ms.toFixed(2)} ms (CPU ${bare_cpu_ms.toFixed(2)} ms)`,
      result: `${ratio.toFixed(2)} times`,
      target: "<= 2 times",
      met: ratio <= 2,
    },
    {
      what: "the same, median of the last thousand; baseline: the first thousand of another sweep, in turns",
      ours: `${last_ms.toFixed(2)} ms`,
      baseline: `${first_ms.toFixed(2)} ms`,
      result: `${drift.toFixed(2)} times`,
      target: "<= 1.2 times",
      met: drift <= 1.2,
    },
    {
      what: "growth of the memory in use by the process that runs these trials, from the thousandth to the last, after collecting garbage",
      ours: `${(growth_bytes / 2 ** 20).toFixed(1)} MiB`,
      baseline: "",
      result: `${(growth_bytes / 2 ** 20).toFixed(1)} MiB`,
      target: "<= 2 MiB",
      met: growth_bytes <= 2 * 2 ** 20,
    },
  ];
}

const numLocal = 500;
const partSize = 100;

/** Real workers: a Node process and its Python each, without torch. */
async function localRow(parent: string, python: string, numWorkers: number): Promise<Row> {
  const folder = join(parent, `local-${numWorkers}`);
  mkdirSync(folder);
  const script = join(packageRoot, "test/bench/runners/cliprpn.ts");
  const args = [String(numLocal), String(numWorkers), "none", folder, python];
  await execa(process.execPath, ["--import", "tsx", script, ...args], { cwd: packageRoot });
  const ends = endsIn(folder);
  if (ends.length !== numLocal) throw new Error(`expected ${numLocal} trials, found ${ends.length}`);
  const gaps_ms = ends.slice(1).map((end, index) => 1000 * (end - (ends[index] ?? end)));
  // The first trials pay for imports.
  const [first, last] = [gaps_ms.slice(partSize, 2 * partSize), gaps_ms.slice(-partSize)].map(median);
  const shown = (ms: number | undefined): string => `${(ms ?? Number.NaN).toFixed(2)} ms`;
  return {
    what: `a trial that does nothing, through ${numWorkers === 1 ? "one local worker" : `${numWorkers} local workers`}, ${numLocal} trials: median time between two ends, of the last ${partSize}; baseline: the second ${partSize}`,
    ours: shown(last),
    baseline: shown(first),
    result: `${((last ?? 0) / (first ?? 0)).toFixed(2)} times`,
    target: "none",
  };
}
