/** `experiments/fusion.json` before and after one-thread slots; its features are in the cache before anything is timed. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { packageRoot } from "../../src/package-root.ts";
import { SweepStore } from "../../src/store/sweep-store.ts";
import type { Row } from "./rows.ts";
import { cli } from "./scenes.ts";

const numEpochs = 3;
/** As the default was: one worker, two threads. */
const before = ["--set", "num_threads=2", "--workers", "1"];
/** As it is: as many workers with one thread as the machine has cores for. */
const after = ["--set", "num_threads=1"];

interface SweepTimes {
  /** From the start of the first trial to the end of the last one. */
  trials_s: number;
  /** Of the command, with its start and the report. */
  command_s: number;
}

/** Each side twice, in the order before, after, after, before, so that a machine that becomes slower favors neither. */
export async function slotsRows(folder: string, python: string): Promise<Row[]> {
  const env = { CLIPRPN_PYTHON: python };
  const file = join(folder, "fusion.json");
  const experiment = JSON.parse(readFileSync(join(packageRoot, "experiments/fusion.json"), "utf8"));
  const { $schema: _, settings, ...rest } = experiment;
  const training = { ...settings.training, num_epochs: numEpochs };
  writeFileSync(file, JSON.stringify({ ...rest, settings: { ...settings, training }, seeds: [0] }));
  const run = (name: string, args: string[]) => timedSweep(file, join(folder, name), args, env);
  await run("features", ["--set", "training.num_epochs=1", "--set", "limits.train=50"]);
  const sides = [
    await run("before-1", before),
    await run("after-1", after),
    await run("after-2", after),
    await run("before-2", before),
  ] as const;
  const [former, ours] = [
    [sides[0], sides[3]],
    [sides[1], sides[2]],
  ];
  return (["trials_s", "command_s"] as const).map((key) => {
    const seconds = (times: SweepTimes[]): number => times.reduce((sum, each) => sum + each[key], 0) / 2;
    const ratio = seconds(former) / seconds(ours);
    return {
      what: `fusion.json with one seed and ${numEpochs} epochs, ${key === "trials_s" ? "its trials" : "the command with its report"}, on ${availableParallelism()} cores; baseline: two threads, one trial at a time`,
      ours: `${seconds(ours).toFixed(1)} s (${all(ours, key)})`,
      baseline: `${seconds(former).toFixed(1)} s (${all(former, key)})`,
      result: `${ratio.toFixed(2)} times as fast`,
      target: "> 1",
      met: ratio > 1,
    };
  });
}

function all(times: SweepTimes[], key: keyof SweepTimes): string {
  return times.map((each) => each[key].toFixed(1)).join(" and ");
}

async function timedSweep(
  file: string,
  runsDir: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<SweepTimes> {
  const started = performance.now();
  await execa(process.execPath, [cli, "sweep", file, "--runs-dir", runsDir, ...args], { env });
  const command_s = (performance.now() - started) / 1000;
  const entries = new SweepStore(runsDir, "fusion").journal.entries();
  const times = (type: string): number[] =>
    entries.filter((entry) => entry.type === type).map(({ at }) => Date.parse(at));
  const trials_s = (Math.max(...times("trial_finished")) - Math.min(...times("trial_started"))) / 1000;
  return { trials_s, command_s };
}
