/** What `list` costs with many trials. */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { execa } from "execa";
import { addAttempt, addSweep } from "../helpers/made-runs.ts";
import { madeSpec } from "../helpers/report-input.ts";
import type { Row } from "./rows.ts";
import { cli } from "./scenes.ts";
import { median } from "./statistics.ts";

const numRounds = 5;

export async function listRow(folder: string): Promise<Row> {
  const [few, many] = [madeRuns(join(folder, "few"), 1000), madeRuns(join(folder, "list"), 10_000)];
  const few_s: number[] = [];
  const many_s: number[] = [];
  for (let round = 0; round < numRounds; round += 1) {
    few_s.push(await listSeconds(few, "1,000"));
    many_s.push(await listSeconds(many, "10,000"));
  }
  const [small, large] = [median(few_s), median(many_s)];
  return {
    what: "`list` of a sweep with 10,000 completed trials: the whole command; baseline: 1,000 trials",
    ours: `${large.toFixed(2)} s`,
    baseline: `${small.toFixed(2)} s`,
    result: `${large.toFixed(2)} s`,
    target: "<= 2 s",
    met: large <= 2,
  };
}

/** A runs folder with a sweep whose trials are all complete. */
function madeRuns(runsDir: string, num: number): string {
  const specs = Array.from({ length: num }, (_, index) =>
    madeSpec(`setting ${index % (num / 10)}`, Math.floor((10 * index) / num)),
  );
  for (const spec of specs) addAttempt(runsDir, spec, { models: [] });
  addSweep(runsDir, "many", specs);
  return runsDir;
}

async function listSeconds(runsDir: string, num: string): Promise<number> {
  const started = performance.now();
  const { stdout } = await execa(process.execPath, [cli, "list", "--runs-dir", runsDir]);
  const duration_s = (performance.now() - started) / 1000;
  if (!stdout.includes(`${num} of ${num} trials completed`))
    throw new Error(`expected ${num} trials, found ${stdout}`);
  return duration_s;
}
