import { stringify } from "csv-stringify/sync";
import type { Interval, MetricName, Report, SettingSummary } from "../../contract/generated/types.ts";
import { differenceOf, figureOf, metricTitles, referenceOf } from "../figures.ts";
import { costOf } from "./cost-of.ts";

type Cell = string | number | null;

/**
 * The leaderboard for spreadsheets and programs (RFC 4180, UTF-8): a row per configuration, the best on val first. A text that a
 * spreadsheet would take for a formula begins with an apostrophe.
 */
export function leaderboardCsv(report: Report): string {
  const rows = report.summary.settings.map((setting) => rowOf(report, setting));
  return stringify(rows, { header: true, record_delimiter: "windows", escape_formulas: true });
}

function rowOf(report: Report, setting: SettingSummary): Record<string, Cell> {
  const { summary } = report;
  const difference = differenceOf(summary, setting.label);
  const cost = costOf(report, setting.label);
  return {
    label: setting.label,
    kind: setting.kind,
    is_upper_bound: String(setting.is_upper_bound),
    population: setting.population,
    num_seeds: setting.seeds.length,
    num_planned_seeds: setting.num_planned_seeds,
    rank_low: setting.rank?.low ?? null,
    rank_high: setting.rank?.high ?? null,
    ...Object.fromEntries(metrics.flatMap((metric) => metricCells(setting, metric))),
    category_macro_acc_at_50_percent: hundredfold(setting.category_macro_acc_at_50),
    acc_at_50_seed_sd_points: hundredfold(setting.seed_sd),
    reference: referenceOf(summary),
    ...intervalCells("acc_at_50_minus_reference", "points", difference?.difference),
    p_value: difference?.p_value ?? null,
    p_adjusted: difference?.p_adjusted ?? null,
    num_trainable_parameters: cost?.num_trainable_parameters ?? null,
    training_hours: rounded(cost?.training_hours ?? null),
    trial_hours: rounded(cost?.trial_hours ?? null),
    peak_memory_gb: rounded(cost?.peak_memory_gb ?? null),
  };
}

const metrics = Object.keys(metricTitles) as MetricName[];

function metricCells(setting: SettingSummary, metric: MetricName): [string, Cell][] {
  return Object.entries(intervalCells(metric, "percent", figureOf(setting, metric)?.interval));
}

function intervalCells(name: string, unit: string, interval: Interval | undefined): Record<string, Cell> {
  return {
    [`${name}_${unit}`]: hundredfold(interval?.mean ?? null),
    [`${name}_low_${unit}`]: hundredfold(interval?.low ?? null),
    [`${name}_high_${unit}`]: hundredfold(interval?.high ?? null),
  };
}

function hundredfold(fraction: number | null): number | null {
  return fraction === null ? null : rounded(fraction * 100);
}

/** Six digits after the point; more would be noise of the arithmetic. */
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1e6) / 1e6;
}
