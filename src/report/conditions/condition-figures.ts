import type { Combined, SettingSummary, Summary } from "../../contract/generated/types.ts";

/** The figures that conditions are about: those of a split, or of the primary endpoint over several. */
export interface ConditionFigures {
  /** "report on val", for messages. */
  where: string;
  settings: (Pick<SettingSummary, "label" | "figures" | "seed_sd" | "rank"> & {
    num_seeds: number;
    num_planned_seeds: number;
  })[];
  comparisons: Pick<
    Summary["comparisons"][number],
    "label" | "against" | "difference" | "p_value" | "p_adjusted" | "detectable"
  >[];
  verdict: Summary["verdict"];
  num_sentences: number;
  num_images: number;
  chance_acc_at_50: number | null;
}

/** Those of a split. */
export function figuresOfSummary(summary: Summary): ConditionFigures {
  const settings = summary.settings.map((setting) => ({ ...setting, num_seeds: setting.seeds.length }));
  return { ...summary, settings, where: `report on ${summary.split}` };
}

/** Those of the primary endpoint, which has acc_at_50 only. */
export function figuresOfCombined(combined: Combined): ConditionFigures {
  const primary = combined.endpoints.filter(({ in_primary }) => in_primary);
  return {
    where: `figures over ${primary.map(({ name }) => name).join(", ")}`,
    settings: combined.settings.map(({ label, primary: interval, num_runs }) => ({
      label,
      figures: interval === null ? [] : [{ metric: "acc_at_50", interval, per_seed: [] }],
      seed_sd: null,
      rank: null,
      num_seeds: num_runs,
      num_planned_seeds: num_runs,
    })),
    comparisons: combined.comparisons,
    verdict: combined.verdict,
    num_sentences: primary.reduce((sum, { num_sentences }) => sum + num_sentences, 0),
    num_images: combined.num_images,
    chance_acc_at_50: null,
  };
}
