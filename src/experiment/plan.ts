import { check } from "../contract/check.ts";
import type { TrialKind } from "../contract/code-identity.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  PublishedFigure,
  TrialBackbone,
  TrialDataset,
  TrialSpec,
} from "../contract/generated/types.ts";
import type { ReadExperiment } from "./check-experiment.ts";
import { baselineIdentity, digest, settingIdentity } from "./identity.ts";
import type { ResolvedBaseline, ResolvedClipRpn } from "./resolve.ts";
import { labelOf } from "./setting-label.ts";

/** The plan of a sweep: every trial, in the order in which they run. */
export interface Plan {
  name: string;
  question: string;
  /** Hash of the trials and the question; with `name` it names the sweep's folder. */
  hash: string;
  trials: TrialSpec[];
  published: PublishedFigure[];
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
  const num_threads = experiment.num_threads ?? 2;
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
  const hash = digest({
    trials: trials.map(({ trial_id }) => trial_id),
    question: experiment.question,
  }).slice(0, 8);
  return {
    name: experiment.name,
    question: experiment.question,
    hash,
    trials,
    published: experiment.published ?? [],
  };
}

type Run = Pick<TrialSpec, "seed" | "num_threads" | "label">;

function clipRpnSpec(
  { preset, settings }: ResolvedClipRpn,
  { seed, num_threads, label }: Run,
  context: PlanContext,
): ClipRpnSpec {
  const decides = { settings: settingIdentity(settings), seed, num_threads };
  return {
    kind: "cliprpn",
    trial_id: trialId(decides, context),
    sources_sha256: context.sources_sha256.cliprpn,
    label,
    preset,
    seed,
    num_threads,
    ...commonKeys(context),
    settings,
  };
}

/** Nothing is trained, so the seed is not part of the trial's id. */
function baselineSpec(
  { baseline, limits }: ResolvedBaseline,
  { seed, num_threads, label }: Run,
  context: PlanContext,
): BaselineSpec {
  const decides = { baseline: baselineIdentity(baseline), limits, num_threads };
  return {
    kind: "baseline",
    trial_id: trialId(decides, context),
    sources_sha256: context.sources_sha256.baseline,
    label,
    seed,
    num_threads,
    ...commonKeys(context),
    baseline,
    limits,
  };
}

function commonKeys({
  dataset,
  backbone,
  device,
  cache_dir,
}: PlanContext): Pick<TrialSpec, "device" | "dataset" | "backbone" | "cache_dir"> {
  const { id, name, root, split_by } = dataset;
  return { device, dataset: { id, name, root, split_by }, backbone, cache_dir };
}

/** Hashes only what decides the result: no path, no device, no label. */
function trialId(decides: object, { dataset, backbone }: PlanContext): string {
  return digest({
    ...decides,
    dataset: [dataset.id, dataset.split_by],
    backbone: [backbone.name, backbone.weights_id],
  }).slice(0, 16);
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
