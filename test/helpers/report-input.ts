import { createHash } from "node:crypto";
import type {
  BaselineSpec,
  ClipRpnSpec,
  Comparison,
  CompletedOutcome,
  Figure,
  MetricName,
  ProposalSummary,
  Repeats,
  SettingSummary,
  StoredComparison,
  SubsetComparison,
  Summary,
  TrialOutcome,
  TrialSpec,
} from "../../src/contract/generated/types.ts";
import type { Attempt } from "../../src/engine/launcher.ts";
import { presets } from "../../src/experiment/presets.ts";
import { metricTitles } from "../../src/report/figures.ts";
import { type ReportInput, type ReportTrial, splitFiles } from "../../src/report/report-input.ts";

/** A configuration of a synthetic sweep, with its Acc@0.5 for the seeds 0, 1, ...; a baseline has one value. */
export interface MadeSetting {
  label: string;
  acc: number[];
  baseline?: MadeBaseline;
}

export interface MadeBaseline extends Partial<BaselineSpec["baseline"]> {
  /** Fraction of expressions with a hit among its boxes. */
  best_box: number;
}

/** A summary whose figures follow from each configuration's Acc@0.5; the first is the best, and gt boxes are upper bounds. */
export function madeSummary(settings: MadeSetting[], changes: Partial<Summary> = {}): Summary {
  const [best] = settings;
  const others = settings.slice(1).filter((setting) => !isUpperBound(setting));
  const comparisons = best === undefined ? [] : others.map((other) => madeComparison(best, other));
  return {
    schema_version: 2,
    split: "val",
    num_sentences: 965,
    num_images: 360,
    confidence: 0.95,
    num_resamples: 2000,
    settings: settings.map(madeSetting),
    smallest_difference: null,
    baseline: null,
    subsets: subsetGroups.map(({ by, group }) => ({
      by,
      group,
      num_sentences: 300,
      num_images: 200,
      num_pairs: by === "stratum" ? 100 : 0,
      chance: 0.4,
    })),
    chance_acc_at_50: 0.05,
    comparisons,
    subset_comparisons: comparisons.flatMap(({ label, against, difference, population, p_value }) =>
      subsetGroups.map((subset) => ({
        ...subset,
        label,
        against,
        difference,
        population,
        p_value: p_value ?? 1,
        p_adjusted: p_value ?? 1,
      })),
    ),
    error_examples: [],
    optimism: comparisons.length > 0 ? 0.004 : null,
    verdict: madeVerdict(settings, comparisons),
    floors: (["constant_box", "whole_image"] as const).map((name, index) => ({
      name,
      acc_at_50: around(0.02 * (index + 1)),
      miou: around(0.1),
    })),
    gallery: {
      label: best?.label ?? "",
      seed: best?.baseline === undefined ? 0 : null,
      against: others[0]?.label ?? null,
      against_seed: others[0]?.baseline === undefined ? 0 : null,
      has_images: true,
      groups: [],
    },
    ...changes,
  };
}

const subsetGroups: Pick<SubsetComparison, "by" | "group">[] = [
  { by: "stratum", group: "attribute" },
  { by: "stratum", group: "size_or_part" },
  { by: "stratum", group: "two_hop" },
  { by: "sentence_length", group: "5 or fewer" },
];

function isUpperBound({ baseline }: MadeSetting): boolean {
  return baseline?.detector?.kind === "gt_boxes";
}

/** A difference is significant if it is above 0.02. */
function madeComparison(best: MadeSetting, other: MadeSetting): Comparison {
  const difference = mean(best.acc) - mean(other.acc);
  const hasOneSeed = [best, other].some(({ acc, baseline }) => baseline === undefined && acc.length < 2);
  const p_value = Math.abs(difference) > 0.02 ? 0.0004 : 0.31;
  return {
    label: best.label,
    against: other.label,
    difference: around(difference),
    population: hasOneSeed ? "checkpoints" : "procedure",
    p_value,
    p_adjusted: p_value,
    same_answers: difference === 0,
    detectable: 0.028,
    equivalent: null,
    chance_new_run_ahead: 0.97,
    num_seeds_needed: 12,
    num_images_needed: 1200,
    checks: { sign_flip_p: p_value, wilcoxon_p: p_value, mcnemar_p: [p_value] },
  };
}

