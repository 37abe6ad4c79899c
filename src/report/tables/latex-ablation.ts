import type { Interval, Report, SettingSummary } from "../../contract/generated/types.ts";
import { differenceOf, figureOf, referenceOf } from "../figures.ts";
import type { Component } from "./components.ts";
import { costOf } from "./cost-of.ts";
import { markOf, meaningOf, noLatexValue, plusMinus, tableOf, trainingOf } from "./latex-table.ts";
import { latexText } from "./latex-text.ts";

/**
 * The ablation as a LaTeX table: what differs between the configurations, Acc@0.5 on each split that has a report of the same
 * attempts, the difference to the reference, and the cost.
 *
 * @param others the reports on other splits.
 */
export function latexAblation(report: Report, others: Report[]): string {
  const { summary, name } = report;
  const rows = summary.settings.filter((setting) => !setting.is_upper_bound);
  const populations = rows.map(({ population }) => population);
  const components = componentColumns(report);
  const reference = referenceOf(summary);
  const splits = [report, ...others];
  const difference = (setting: SettingSummary): string =>
    setting.label === reference ? noLatexValue : plusMinus(differenceOf(summary, setting.label)?.difference);
  const body = rows.map((setting) => [
    latexText(setting.label) + markOf(setting.population, populations),
    ...components.shown.map((column) => componentCell(column, componentsOf(report, setting.label))),
    ...splits.map((each) => plusMinus(accuracyOn(each, report, setting.label))),
    difference(setting),
    ...costCells(report, setting.label),
  ]);
  const hidden = components.hidden.map(({ key }) => latexText(key)).join(", ");
  return tableOf({
    caption: `Ablation of ${latexText(name)}: Acc@0.5 in \\%; $\\Delta$ is the difference to ${latexText(reference)} on ${summary.split}, in percentage points. ${meaningOf(summary, populations)} Hours are the mean duration of a trial.${trainingOf(report.training_set)}`,
    label: `${name}-${summary.split}-ablation`,
    align: `l${"c".repeat(components.shown.length)}${"r".repeat(splits.length + 3)}`,
    head: [
      "Configuration",
      ...components.shown.map(({ title }) => title),
      ...splits.map(({ split }) => latexText(split)),
      "$\\Delta$",
      "Params (M)",
      "Hours",
    ],
    groups: [body],
    comments: hidden === "" ? [] : [`These settings differ, too: ${hidden}.`],
  });
}

interface Column {
  key: string;
  /** LaTeX. */
  title: string;
  /** The value, as JSON, that has a tick; undefined where the values are printed. */
  ticked: string | undefined;
}

/** A table with more columns is too wide for a page. */
const maxColumns = 4;

/**
 * The settings of the trained configurations that differ. Where switches of the fusion do, they are the components, and what a preset
 * changes besides is only listed. The kind of the fusion is in the label.
 */
function componentColumns({ settings }: Report): { shown: Column[]; hidden: Column[] } {
  const trained = settings.filter(({ kind }) => kind === "cliprpn");
  const keys = (trained[0]?.components ?? [])
    .map(({ key }) => key)
    .filter((key) => !["fusion.kind", "fusion.class", "fusion.source_sha256"].includes(key));
  const ofFusion = keys.filter((key) => key.startsWith("fusion."));
  const chosen = new Set((ofFusion.length > 0 ? ofFusion : keys).slice(0, maxColumns));
  const columns = keys.map((key): Column => {
    const values = trained.map(
      ({ components }) => components.find((each) => each.key === key)?.value ?? null,
    );
    const ticked = tickedValue(key, new Set(values));
    const title = (ticked === undefined ? undefined : switchTitles[key]) ?? key.split(".").at(-1) ?? key;
    return { key, ticked, title: latexText(title) };
  });
  return {
    shown: columns.filter(({ key }) => chosen.has(key)),
    hidden: columns.filter(({ key }) => !chosen.has(key)),
  };
}

/** What a tick stands for. */
const switchTitles: Record<string, string> = {
  "fusion.text": "words",
  "fusion.interaction": "multiplicative",
};

/** The value that adds something, of a setting that is on or off. */
function tickedValue(key: string, values: Set<string | null>): string | undefined {
  const switches: [off: string, on: string][] = [
    ['"off"', '"on"'],
    ["false", "true"],
    ...(key === "fusion.text" ? [['"pooled"', '"words"'] as [string, string]] : []),
    ...(key === "fusion.interaction" ? [['"additive"', '"multiplicative"'] as [string, string]] : []),
  ];
  const found = switches.find((pair) => [...values].every((value) => value === null || pair.includes(value)));
  return found?.[1];
}

/** A tick, nothing, or the value; a dash where a configuration has no such setting. */
function componentCell({ key, ticked }: Column, components: Component[]): string {
  const value = components.find((each) => each.key === key)?.value ?? null;
  if (value === null) return noLatexValue;
  if (ticked !== undefined) return value === ticked ? tick : "";
  const parsed: unknown = JSON.parse(value);
  return latexText(parsed === null ? "none" : typeof parsed === "string" ? parsed : value);
}

const tick = "$\\checkmark$";

function componentsOf({ settings }: Report, label: string): Component[] {
  return settings.find((setting) => setting.label === label)?.components ?? [];
}

/** Undefined if a report on another split shows other attempts of the configuration, or lacks it. */
function accuracyOn(of: Report, shown: Report, label: string): Interval | undefined {
  const attempts = (report: Report): string =>
    JSON.stringify(
      report.settings
        .find((setting) => setting.label === label)
        ?.trials.map(({ trial_id, attempt }) => [trial_id, attempt]),
    );
  if (attempts(of) !== attempts(shown)) return undefined;
  const setting = of.summary.settings.find((each) => each.label === label);
  return setting === undefined ? undefined : figureOf(setting, "acc_at_50")?.interval;
}

function costCells(report: Report, label: string): [parameters: string, hours: string] {
  const cost = costOf(report, label);
  if (cost === undefined) return [noLatexValue, noLatexValue];
  const { num_trainable_parameters: parameters, trial_hours } = cost;
  return [
    parameters === 0 ? noLatexValue : (parameters / 1e6).toFixed(2),
    trial_hours < 1 ? trial_hours.toFixed(3) : trial_hours.toFixed(1),
  ];
}
