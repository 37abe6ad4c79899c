import { totalmem } from "node:os";
import { diskOf } from "../base/disk-space.ts";
import { counted, formatBytes, formatDuration } from "../base/format.ts";
import type { PreflightFinding, SweepProjection, Timing } from "../contract/generated/types.ts";
import { sum } from "../sweep/estimate/timing.ts";
import { failed, passed } from "./check.ts";
import { measureSweep, type SpeedCheck } from "./measure.ts";
import { projectSweep, type SweepMeasurements } from "./project.ts";

/** What was found, and the projection. */
export interface SpeedFinding {
  finding: PreflightFinding;
  projection: SweepProjection;
}

/** Free bytes of the disk of a folder, and which disk it is. */
export type FindDisk = (folder: string) => Promise<{ free_bytes: number; device: number }>;

/** Times the parts of every configuration, and projects the whole sweep. */
export async function checkSpeed(check: SpeedCheck, findDisk: FindDisk = diskOf): Promise<SpeedFinding> {
  const measured = await measureSweep(check);
  const projection = projectSweep(measured);
  const cacheDir = check.read.plan.trials[0]?.cache_dir ?? "";
  const finding = await judge(projection, measured, cacheDir, check.run.runsDir, findDisk);
  return { finding, projection };
}

/** Fails if the sweep needs more disk space or memory than this machine has. */
async function judge(
  projection: SweepProjection,
  measured: SweepMeasurements,
  cacheDir: string,
  runsDir: string,
  findDisk: FindDisk,
): Promise<PreflightFinding> {
  const [cache, runs] = [await findDisk(cacheDir), await findDisk(runsDir)];
  const { features_bytes, baselines_bytes, models_bytes, predictions_bytes, process_memory_bytes } =
    projection;
  const needs = { cache: features_bytes + baselines_bytes, runs: models_bytes + predictions_bytes };
  const text = describeProjection(projection);
  const figures = figuresOf(measured);
  const disks =
    cache.device === runs.device
      ? [{ ...cache, needed: needs.cache + needs.runs, folder: cacheDir }]
      : [
          { ...cache, needed: needs.cache, folder: cacheDir },
          { ...runs, needed: needs.runs, folder: runsDir },
        ];
  const full = disks.find(({ needed, free_bytes }) => needed > free_bytes);
  if (full !== undefined)
    return failed(
      `${full.folder}: expected ${formatBytes(full.needed)} of free disk space, found ${formatBytes(full.free_bytes)}; ${text}`,
      "free some space, set CLIPRPN_CACHE or --runs-dir to another disk, or keep fewer models with --set keep_models=best",
      figures,
    );
  if (process_memory_bytes > totalmem())
    return failed(
      `the sweep needs ${formatBytes(process_memory_bytes)} of memory, and this machine has ${formatBytes(totalmem())}; ${text}`,
      "run fewer trials at the same time with --workers, or lower training.batch_size",
      figures,
    );
  return passed(text, figures);
}

function describeProjection(projection: SweepProjection): string {
  const { num_trials, num_completed, num_workers, device_memory_bytes, not_projected } = projection;
  const done = num_completed > 0 ? `, of which ${num_completed} are done` : "";
  const memory =
    device_memory_bytes === null
      ? `${formatBytes(projection.process_memory_bytes)} of memory`
      : `${formatBytes(device_memory_bytes)} of device memory and ${formatBytes(projection.process_memory_bytes)} of memory`;
  const others = not_projected.length > 0 ? `; not counted: ${not_projected.join("; ")}` : "";
  return `${describeTime(projection.total)} for ${counted(num_trials, "trial")}${done} and the report, ${counted(num_workers, "worker")}; ${formatBytes(neededBytes(projection))} of disk, ${memory}${others}`;
}

/** Disk space of everything that is written. */
function neededBytes(projection: SweepProjection): number {
  const { features_bytes, baselines_bytes, models_bytes, predictions_bytes } = projection;
  return sum([features_bytes, baselines_bytes, models_bytes, predictions_bytes]);
}

/** "about 4 min (3 min to 6 min)". */
function describeTime({ ms, low_ms, high_ms }: Timing): string {
  return `about ${formatDuration(ms)} (${formatDuration(low_ms)} to ${formatDuration(high_ms)})`;
}

function figuresOf({ configurations, baselines }: SweepMeasurements): PreflightFinding["figures"] {
  const rows: [string, Timing, string][] = configurations.flatMap(({ label, measured }) => [
    [`step of ${label} (${counted(measured.num_steps, "step")} timed)`, measured.step, "ms"],
    [`evaluation of ${label}, one expression`, measured.prediction, "ms"],
    [`image features of ${label}, one image (${measured.num_sampled_images} timed)`, measured.image, "ms"],
    [`text features of ${label}, one expression`, measured.sentence, "ms"],
  ]);
  for (const { label, measured } of baselines)
    rows.push([`${label}, one expression (${measured.num_images} images timed)`, measured.sentence, "ms"]);
  return rows.map(([name, { ms }, unit]) => ({ name, value: ms, unit, low: null, high: null }));
}