/** The verdict of the simple cases; tests of other cases state theirs. */
function madeVerdict([best, ...others]: MadeSetting[], comparisons: Comparison[]): Summary["verdict"] {
  const rivals = comparisons.toSorted((a, b) => a.difference.mean - b.difference.mean);
  const beaten = comparisons.filter(
    ({ p_value, difference }) => (p_value ?? 1) < 0.05 && difference.mean > 0,
  );
  const open = comparisons.filter((each) => !beaten.includes(each));
  const verdictCase = (): Summary["verdict"]["case"] => {
    if (rivals.length === 0) return "one_setting";
    if ([best, ...others].every((setting) => setting === undefined || mean(setting.acc) === 0))
      return "no_hit";
    if (comparisons.some(({ population }) => population === "checkpoints")) return "checkpoints";
    if (open.length === 0) return "outperforms";
    return beaten.length > 0 ? "mixed" : "no_difference";
  };
  return {
    case: verdictCase(),
    best: best?.label ?? "",
    rival: rivals[0]?.against ?? null,
    beaten: beaten.map(({ against }) => against),
    open: open.map(({ against }) => against),
    ahead: [],
    possibly_too_small: false,
    remarks: [],
  };
}

/** Report input with all trials complete. */
export function madeInput(settings: MadeSetting[], changes: Partial<ReportInput> = {}): ReportInput {
  return {
    question: "Which fusion grounds best?",
    name: "made",
    cliprpn_version: "1.2.3",
    dataset: { id: "made", name: "mine", split_by: "umd" },
    command: "npx cliprpn sweep made.json",
    source: { file: "made.json", sets: [] },
    trials: settings.flatMap(({ label, acc, baseline }) =>
      acc.map((value, seed) =>
        baseline === undefined
          ? madeTrial(madeSpec(label, seed), completed(label, seed, value))
          : madeTrial(madeBaselineSpec(label, baseline), completedBaseline(label, value)),
      ),
    ),
    summary: madeSummary(settings),
    published: [],
    numTestLooks: 0,
    numLooks: 0,
    split_description: "val",
    dataset_warnings: [],
    training: [],
    variedKeys: ["fusion"],
    notAsked: [],
    presets,
    files: splitFiles(changes.summary?.split ?? "val"),
    ...changes,
  };
}

/** The first attempt of a trial, without a folder. */
export function madeAttempt({ spec, outcome }: Pick<ReportTrial, "spec" | "outcome">): Attempt {
  return {
    spec,
    number: 1,
    folder: "",
    logFile: "",
    keep_models: "best",
    outcome: () => outcome,
    hasCheckpoint: () => false,
  };
}

/** A trial that ran here, with the current code. */
export function madeTrial(spec: TrialSpec, outcome: TrialOutcome | undefined): ReportTrial {
  return { spec, outcome, attempt: outcome?.state === "completed" ? 1 : null, isStale: false, origin: null };
}

export function madeSpec(label: string, seed: number): ClipRpnSpec {
  return { kind: "cliprpn", preset: "default", settings: presets.default, ...common(label, seed) };
}

export function madeBaselineSpec(label: string, { best_box: _, ...changes }: MadeBaseline): BaselineSpec {
  return {
    kind: "baseline",
    baseline: {
      detector: {
        kind: "yolo",
        file: "/weights/yolov8n.onnx",
        sha256: "0".repeat(64),
        image_size_px: null,
        classes: null,
      },
      ranking: "crop",
      templates: ["{}"],
      category_prior: false,
      score_thresh: 0.25,
      nms_thresh: 0.45,
      max_boxes: 100,
      ...changes,
    },
    limits: presets.default.limits,
    ...common(label, 0),
  };
}

function common(label: string, seed: number): Omit<ClipRpnSpec, "kind" | "preset" | "settings"> {
  return {
    trial_id: trialId(label, seed),
    sources_sha256: "0".repeat(64),
    label,
    seed,
    num_threads: 2,
    device: "cpu",
    dataset: { id: "made", name: "mine", root: "/data", split_by: "umd" },
    backbone: { name: "cliprpn-tiny", weights: "shipped", weights_id: "made" },
    cache_dir: "/cache",
  };
}

export function failed(label: string, seed: number, message: string): TrialOutcome {
  return {
    schema_version: 1,
    state: "failed",
    trial_id: trialId(label, seed),
    sources_sha256: "0".repeat(64),
    finished_at: "2026-01-01T00:00:00Z",
    error: { code: "loss_not_finite", message },
    traceback_file: null,
  };
}

