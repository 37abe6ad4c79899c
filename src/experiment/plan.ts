import { check } from "../contract/check.ts";
import type { TrialKind } from "../contract/code-identity.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  KeepModels,
  PublishedFigure,
  TrialBackbone,
  TrialDataset,
  TrialSpec,
} from "../contract/generated/types.ts";
import { trialId } from "../contract/trial-id.ts";
import type { ReadExperiment } from "./check-experiment.ts";
import { defaultNumThreads } from "./presets.ts";
import type { ResolvedBaseline, ResolvedClipRpn } from "./resolve.ts";
import { labelOf } from "./setting-label.ts";

/** The plan of a sweep: every trial, in the order in which they run. */
export interface Plan {
  name: string;
  question: string;
  trials: TrialSpec[];
  published: PublishedFigure[];
  keep_models: KeepModels;
}

/** Everything besides the experiment that a plan depends on. */
export interface PlanContext {
  dataset: TrialDataset;
  backbone: TrialBackbone;
  /** Hash of the code that decides the results of each kind of trial. */
  sources_sha256: Record<TrialKind, string>;
  device: string;
  cache_dir: string;
}

/**
 * Plans a sweep. Pure: the same experiment and context give the same plan. All configurations run with the first seed, then
 * with the second, so that a first leaderboard is ready early; baselines run once, after the first seed.
 */
export function planSweep({ experiment, settings }: ReadExperiment, context: PlanContext): Plan {
  const seeds = experiment.seeds ?? [0];
  const num_threads = experiment.num_threads ?? defaultNumThreads;
  const labels = uniqueLabels(settings.map(labelOf));
  const labeled = settings.map((setting, index) => ({ setting, label: labels[index] ?? "" }));
  const trials = seeds.flatMap((seed, round) => {
    const common = { seed, num_threads };
    const clipRpns = labeled.flatMap(({ setting, label }) =>
      setting.kind === "cliprpn" ? [clipRpnSpec(setting, { ...common, label }, context)] : [],
    );
    const baselines = labeled.flatMap(({ setting, label }) =>
      setting.kind === "baseline" && round === 0
        ? [baselineSpec(setting, { ...common, label }, context)]
        : [],
    );
    return [...clipRpns, ...baselines].map((spec) => check("TrialSpec", spec, "a planned trial"));
  });
  return {
    name: experiment.name,
    question: experiment.question,
    trials,
    published: experiment.published ?? [],
    keep_models: experiment.keep_models ?? "all",
  };
}

type Run = Pick<TrialSpec, "seed" | "num_threads" | "label">;

function clipRpnSpec({ preset, settings }: ResolvedClipRpn, run: Run, context: PlanContext): ClipRpnSpec {
  return withId({ kind: "cliprpn", ...commonKeys("cliprpn", run, context), preset, settings });
}

function baselineSpec({ baseline, limits }: ResolvedBaseline, run: Run, context: PlanContext): BaselineSpec {
  return withId({ kind: "baseline", ...commonKeys("baseline", run, context), baseline, limits });
}

/** The keys of both kinds; `withId` sets the id. */
function commonKeys(
  kind: TrialKind,
  { seed, num_threads, label }: Run,
  { dataset, backbone, sources_sha256, device, cache_dir }: PlanContext,
): Omit<TrialSpec, "kind"> {
  const { id, name, root, split_by } = dataset;
  return {
    trial_id: "",
    sources_sha256: sources_sha256[kind],
    label,
    seed,
    num_threads,
    device,
    dataset: { id, name, root, split_by },
    backbone,
    cache_dir,
  };
}

function withId<Spec extends TrialSpec>(spec: Spec): Spec {
  return { ...spec, trial_id: trialId(spec) };
}

/** Numbers repeated labels: two files with one name in two folders have the same label. */
function uniqueLabels(labels: string[]): string[] {
  const counts = new Map<string, number>();
  return labels.map((label) => {
    const count = (counts.get(label) ?? 0) + 1;
    counts.set(label, count);
    return count === 1 ? label : `${label} (${count})`;
  });
}
