import { check } from "../contract/check.ts";
import type {
  BaselineSpec,
  ClipRpnSpec,
  PublishedFigure,
  TrialBackbone,
  TrialDataset,
  TrialSpec,
} from "../contract/generated/types.ts";
import type { ReadExperiment } from "./examine.ts";
import type { ResolvedBaseline, ResolvedClipRpn } from "./resolve.ts";
import { baselineIdentity, digest, settingIdentity } from "./setting-identity.ts";
import { labelOf } from "./setting-label.ts";

/** A sweep before anything has started: every trial, in the order in which they run. */
export interface Plan {
  name: string;
  question: string;
  /** Of the resolved experiment; names the sweep's folder together with `name`. */
  hash: string;
  trials: TrialSpec[];
  published: PublishedFigure[];
}

/** What a plan depends on beside the experiment. */
export interface PlanContext {
  dataset: TrialDataset;
  backbone: TrialBackbone;
  sources_sha256: string;
  device: string;
  cache_dir: string;
}

/**
 * Pure: the same experiment and context give the same plan. Seeds go round, so that a first leaderboard stands early; baselines
 * run once, after the first round.
 */
export function planSweep({ experiment, settings }: ReadExperiment, context: PlanContext): Plan {
  const seeds = experiment.seeds ?? [0];
  const num_threads = experiment.num_threads ?? 2;
  const labels = uniqueLabels(settings.map(labelOf));
  const labelled = settings.map((setting, index) => ({ setting, label: labels[index] ?? "" }));
  const trials = seeds.flatMap((seed, round) => {
    const common = { seed, num_threads };
    const clipRpns = labelled.flatMap(({ setting, label }) =>
      setting.kind === "cliprpn" ? [clipRpnSpec(setting, { ...common, label }, context)] : [],
    );
    const baselines = labelled.flatMap(({ setting, label }) =>
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
    sources_sha256: context.sources_sha256,
    label,
    preset,
    seed,
    num_threads,
    ...surroundings(context),
    settings,
  };
}

/** Nothing is trained: the seed decides nothing. */
function baselineSpec(
  { baseline, limits }: ResolvedBaseline,
  { seed, num_threads, label }: Run,
  context: PlanContext,
): BaselineSpec {
  const decides = { baseline: baselineIdentity(baseline), limits, num_threads };
  return {
    kind: "baseline",
    trial_id: trialId(decides, context),
    sources_sha256: context.sources_sha256,
    label,
    seed,
    num_threads,
    ...surroundings(context),
    baseline,
    limits,
  };
}

function surroundings({
  dataset,
  backbone,
  device,
  cache_dir,
}: PlanContext): Pick<TrialSpec, "device" | "dataset" | "backbone" | "cache_dir"> {
  const { id, name, root, split_by } = dataset;
  return { device, dataset: { id, name, root, split_by }, backbone, cache_dir };
}

/** Hashes what decides the result, and nothing else: no path, no device, no label. */
function trialId(decides: object, { dataset, backbone }: PlanContext): string {
  return digest({
    ...decides,
    dataset: [dataset.id, dataset.split_by],
    backbone: [backbone.name, backbone.weights_id],
  }).slice(0, 16);
}

/** Two files of one name in two folders give one label: the second gets a number. */
function uniqueLabels(labels: string[]): string[] {
  const counts = new Map<string, number>();
  return labels.map((label) => {
    const count = (counts.get(label) ?? 0) + 1;
    counts.set(label, count);
    return count === 1 ? label : `${label} (${count})`;
  });
}