/** The completed outcome of a trial, by its spec. */
export function madeOutcome({ trial_id, sources_sha256, label, seed }: TrialSpec): CompletedOutcome {
  return { ...completed(label, seed, 0.5), trial_id, sources_sha256 };
}

/** The outcome of a baseline: no training. */
function completedBaseline(label: string, acc: number): CompletedOutcome {
  const { durations_ms, ...rest } = completed(label, 0, acc);
  return {
    ...rest,
    best_epoch: 0,
    epochs: [],
    num_trainable_parameters: 0,
    durations_ms: { ...durations_ms, features: 14_000, training: 0, total: 15_000 },
  };
}

function completed(label: string, seed: number, acc: number): CompletedOutcome {
  const figures = Object.fromEntries(Object.keys(metricTitles).map((metric) => [metric, acc])) as Record<
    MetricName,
    number
  >;
  return {
    schema_version: 1,
    state: "completed",
    trial_id: trialId(label, seed),
    sources_sha256: "0".repeat(64),
    finished_at: "2026-01-01T00:00:00Z",
    best_epoch: 2,
    notes: [],
    epochs: [1, 2, 3].map((epoch) => ({
      epoch,
      num_epochs: 3,
      loss: 1,
      loss_objectness: 0.5,
      loss_box: 0.5,
      learning_rate: 1e-3,
      val_acc_at_50: (acc * epoch) / 3,
      val_miou: acc / 2,
      duration_ms: 1000,
    })),
    metrics: { num_sentences: 965, num_images: 360, ...figures },
    num_trainable_parameters: 1_234_567,
    durations_ms: { features: 100, training: 61_000, evaluation: 900, total: 62_000 },
    peak_memory_bytes: { process: 1.5e9, device: null },
    environment: {
      platform: "Linux x86_64",
      python: "3.11.7",
      torch: "2.14.1",
      torchvision: "0.29.1",
      open_clip: "3.3.0",
      device: "cpu",
      device_name: "a processor",
      num_threads: 2,
    },
  };
}

function madeSetting({ label, acc, baseline }: MadeSetting): SettingSummary {
  const figures = (Object.keys(metricTitles) as MetricName[]).map((metric) => madeFigure(metric, acc));
  return {
    kind: baseline === undefined ? "cliprpn" : "baseline",
    label,
    trial_ids: acc.map((_, seed) => trialId(label, seed)),
    figures,
    strata: ["attribute", "size_or_part", "two_hop"].map((stratum) => ({
      stratum,
      num_sentences: 300,
      num_pairs: 100,
      figures,
    })),
    breakdowns: subsetGroups.map((subset) => ({
      ...subset,
      num_sentences: 300,
      interval: around(mean(acc)),
    })),
    category_macro_acc_at_50: mean(acc),
    seeds: acc.map((_, seed) => seed),
    num_planned_seeds: acc.length,
    is_upper_bound: baseline?.detector?.kind === "gt_boxes",
    population: baseline === undefined && acc.length > 1 ? "procedure" : "checkpoints",
    seed_sd: baseline === undefined && acc.length > 1 ? deviation(acc) : null,
    rank: baseline?.detector?.kind === "gt_boxes" ? null : { low: 1, high: 2 },
    blank: { acc_at_50: around(0.06), difference: around(mean(acc) - 0.06), p_value: 0.0001 },
    accuracy_at_iou: Array.from({ length: 19 }, (_, index) => ({
      iou: (index + 1) / 20,
      value: Math.min(1, mean(acc) * (1.5 - (index + 1) / 20)),
    })),
    error_classes: madeErrorClasses(mean(acc)),
    calibration: madeCalibration(mean(acc)),
    still_rising: baseline === undefined ? false : null,
    proposals: baseline === undefined ? null : madeProposals(mean(acc), baseline.best_box),
  };
}

