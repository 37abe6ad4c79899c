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
import { trialId } from "../contract/trial-id.ts";
import type { ReadExperiment } from "./check-experiment.ts";
import { declaredTraining } from "./declared-training.ts";
import { defaultAlpha, defaultNumThreads } from "./presets.ts";
import type { ResolvedBaseline, ResolvedClipRpn } from "./resolve.ts";
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
  return spec.kind === "cliprpn" ? withId({ ...spec, seed }) : spec;
}

function planTrials({ experiment, settings }: ReadExperiment, context: PlanContext): TrialSpec[] {
  const num_threads = experiment.num_threads ?? defaultNumThreads;
  const labels = labelsOf(settings);
  const labeled = settings.map((setting, index) => ({ setting, label: labels[index] ?? "" }));
  const numRounds = settings.reduce((most, { seeds }) => Math.max(most, seeds.length), 0);
  return Array.from({ length: numRounds }, (_, round) => {
    const runs = labeled.flatMap(({ setting, label }) => {
      const seed = setting.seeds[round];
      return seed === undefined ? [] : [{ setting, run: { seed, num_threads, label } }];
    });
    const clipRpns = runs.flatMap(({ setting, run }) =>
      setting.kind === "cliprpn" ? [clipRpnSpec(setting, run, context)] : [],
    );
    const baselines = runs.flatMap(({ setting, run }) =>
      setting.kind === "baseline" && round === 0 ? [baselineSpec(setting, run, context)] : [],
    );
    return [...clipRpns, ...baselines].map((spec) => check("TrialSpec", spec, "a planned trial"));
  }).flat();
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
