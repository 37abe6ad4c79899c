import { groupBy } from "../base/group-by.ts";
import { CliprpnError, isInterruption } from "../contract/errors.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  MeasuredTarget,
  ReportMeasurement,
  SpeedMeasurement,
  Timing,
  TrialSpec,
} from "../contract/generated/types.ts";
import type { Engine } from "../engine/engine.ts";
import { SweepStore } from "../store/sweep-store.ts";
import { slotsFor } from "../sweep/choose-slots.ts";
import { DatasetCounts } from "../sweep/estimate/dataset-counts.ts";
import { diskParts } from "../sweep/estimate/disk-parts.ts";
import { costsOfSweep } from "../sweep/estimate/estimate-sweep.ts";
import { timedOf } from "../sweep/estimate/find-costs.ts";
import {
  type MeasuredOn,
  maxTimed,
  measurementKey,
  mostSeeds,
  reportKey,
} from "../sweep/estimate/measurements.ts";
import { plannedTrials } from "../sweep/estimate/planned-trials.ts";
import { project } from "../sweep/estimate/project.ts";
import { merged } from "../sweep/estimate/timing.ts";
import { datasetOf } from "../sweep/predict-on.ts";
import type { ReadPlan } from "../sweep/read-plan.ts";
import { acceptedNext, sortTrials, trialStatuses } from "../sweep/resume.ts";
import type { RunContext } from "../sweep/run-context.ts";
import { liveEvent } from "../sweep/view/phases.ts";
import { KeptMeasurements } from "./kept-measurements.ts";
import { isMeasuredBaseline, isMeasuredConfiguration, type SweepMeasurements } from "./project.ts";

const numSteps = 200;
/** Of all configurations together; each is timed for at least one epoch of the sample. */
const limitMs = 60_000;

/** Where to measure, and what. */
export interface SpeedCheck {
  read: ReadPlan;
  device: string;
  /** An existing folder for temporary files. */
  scratch_dir: string;
  engine: Engine;
  /** Starts another worker, as a sweep with several does. */
  openAnother: () => Promise<Engine>;
  /** What starting the first one took. */
  start: Timing;
  /** Measure also what an earlier preflight has measured. */
  measureAgain: boolean;
  run: RunContext;
}

/**
 * Times the parts of every configuration, with as many workers at the same time as the sweep has. What an earlier preflight measured
 * on this machine, with the same code, settings and data, is not measured again. All of it is kept for `sweep --dry-run`, which
 * finds the costs of a sweep in the same way.
 */
export async function measureSweep(check: SpeedCheck): Promise<SweepMeasurements> {
  const { read, device, run } = check;
  const { plan, targets } = read;
  const { runsDir } = run;
  const store = new SweepStore(runsDir, plan.name);
  const statuses = trialStatuses(store, plan.trials, acceptedNext);
  const { waiting } = sortTrials(plan.trials, statuses, run);
  const planned = plannedTrials(store, plan.trials, waiting, statuses);
  const slots = await slotsFor(waiting, check.engine, run);
  const cacheDir = plan.trials[0]?.cache_dir ?? "";
  const on = { cacheDir, device, numSlots: slots.length, targets };
  const kept = new KeptMeasurements(check, on);
  const workers = new Workers(check, Math.min(slots.length, maxTimed));
  try {
    await measureConfigurations(check, on, kept, workers);
    const not_projected = await measureBaselines(check, on, kept, waiting);
    await measureReport(check, on, kept);
    const counts = new DatasetCounts();
    const costs = costsOfSweep({ read, planned, statuses, runsDir, slots, counts });
    const to = { cacheDir, runsDir, keep_models: plan.keep_models, targets, counts };
    return {
      ...costs,
      configurations: costs.configurations.map(({ timed }) => timed).filter(isMeasuredConfiguration),
      baselines: costs.baselines.map(({ timed }) => timed).filter(isMeasuredBaseline),
      report: kept.report(),
      start: costs.start ?? check.start,
      num_workers_timed: workers.num,
      keep_models: plan.keep_models,
      num_trials: plan.trials.length,
      num_completed: plan.trials.length - waiting.length,
      not_projected,
      disk_parts: diskParts(costs, project(timedOf(costs)), [], to),
      num_reused: kept.numReused,
      measured_at: kept.oldest,
    };
  } finally {
    await workers.close();
  }
}

/** The worker of the checks and others, which start when something is to measure. */
class Workers {
  readonly num: number;
  readonly #check: SpeedCheck;
  readonly #engines: Engine[];

  constructor(check: SpeedCheck, num: number) {
    this.#check = check;
    this.num = Math.max(1, num);
    this.#engines = [check.engine];
  }