function deviation(values: number[]): number {
  const squares = values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Half of the misses are other objects of the same category, the other half have loose boxes. */
function madeErrorClasses(acc: number): SettingSummary["error_classes"] {
  const fractions = { hit: acc, wrong_instance: (1 - acc) / 2, loose_box: (1 - acc) / 2 };
  return Object.entries(fractions).map(([error_class, fraction]) => ({
    error_class: error_class as keyof typeof fractions,
    num_sentences: fraction * 965,
    fraction: around(fraction),
    sent_ids: error_class === "hit" ? [] : [3, 1, 2],
  }));
}

/** The best order of the answers: all hits have higher scores than all misses. */
function madeCalibration(acc: number): SettingSummary["calibration"] {
  const coverages = Array.from({ length: 20 }, (_, index) => (index + 1) / 20);
  return {
    bins: coverages.slice(0, 10).map((score) => ({
      mean_score: score,
      num_sentences: 96.5,
      hits: around(acc * score),
    })),
    fit: coverages.map((score) => ({ score, probability: acc * score })),
    expected_calibration_error: 0.1,
    risk_coverage: coverages.map((coverage) => ({ coverage, risk: Math.max(0, 1 - acc / coverage) })),
    aurc: 0.1,
    e_aurc: 0,
  };
}

function madeProposals(correct: number, best_box: number): ProposalSummary {
  return {
    recall_at: [1, 5, 10, 100].map((k) => ({
      k,
      interval: around(best_box * (1 - 0.5 / k)),
    })),
    best_proposal: around(best_box),
    lost_by_proposals: around(1 - best_box),
    lost_by_ranking: around(best_box - correct),
    mean_num_boxes: 7.25,
    num_images_without: 12,
    num_sentences_without: 30,
  };
}

function madeFigure(metric: MetricName, acc: number[]): Figure {
  return {
    metric,
    interval: around(mean(acc)),
    per_seed: acc.map((value, seed) => ({ seed, value })),
  };
}

function around(value: number): { mean: number; low: number; high: number } {
  const margin = Math.abs(value) < 1e-9 ? 0 : 0.02; // Without any hit, resampling changes nothing.
  return { mean: value, low: value - margin, high: value + margin };
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function trialId(label: string, seed: number): string {
  return createHash("sha256").update(`${label}${seed}`).digest("hex").slice(0, 16);
}

/** The answers of an outside model: no scores, no answers to an empty expression, nothing was trained. */
function madeResults(label: string, acc: number[], repeats: Repeats | null = null): SettingSummary {
  const scored = new Set<MetricName>(["recall_at_5", "recall_at_10", "recall_at_100"]);
  const setting = madeSetting({ label, acc });
  const hasRuns = repeats !== null && acc.length > 1;
  return {
    ...setting,
    kind: "results",
    repeats,
    trial_ids: acc.map((_, run) => `${label}-${run}`),
    figures: setting.figures.filter(({ metric }) => !scored.has(metric)),
    population: hasRuns ? "procedure" : "checkpoints",
    seed_sd: hasRuns ? deviation(acc) : null,
    blank: null,
    calibration: null,
    still_rising: null,
    conventions: [
      { convention: "plus_one_pixel", acc_at_50: mean(acc) + 0.002 },
      { convention: "above", acc_at_50: mean(acc) },
      { convention: "rounded", acc_at_50: mean(acc) - 0.0001 },
    ],
  };
}

/** Input of the report on a split of a comparison; the rows whose label starts with "ours" are of trials. */
export function madeComparisonInput(
  settings: MadeSetting[],
  comparison: StoredComparison,
  changes: Partial<Summary> = {},
  decided: Partial<Summary["verdict"]> = {},
): ReportInput {
  const isTrial = ({ label }: MadeSetting): boolean => label.startsWith("ours");
  const repeatsOf = (label: string): Repeats | null =>
    comparison.models.find((model) => model.label === label)?.repeats ?? null;
  const [data] = comparison.data;
  const summary = madeSummary(settings, {
    selection: "this_split",
    split: data?.split ?? "val",
    ...changes,
  });
  const { verdict } = summary;
  return madeInput(settings.filter(isTrial), {
    comparison,
    dataset: data?.dataset ?? { id: "made", name: "mine", split_by: "umd" },
    name: comparison.name,
    question: comparison.question,
    command: comparison.command,
    source: { file: "", sets: [] },
    summary: {
      ...summary,
      verdict: {
        ...verdict,
        case: verdict.open.length > 0 ? "no_difference" : "outperforms",
        ...decided,
      },
      settings: settings.map((setting) =>
        isTrial(setting)
          ? madeSetting(setting)
          : madeResults(setting.label, setting.acc, repeatsOf(setting.label)),
      ),
    },
  });
}
