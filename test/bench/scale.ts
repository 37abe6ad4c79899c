/** What a trial costs the controller of a sweep on a thousand slots, simulated. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { count, counted } from "../../src/base/format.ts";
import { packageRoot } from "../../src/package-root.ts";
import type { Row } from "./rows.ts";
import type { BeatFigures } from "./scale/beats.ts";
import type { ScaleFigures } from "./scale/simulate-sweep.ts";

const [numTrials, numSlots] = [20_000, 1000];

/** @param folder on the disk whose synced writes are measured; the sweeps themselves lie in memory where the system allows it. */
export async function scaleRows(folder: string): Promise<Row[]> {
  const beats = await measure<BeatFigures>("beats", [join(folder, "beats"), String(numSlots)]);
  const rows: Row[] = [];
  for (const visibility_s of [0, 30]) {
    const runsDir = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : folder, "cliprpn-scale-"));
    try {
      const numbers = [numTrials, numSlots, visibility_s].map(String);
      const figures = await measure<ScaleFigures>("main", [runsDir, ...numbers]);
      rows.push(...sweepRows(figures, beats, visibility_s));
    } finally {
      rmSync(runsDir, { recursive: true });
    }
  }
  return [...rows, beatsRow(beats)];
}

function sweepRows(figures: ScaleFigures, { sync_cpu_ms }: BeatFigures, visibility_s: number): Row[] {
  const { num_trials, num_slots, num_attempts, cpu_ms, sweep_s, growth_bytes } = figures;
  const { num_completed, num_failed, num_found, num_surplus, by_fate } = figures;
  const of = `${count(num_trials)} trials on ${count(num_slots)} slots, files seen ${visibility_s} s later`;
  const each_ms = cpu_ms / num_trials;
  // Its spec once, its claim and its end in the journal for each attempt, its acceptance; the workers' are another machine's.
  const num_syncs = 2 * num_trials + 2 * num_attempts + 2 * num_completed;
  const syncs_ms = (num_syncs * sync_cpu_ms) / num_trials;
  const all_ms = each_ms + syncs_ms;
  const fates = Object.entries(by_fate).map(([fate, num]) => `${fate.replaceAll("_", " ")} ${count(num)}`);
  const mib = `${(growth_bytes / 2 ** 20).toFixed(1)} MiB`;
  return [
    {
      what: `CPU time of controller and store a trial: ${of}, ${(sweep_s / 3600).toFixed(1)} simulated hours`,
      ours: `${all_ms.toFixed(2)} ms (${each_ms.toFixed(2)} ms, and ${syncs_ms.toFixed(2)} ms in the kernel for its ${(num_syncs / num_trials).toFixed(1)} synced writes)`,
      baseline: "",
      result: `${all_ms.toFixed(2)} ms`,
      target: "<= 2 ms",
      met: all_ms <= 2,
    },
    {
      what: `attempts of ${of}: ${fates.join(", ")}`,
      ours: `${counted(num_attempts, "attempt")}; ${count(num_completed)} trials completed, ${count(num_failed)} failed; ${count(num_found)} trials count an attempt whose worker had been given up; ${count(num_surplus)} completed attempts do not count`,
      baseline: "",
      result: "each trial ended once",
      target: "nothing lost, nothing twice",
      met: num_completed + num_failed === num_trials,
    },
    {
      what: `growth of the memory in use from the ${count(num_trials / 5)}th to the ${count((9 * num_trials) / 10)}th attempt, after collecting garbage`,
      ours: mib,
      baseline: "",
      result: mib,
      target: "<= 4 MiB",
      met: growth_bytes <= 4 * 2 ** 20,
    },
  ];
}

function beatsRow({ num_claims, share_of_core }: BeatFigures): Row {
  return {
    what: `heartbeats of ${count(num_claims)} claims, on the disk: share of one core`,
    ours: `${(100 * share_of_core).toFixed(1)} %`,
    baseline: "",
    result: `${(100 * share_of_core).toFixed(1)} %`,
    target: "none",
  };
}

async function measure<Figures>(name: string, args: string[]): Promise<Figures> {
  const script = join(packageRoot, `test/bench/scale/${name}.ts`);
  const { stdout } = await execa(process.execPath, ["--expose-gc", "--import", "tsx", script, ...args], {
    cwd: packageRoot,
  });
  return JSON.parse(stdout);
}