  async all(): Promise<readonly Engine[]> {
    while (this.#engines.length < this.num) this.#engines.push(await this.#check.openAnother());
    return this.#engines;
  }

  async close(): Promise<void> {
    for (const another of this.#engines.slice(1)) await another.close();
  }
}

async function measureConfigurations(
  check: SpeedCheck,
  on: MeasuredOn,
  kept: KeptMeasurements,
  workers: Workers,
): Promise<void> {
  const { read, device, scratch_dir, run } = check;
  const groups = groupBy(read.plan.trials.filter(isClipRpn), (spec) => measurementKey(spec, on));
  for (const [key, [first]] of groups)
    await kept.measure(key, async () => {
      const params = {
        spec: { ...first, device },
        num_steps: numSteps,
        limit_ms: limitMs / groups.size,
        targets: targetsOf(read),
        scratch_dir,
      };
      const onEvent = liveEvent(run.terminal, `timing ${first.label}: `);
      const engines = await workers.all();
      const ended = await Promise.allSettled(
        engines.map((engine, index) =>
          engine.call("measure_speed", params, {
            signal: run.signal,
            ...(index === 0 ? { onEvent } : {}),
          }),
        ),
      );
      return { speed: mergeSpeed(ended.map(resultOf)) };
    });
}

function mergeSpeed(all: readonly SpeedMeasurement[]): SpeedMeasurement {
  const [first] = all;
  if (first === undefined) throw new Error("at least one worker measures");
  const keys = ["step", "selection", "prediction", "image", "sentence", "save"] as const;
  const timings = keys.map((key) => [key, merged(all.map((each) => each[key]))] as const);
  const views = all.flatMap(({ view }) => (view === null ? [] : [view]));
  return {
    ...first,
    ...Object.fromEntries(timings),
    view: views.length === 0 ? null : merged(views),
    num_steps: Math.min(...all.map(({ num_steps }) => num_steps)),
  };
}

/** Baselines are timed with one worker. @returns those that cannot run yet, with the reason. */
async function measureBaselines(
  { read, device, scratch_dir, engine, run }: SpeedCheck,
  on: MeasuredOn,
  kept: KeptMeasurements,
  waiting: readonly TrialSpec[],
): Promise<string[]> {
  const not_projected: string[] = [];
  const labels = new Set((read.targets.length > 0 ? read.plan.trials : waiting).map(({ label }) => label));
  for (const spec of read.plan.trials.filter(isBaseline)) {
    if (!labels.has(spec.label)) continue;
    if (spec.baseline.detector.kind === "rpn") {
      not_projected.push(`${spec.label}: proposals of another model are not timed`);
      continue;
    }
    try {
      await kept.measure(measurementKey(spec, on), async () => ({
        baseline: await engine.call(
          "measure_baseline",
          { spec: { ...spec, device }, scratch_dir, targets: targetsOf(read) },
          { signal: run.signal, onEvent: liveEvent(run.terminal, `timing ${spec.label}: `) },
        ),
      }));
    } catch (error) {
      if (isInterruption(error, run.signal) || !(error instanceof CliprpnError)) throw error;
      const isUntrained = spec.baseline.detector.kind === "trained_yolo" && error.code === "weights_missing";
      not_projected.push(
        `${spec.label}: ${isUntrained ? "its detector is not trained yet; the sweep trains it first" : error.message}`,
      );
    }
  }
  return not_projected;
}

/** The figures of a report, on answers that are made for it. */
async function measureReport(
  { read, scratch_dir, engine, run }: SpeedCheck,
  on: MeasuredOn,
  kept: KeptMeasurements,
): Promise<void> {
  const { trials } = read.plan;
  const limits = trials[0]?.kind === "cliprpn" ? trials[0].settings.limits : trials[0]?.limits;
  const num_seeds = mostSeeds(trials);
  await kept.measure(reportKey(trials, num_seeds, on), async () => {
    run.terminal.live(["timing the figures of a report"]);
    const report: ReportMeasurement = await engine.call(
      "measure_report",
      {
        dataset: datasetOf(read.dataset),
        limit: limits?.val ?? null,
        test_limit: limits?.test ?? null,
        num_seeds,
        targets: targetsOf(read),
        scratch_dir,
      },
      { signal: run.signal },
    );
    return { report };
  });
}

function targetsOf({ targets }: ReadPlan): MeasuredTarget[] {
  return targets.map(({ dataset, split }) => ({ dataset: datasetOf(dataset), split }));
}

/** All calls have ended; the first error counts. */
function resultOf<T>(ended: PromiseSettledResult<T>): T {
  if (ended.status === "rejected") throw ended.reason;
  return ended.value;
}

function isClipRpn(spec: TrialSpec): spec is ClipRpnSpec {
  return spec.kind === "cliprpn";
}

function isBaseline(spec: TrialSpec): spec is BaselineSpec {
  return spec.kind === "baseline";
}
