import { groupBy } from "../base/group-by.ts";
import { CliprpnError, isInterruption } from "../contract/errors.ts";
import type {
  BaselineMeasurement,
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
import { hasPredictions, TrialStore } from "../store/trial-store.ts";
import { slotsFor } from "../sweep/choose-slots.ts";
import type { LeftTrials } from "../sweep/estimate/costs.ts";
import { merged } from "../sweep/estimate/timing.ts";
import { answersDir, datasetOf } from "../sweep/predict-on.ts";
import { liveEvent } from "../sweep/progress.ts";
import type { ReadPlan } from "../sweep/read-plan.ts";
import { type TrialStatus, trialStatuses } from "../sweep/resume.ts";
import type { RunContext } from "../sweep/run-context.ts";
import type { MeasuredBaseline, MeasuredConfiguration, SweepMeasurements } from "./project.ts";

const numSteps = 200;
/** Of all configurations together; each is timed for at least one epoch of the sample. */
const limitMs = 60_000;
/** Workers that are timed at the same time, at most: enough to see how much they slow each other down. */
const maxTimed = 4;

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
  run: RunContext;
}

/** Times the parts of every configuration, with as many workers at the same time as the sweep has. */
export async function measureSweep(check: SpeedCheck): Promise<SweepMeasurements> {
  const { read, engine, openAnother, run } = check;
  const { plan } = read;
  const statuses = trialStatuses(new SweepStore(run.runsDir, plan.name), plan.trials);
  const isCompleted = ({ trial_id }: TrialSpec): boolean => statuses.get(trial_id)?.state === "completed";
  const waiting = plan.trials.filter((trial) => !isCompleted(trial));
  const num_workers = (await slotsFor(waiting, engine, run)).length;
  const engines = [engine];
  try {
    for (let number = 1; number < Math.min(num_workers, maxTimed); number += 1)
      engines.push(await openAnother());
    const configurations = await measureConfigurations(check, statuses, engines);
    const { baselines, not_projected } = await measureBaselines(check, statuses);
    return {
      configurations,
      baselines,
      report: await measureReport(check),
      start: check.start,
      num_workers,
      num_workers_timed: engines.length,
      keep_models: plan.keep_models,
      num_trials: plan.trials.length,
      num_completed: plan.trials.length - waiting.length,
      num_configurations: groupBy(plan.trials, ({ label }) => label).size,
      not_projected,
    };
  } finally {
    for (const another of engines.slice(1)) await another.close();
  }
}

async function measureConfigurations(
  check: SpeedCheck,
  statuses: Map<string, TrialStatus>,
  engines: readonly Engine[],
): Promise<MeasuredConfiguration[]> {
  const { read, device, scratch_dir, run } = check;
  const groups = groupBy(read.plan.trials.filter(isClipRpn), speedKey);
  const timed: MeasuredConfiguration[] = [];
  for (const trials of groups.values()) {
    const [first] = trials;
    const params = {
      spec: { ...first, device },
      num_steps: numSteps,
      limit_ms: limitMs / groups.size,
      targets: targetsOf(read),
      scratch_dir,
    };
    const onEvent = liveEvent(run.terminal, `timing ${first.label}: `);
    const ended = await Promise.allSettled(
      engines.map((engine, index) =>
        engine.call("measure_speed", params, {
          signal: run.signal,
          ...(index === 0 ? { onEvent } : {}),
        }),
      ),
    );
    const measured = mergeSpeed(ended.map(resultOf));
    for (const same of groupBy(trials, ({ label }) => label).values())
      timed.push({ spec: same[0], measured, ...leftOf(same, read, statuses, run) });
  }
  return timed;
}

/** The trials of a configuration, and those that differ by what costs no time, are timed once. */
function speedKey({ settings, num_threads, label }: ClipRpnSpec): string {
  const { training, ...others } = settings;
  const { num_epochs: _, learning_rate: __, ...rest } = training;
  // The label of a custom fusion with other params is another one.
  return JSON.stringify([others, rest, num_threads, others.fusion.kind === "file" ? label : ""]);
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

/** Baselines are timed with one worker. Those that cannot run yet are named. */
async function measureBaselines(
  check: SpeedCheck,
  statuses: Map<string, TrialStatus>,
): Promise<{ baselines: MeasuredBaseline[]; not_projected: string[] }> {
  const { read, device, scratch_dir, engine, run } = check;
  const baselines: MeasuredBaseline[] = [];
  const not_projected: string[] = [];
  for (const trials of groupBy(read.plan.trials.filter(isBaseline), ({ label }) => label).values()) {
    const [first] = trials;
    const rest = leftOf(trials, read, statuses, run);
    if (rest.num_completed === rest.num_trials && rest.num_to_evaluate === 0) continue;
    if (first.baseline.detector.kind === "rpn") {
      not_projected.push(`${first.label}: proposals of another model are not timed`);
      continue;
    }
    try {
      const measured: BaselineMeasurement = await engine.call(
        "measure_baseline",
        { spec: { ...first, device }, scratch_dir, targets: targetsOf(read) },
        { signal: run.signal, onEvent: liveEvent(run.terminal, `timing ${first.label}: `) },
      );
      baselines.push({ measured, ...rest });
    } catch (error) {
      if (isInterruption(error, run.signal) || !(error instanceof CliprpnError)) throw error;
      const isUntrained = first.baseline.detector.kind === "trained_yolo" && error.code === "weights_missing";
      not_projected.push(
        `${first.label}: ${isUntrained ? "its detector is not trained yet; the sweep trains it first" : error.message}`,
      );
    }
  }
  return { baselines, not_projected };
}

/** The figures of a report, on answers that are made for it. */
function measureReport({ read, scratch_dir, engine, run }: SpeedCheck): Promise<ReportMeasurement> {
  const { trials } = read.plan;
  const limits = trials[0]?.kind === "cliprpn" ? trials[0].settings.limits : trials[0]?.limits;
  const sizes = [...groupBy(trials, ({ label }) => label).values()].map(({ length }) => length);
  run.terminal.live(["timing the figures of a report"]);
  return engine.call(
    "measure_report",
    {
      dataset: datasetOf(read.dataset),
      limit: limits?.val ?? null,
      test_limit: limits?.test ?? null,
      num_seeds: Math.max(1, ...sizes),
      targets: targetsOf(read),
      scratch_dir,
    },
    { signal: run.signal },
  );
}

function leftOf(
  trials: readonly TrialSpec[],
  { targets }: ReadPlan,
  statuses: Map<string, TrialStatus>,
  { runsDir }: RunContext,
): LeftTrials {
  const states = trials.map((spec) => ({ spec, status: statuses.get(spec.trial_id) }));
  const isAnswered = ({ spec, status }: (typeof states)[number]): boolean =>
    status?.state === "completed" &&
    targets.every((target) => {
      const trial = new TrialStore(runsDir, spec.trial_id);
      const { attempt } = status.accepted;
      return hasPredictions(answersDir({ spec, trial, attempt }, target), target.split);
    });
  return {
    label: trials[0]?.label ?? "",
    num_trials: trials.length,
    num_completed: states.filter(({ status }) => status?.state === "completed").length,
    num_to_evaluate: targets.length === 0 ? 0 : states.filter((each) => !isAnswered(each)).length,
  };
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
