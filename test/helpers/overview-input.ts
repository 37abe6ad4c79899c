import type {
  AnswersReport,
  Combined,
  CombinedComparison,
  ComparedModel,
  Interval,
  StoredComparison,
  Verdict,
} from "../../src/contract/generated/types.ts";
import type { OverviewInput } from "../../src/report/overview/overview-input.ts";
import { splitFiles } from "../../src/report/report-input.ts";

/** A model with its Acc@0.5 on each split; null without answers. */
export interface MadeModel {
  label: string;
  acc: (number | null)[];
  kind?: "cliprpn" | "baseline" | "results";
  num_runs?: number;
}

export const madeSplits = ["refcoco-unc:testA", "refcoco-unc:testB", "refcocog-umd:test"];

/** Figures that follow from each model's Acc@0.5; the first is the best. The last splits may be outside the primary endpoint. */
export function madeCombined(
  models: MadeModel[],
  {
    splits = madeSplits,
    num_primary = splits.length,
    decided = {},
    ...changes
  }: Partial<Combined> & { splits?: string[]; num_primary?: number; decided?: Partial<Verdict> } = {},
): Combined {
  const meanOf = ({ acc }: MadeModel): number | null => {
    const used = acc.slice(0, num_primary);
    return used.includes(null)
      ? null
      : used.reduce<number>((sum, each) => sum + (each ?? 0), 0) / num_primary;
  };
  const [best, ...others] = models;
  const comparisons = others.flatMap((other): CombinedComparison[] =>
    best === undefined || meanOf(other) === null
      ? []
      : [compare(best, other, (meanOf(best) ?? 0) - (meanOf(other) ?? 0), splits)],
  );
  return {
    schema_version: 1,
    confidence: 0.95,
    smallest_difference: null,
    baseline: null,
    num_images: 1200,
    endpoints: splits.map((name, index) => {
      const [dataset_name = "", split = ""] = name.split(":");
      return {
        name,
        dataset_name,
        split: split as "test",
        num_sentences: 4896 + index,
        num_images: 750,
        in_primary: index < num_primary,
      };
    }),
    settings: models.map((model) => ({
      label: model.label,
      kind: model.kind ?? "results",
      is_upper_bound: false,
      population: (model.num_runs ?? 1) > 1 ? "procedure" : "checkpoints",
      num_runs: model.num_runs ?? 1,
      primary: around(meanOf(model)),
      per_endpoint: model.acc.map(around),
    })),
    comparisons,
    optimism: null,
    selection: "primary",
    verdict: {
      case: comparisons.every(({ difference }) => difference.mean > 0.02) ? "outperforms" : "no_difference",
      best: best?.label ?? "",
      rival: others[0]?.label ?? null,
      beaten: comparisons.filter(({ difference }) => difference.mean > 0.02).map(({ against }) => against),
      open: comparisons.filter(({ difference }) => difference.mean <= 0.02).map(({ against }) => against),
      ahead: [],
      possibly_too_small: false,
      remarks: [],
      ...decided,
    },
    ...changes,
  };
}

function compare(best: MadeModel, other: MadeModel, mean: number, splits: string[]): CombinedComparison {
  const differences = splits.map((_, index) => {
    const [a, b] = [best.acc[index] ?? null, other.acc[index] ?? null];
    return a === null || b === null ? null : a - b;
  });
  const isAll = differences.every((each) => each === null || each > 0.02);
  return {
    label: best.label,
    against: other.label,
    difference: around(mean) ?? { mean, low: null, high: null },
    population: "checkpoints",
    p_value: Math.abs(mean) > 0.02 ? 0.0004 : 0.31,
    p_adjusted: Math.abs(mean) > 0.02 ? 0.0008 : 0.62,
    same_answers: false,
    detectable: 0.028,
    equivalent: null,
    per_endpoint: differences.map((each) => {
      const difference = around(each);
      const p_value = Math.abs(each ?? 0) > 0.02 ? 0.001 : 0.4;
      return difference === null ? null : { difference, p_value, p_adjusted: p_value };
    }),
    ahead_on: splits.filter((_, index) => (differences[index] ?? 0) > 0.02),
    behind_on: splits.filter((_, index) => (differences[index] ?? 0) < -0.02),
    ahead_on_all: isAll,
  };
}

function around(mean: number): Interval;
function around(mean: number | null): Interval | null;
function around(mean: number | null): Interval | null {
  return mean === null ? null : { mean, low: mean - 0.02, high: mean + 0.02 };
}

/** A comparison of outside models on these splits. */
export function madeComparison(
  models: (Partial<ComparedModel> & { label: string })[],
  splits: string[] = madeSplits,
): StoredComparison {
  return {
    schema_version: 1,
    name: "vlms",
    question: "Which model grounds best?",
    command: "npx cliprpn compare vlms.json",
    data: splits.map((name) => {
      const [dataset = "", split = ""] = name.split(":");
      return {
        name,
        dataset: { id: dataset, name: dataset, split_by: "unc" },
        split: split as "test",
        in_primary: true,
        only: null,
      };
    }),
    models: models.map((model) => ({
      kind: "results",
      repeats: null,
      trial_ids: [],
      protocol: null,
      answers: splits.map((data) => ({ data, reports: [madeAnswers(`${model.label}.jsonl`)] })),
      ...model,
    })),
    baseline: null,
    smallest_difference: null,
    alpha: 0.05,
    published: [],
  };
}

/** What was found in a file with an answer to every expression. */
export function madeAnswers(file: string, changes: Partial<AnswersReport> = {}): AnswersReport {
  return {
    file,
    sha256: "0".repeat(64),
    format: "table",
    coordinates: { box_format: "xyxy", frame: { kind: "original" } },
    num_rows: 4896,
    num_expressions: 4896,
    num_answered: 4896,
    num_missing: 0,
    num_unparsed: 0,
    num_duplicates: 0,
    num_strangers: 0,
    num_by_sent_id: 4896,
    num_by_text: 0,
    num_by_normalized_text: 0,
    num_ground_truth: 0,
    num_other_ground_truth: 0,
    has_scores: false,
    notes: [],
    warnings: [],
    examples: [],
    ...changes,
  };
}

export function madeOverview(
  combined: Combined,
  comparison: StoredComparison,
  changes: Partial<OverviewInput> = {},
): OverviewInput {
  return {
    question: comparison.question,
    name: comparison.name,
    cliprpn_version: "1.2.3",
    command: comparison.command,
    combined,
    comparison,
    endpoints: combined.endpoints.map(({ name, split }) => {
      const suffix = name.replace(":", "-");
      return {
        name,
        files: {
          text: `REPORT-${suffix}.md`,
          json: `report-${suffix}.json`,
          place: `report/${suffix}`,
        },
        numLooks: split === "val" ? 0 : 1,
        dataset_warnings: [],
        image_origins: [{ origin: "coco_train2014", num_images: 750 }],
        training: [],
      };
    }),
    files: { ...splitFiles("val"), place: "report/overview" },
    ...changes,
  };
}
