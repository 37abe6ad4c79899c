import { check } from "../contract/check.ts";
import type {
  PublishedFigure,
  Settings,
  TrialBackbone,
  TrialDataset,
  TrialSpec,
} from "../contract/generated/types.ts";
import type { ReadExperiment } from "./read-experiment.ts";
import { labelOf } from "./resolve.ts";
import { digest, settingIdentity } from "./setting-identity.ts";

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

/** Pure: the same experiment and context give the same plan. Seeds go round, so that a first leaderboard stands early. */
export function planSweep({ experiment, settings }: ReadExperiment, context: PlanContext): Plan {
  const seeds = experiment.seeds ?? [0];
  const num_threads = experiment.num_threads ?? 2;
  const { id, name, root, split_by } = context.dataset;
  const labels = uniqueLabels(settings.map(labelOf));
  const trials = seeds.flatMap((seed) =>
    settings.map((setting, index): TrialSpec => {
      const spec: TrialSpec = {
        kind: "cliprpn",
        trial_id: trialId(setting.settings, seed, num_threads, context),
        sources_sha256: context.sources_sha256,
        label: labels[index] ?? "",
        preset: setting.preset,
        seed,
        num_threads,
        device: context.device,
        dataset: { id, name, root, split_by },
        backbone: context.backbone,
        settings: setting.settings,
        cache_dir: context.cache_dir,
      };
      return check("TrialSpec", spec, "a planned trial");
    }),
  );
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

/** Two files of one name in two folders give one label: the second gets a number. */
function uniqueLabels(labels: string[]): string[] {
  return labels.map((label, index) => {
    const earlier = labels.slice(0, index).filter((other) => other === label).length;
    return earlier === 0 ? label : `${label} (${earlier + 1})`;
  });
}

/** Hashes what decides the result, and nothing else: no path, no device, no label. */
function trialId(
  settings: Settings,
  seed: number,
  num_threads: number,
  { dataset, backbone }: Pick<PlanContext, "dataset" | "backbone">,
): string {
  return digest({
    settings: settingIdentity(settings),
    seed,
    num_threads,
    dataset: [dataset.id, dataset.split_by],
    backbone: [backbone.name, backbone.weights_id],
  }).slice(0, 16);
}
