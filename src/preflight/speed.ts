import { totalmem } from "node:os";
import { diskOf } from "../base/disk-space.ts";
import { counted, formatBytes, formatDuration } from "../base/format.ts";
import { groupBy } from "../base/group-by.ts";
import type {
  ClipRpnSpec,
  PreflightFinding,
  SweepProjection,
  TrialSpec,
} from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { liveEvent } from "../sweep/progress.ts";
import type { ReadPlan } from "../sweep/read-plan.ts";
import { trialStatuses } from "../sweep/resume.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { slotsFor } from "../sweep/run-sweep.ts";
import { failed, notChecked, passed } from "./check.ts";
import { projectSweep, type TimedConfiguration } from "./project.ts";

const numSteps = 200;
/** Of all configurations together; each is timed for at least one epoch of the sample. */
const limitMs = 60_000;

/** Where the check works, and what it needs to know. */
export interface SpeedCheck {
  read: ReadPlan;
  device: string;
  /** An existing folder for temporary files. */
  scratch_dir: string;
  engine: Engine;
  run: RunContext;
}

/** What was found, and the projection if the configurations could be timed. */
export interface SpeedFinding {
  finding: PreflightFinding;
  projection: SweepProjection | null;
}

/** Times some steps of every configuration, and projects the whole sweep. */
export async function checkSpeed({
  read,
  device,
  scratch_dir,
  engine,
  run,
}: SpeedCheck): Promise<SpeedFinding> {
  const { plan } = read;
  const store = new SweepStore(run.runsDir, plan.name);
  const statuses = trialStatuses(store, plan.trials);
  const isCompleted = ({ trial_id }: TrialSpec): boolean => statuses.get(trial_id)?.state === "completed";
  const groups = groupBy(plan.trials.filter(isClipRpn), speedKey);
  if (groups.size === 0)
    return { finding: notChecked("no trial of this experiment trains a model"), projection: null };
  const timed: TimedConfiguration[] = [];
  for (const trials of groups.values()) {
    const [first] = trials;
    if (first === undefined) continue;
    const spec = { ...first, device };
    const limit_ms = limitMs / groups.size;
    const measured = await engine.call(
      "measure_speed",
      { spec, num_steps: numSteps, limit_ms, scratch_dir },
      { signal: run.signal, onEvent: liveEvent(run.terminal, `timing ${first.label}: `) },
    );
    for (const same of groupBy(trials, ({ label }) => label).values())
      timed.push({
        label: same[0]?.label ?? "",
        spec: same[0] ?? first,
        measured,
        num_trials: same.length,
        num_completed: same.filter(isCompleted).length,
      });
  }
  const waiting = plan.trials.filter((trial) => !isCompleted(trial));
  const projection = projectSweep(timed, {
    num_baselines: plan.trials.length - plan.trials.filter(isClipRpn).length,
    num_workers: slotsFor(waiting, device, run),
    keep_models: plan.keep_models,
  });
  return { finding: await judge(projection, timed, run, plan.trials[0]?.cache_dir ?? ""), projection };
}

/** The trials of a configuration, and those that differ by what costs no time, are timed once. */
function speedKey({ settings, num_threads, label }: ClipRpnSpec): string {
  const { training, ...others } = settings;
  const { num_epochs: _, learning_rate: __, ...rest } = training;
  // The label of a custom fusion with other params is another one.
  return JSON.stringify([others, rest, num_threads, others.fusion.kind === "file" ? label : ""]);
}

/** Fails if the sweep needs more disk space or memory than this machine has. */
async function judge(
  projection: SweepProjection,
  timed: readonly TimedConfiguration[],
  run: RunContext,
  cacheDir: string,
): Promise<PreflightFinding> {
  const cache = await diskOf(cacheDir);
  const runs = await diskOf(run.runsDir);
  const isOne = cache.device === runs.device;
  const { features_bytes, models_bytes, process_memory_bytes } = projection;
  const text = describeProjection(projection);
  const figures = figuresOf(projection, timed);
  const disks = isOne
    ? [{ ...cache, needed: features_bytes + models_bytes, folder: cacheDir }]
    : [
        { ...cache, needed: features_bytes, folder: cacheDir },
        { ...runs, needed: models_bytes, folder: run.runsDir },
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
  const { num_trials, num_completed, num_workers, num_baselines, device_memory_bytes } = projection;
  const done = num_completed > 0 ? `, of which ${num_completed} are done` : "";
  const features =
    projection.features_ms > 0 ? `, of which ${formatDuration(projection.features_ms)} for features` : "";
  const memory =
    device_memory_bytes === null
      ? `${formatBytes(projection.process_memory_bytes)} of memory`
      : `${formatBytes(device_memory_bytes)} of device memory and ${formatBytes(projection.process_memory_bytes)} of memory`;
  const others = num_baselines > 0 ? `; not counted: ${counted(num_baselines, "baseline")}` : "";
  return `about ${formatDuration(projection.total_ms)} for ${counted(num_trials, "trial")}${done}, ${counted(num_workers, "worker")}${features}; ${formatBytes(projection.features_bytes + projection.models_bytes)} of disk, ${memory}${others}`;
}

function figuresOf(
  { configurations }: SweepProjection,
  timed: readonly TimedConfiguration[],
): PreflightFinding["figures"] {
  return configurations.map(({ label, step_ms }, index) => ({
    name: `step of ${label} (${counted(timed[index]?.measured.num_steps ?? 0, "step")} timed)`,
    value: step_ms,
    unit: "ms",
    low: null,
    high: null,
  }));
}

function isClipRpn(spec: TrialSpec): spec is ClipRpnSpec {
  return spec.kind === "cliprpn";
}
