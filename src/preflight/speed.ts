import { totalmem } from "node:os";
import { diskOf } from "../base/disk-space.ts";
import { counted, formatBytes } from "../base/format.ts";
import type { PreflightFinding, SweepProjection, Timing } from "../contract/generated/types.ts";
import { describeTiming } from "../sweep/estimate/describe-time.ts";
import { diskEstimate, type FindDisk, spaceAdvice } from "../sweep/estimate/disk-need.ts";
import { sum } from "../sweep/estimate/timing.ts";
import { failed, passed } from "./check.ts";
import { measureSweep, type SpeedCheck } from "./measure.ts";
import { projectSweep, type SweepMeasurements } from "./project.ts";

/** What was found, and the projection. */
export interface SpeedFinding {
  finding: PreflightFinding;
  projection: SweepProjection;
}

/** Times the parts of every configuration, and projects the whole sweep. */
export async function checkSpeed(check: SpeedCheck, findDisk: FindDisk = diskOf): Promise<SpeedFinding> {
  const measured = await measureSweep(check);
  const projection = projectSweep(measured);
  const finding = await judge(projection, measured, findDisk);
  return { finding, projection };
}

/** Fails if the sweep needs more disk space or memory than this machine has. */
async function judge(
  projection: SweepProjection,
  measured: SweepMeasurements,
  findDisk: FindDisk,
): Promise<PreflightFinding> {
  const { process_memory_bytes } = projection;
  const text = `${describeProjection(projection)}${describeReused(measured)}`;
  const figures = figuresOf(measured);
  const { file_systems } = await diskEstimate(measured.disk_parts, findDisk);
  const full = file_systems.find(({ needed_bytes, free_bytes }) => needed_bytes > free_bytes);
  if (full !== undefined)
    return failed(
      `${full.folder}: expected ${formatBytes(full.needed_bytes)} of free disk space, found ${formatBytes(full.free_bytes)}; ${text}`,
      `free some space, ${spaceAdvice(measured.keep_models === "all")}`,
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
  return `${describeTiming(projection.total)} for ${counted(num_trials, "trial")}${done} and the report, ${counted(num_workers, "worker")}; ${formatBytes(neededBytes(projection))} of disk, ${memory}${others}`;
}

/** What was not measured now. */
function describeReused({ num_reused, measured_at }: SweepMeasurements): string {
  if (measured_at === undefined) return "";
  const what = num_reused === 1 ? "1 measurement is" : `${num_reused} measurements are`;
  return `; ${what} of an earlier preflight (${measured_at.slice(0, 16).replace("T", " ")} UTC), since code, settings, data and machine have not changed; --measure-again repeats ${num_reused === 1 ? "it" : "them"}`;
}

/** Disk space of everything that is written. */
function neededBytes(projection: SweepProjection): number {
  const { features_bytes, baselines_bytes, models_bytes, predictions_bytes } = projection;
  return sum([features_bytes, baselines_bytes, models_bytes, predictions_bytes]);
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
