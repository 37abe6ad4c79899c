import { check } from "../contract/check.ts";
import type { TrialKind } from "../contract/code-identity.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  DeclaredTraining,
  KeepModels,
  PublishedFigure,
  TrialBackbone,
  TrialDataset,
  TrialSpec,
} from "../contract/generated/types.ts";
import { trialIds } from "../contract/trial-id.ts";
import type { ReadExperiment } from "./check-experiment.ts";
import { declaredTraining } from "./declared-training.ts";
import { defaultAlpha, defaultNumThreads } from "./presets.ts";
import type { ResolvedBaseline, ResolvedClipRpn, ResolvedSetting } from "./resolve.ts";
import { labelsOf } from "./setting-label.ts";

/** The plan of a sweep: every trial, in the order in which they run. */
export interface Plan {
  name: string;
  question: string;
  trials: TrialSpec[];
  published: PublishedFigure[];
  keep_models: KeepModels;
  /** Label of the configuration that the others are compared with. */
  baseline?: string;
  /** In percentage points. */
  smallest_difference?: number;
  alpha: number;
  /** What the experiment declares that weights were trained on; decides no result. */
  trained_on?: DeclaredTraining;
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
 * Plans a sweep. Pure: the same experiment and context give the same plan. All configurations run with their first seed, then
 * with their second, so that a first leaderboard is ready early; baselines run once, after the first seed.
 */
export function planSweep({ experiment, settings }: ReadExperiment, context: PlanContext): Plan {
  const { name, question, baseline, smallest_difference } = experiment;
  const trained_on = declaredTraining({ experiment, settings });
  return {
    name,
    question,
    trials: planTrials({ experiment, settings }, context),
    published: experiment.published ?? [],
    keep_models: experiment.keep_models ?? "all",
    ...(baseline === undefined ? {} : { baseline }),
    ...(smallest_difference === undefined ? {} : { smallest_difference }),
    alpha: experiment.alpha ?? defaultAlpha,
    ...(trained_on === undefined ? {} : { trained_on }),
  };
}

/** The same trial with another seed; a baseline has none. */
export function withSeed(spec: TrialSpec, seed: number): TrialSpec {
  return spec.kind === "cliprpn" ? { ...spec, seed, trial_id: trialIds(spec, [seed])[0] ?? "" } : spec;
}

function planTrials({ experiment, settings }: ReadExperiment, context: PlanContext): TrialSpec[] {
  const num_threads = experiment.num_threads ?? defaultNumThreads;
  const labels = labelsOf(settings);
  const configurations = settings.map((setting, index) => {
    const [seed = 0] = setting.seeds;
    return trialsOf(setting, { seed, num_threads, label: labels[index] ?? "" }, context);
  });
  const numRounds = settings.reduce((most, { seeds }) => Math.max(most, seeds.length), 0);
  return Array.from({ length: numRounds }, (_, round) => {
    const trials = configurations.flatMap((each) => each[round] ?? []);
    return [
      ...trials.filter(({ kind }) => kind === "cliprpn"),
      ...trials.filter(({ kind }) => kind === "baseline"),
    ];
  }).flat();
}

/** A trial for each seed of a configuration; one of a baseline. They differ by seed and id, so one of them is checked. */
function trialsOf(setting: ResolvedSetting, run: Run, context: PlanContext): TrialSpec[] {
  const first =
    setting.kind === "cliprpn" ? clipRpnSpec(setting, run, context) : baselineSpec(setting, run, context);
  const ids = trialIds(first, setting.seeds);
  const checked = check("TrialSpec", { ...first, trial_id: ids[0] ?? "" }, "a planned trial");
  if (checked.kind === "baseline") return [checked];
  return setting.seeds.map((seed, index) => ({ ...checked, seed, trial_id: ids[index] ?? "" }));
}

type Run = Pick<TrialSpec, "seed" | "num_threads" | "label">;

function clipRpnSpec({ preset, settings }: ResolvedClipRpn, run: Run, context: PlanContext): ClipRpnSpec {
  return { kind: "cliprpn", ...commonKeys("cliprpn", run, context), preset, settings };
}

function baselineSpec({ baseline, limits }: ResolvedBaseline, run: Run, context: PlanContext): BaselineSpec {
  return { kind: "baseline", ...commonKeys("baseline", run, context), baseline, limits };
}

/** The keys of both kinds; the id is set later. */
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
