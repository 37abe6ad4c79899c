import type { RootContent } from "mdast";
import { count, counted, joinWords } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import type { ClipRpnSpec } from "../../contract/generated/types.ts";
import { processorOf } from "../machines.ts";
import { bullets, heading, paragraph } from "../markdown.ts";
import { maxNames, nameLabels, nameParts, nameTrials, quoteLabel } from "../names.ts";
import { completedTrials, epochsByLabel, type ReportInput, type ReportTrial } from "../report-input.ts";
import { overridesByLabel } from "./overrides.ts";

/** What differs between the configurations beyond what the experiment varies, and what may limit a comparison. */
export function whatDiffers(input: ReportInput): RootContent[] {
  const lines = differences(input);
  if (lines.length === 0) return [];
  return [
    heading(2, "What differs"),
    paragraph("Besides what the experiment varies, these may affect the comparison:"),
    bullets(lines),
  ];
}

/** One line for each kind of difference. */
function differences(input: ReportInput): string[] {
  const { trials } = input;
  const completed = completedTrials(trials);
  return [
    ...epochs(input),
    ...rising(input),
    ...overrides(input),
    ...seeds(input),
    ...stale(trials),
    ...imported(trials),
    ...split("Processors", completed, processorOf),
    ...precisions(completed),
    ...split("Versions of torch", completed, ({ outcome }) => outcome.environment.torch),
  ];
}

/** Only if they differ: the basis of the report has the number that all share. */
function epochs({ trials }: ReportInput): string[] {
  const groups = groupBy(epochsByLabel(trials), ([, num]) => num);
  if (groups.size < 2) return [];
  const parts = [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([num, group]) => `${counted(num, "epoch")}: ${nameLabels(group.map(([label]) => label))}`);
  return [`Training budgets differ. ${parts.join("; ")}.`];
}

function rising({ summary, trials }: ReportInput): string[] {
  const labels = summary.settings
    .filter(({ still_rising }) => still_rising === true)
    .map(({ label }) => label);
  if (labels.length === 0) return [];
  const epochsOf = epochsByLabel(trials);
  const nums = [...new Set(labels.flatMap((label) => epochsOf.get(label) ?? []))].toSorted((a, b) => a - b);
  const after =
    nums.length === 0
      ? ""
      : ` (after ${nums.length > 3 ? `${nums[0]} to ${nums.at(-1)}` : joinWords(nums.map(String))} epochs)`;
  return [
    `Still rising at the last epoch${after}: ${nameLabels(labels)}. More epochs may change the result.`,
  ];
}

function overrides(input: ReportInput): string[] {
  const trained = input.trials.flatMap(({ spec }): ClipRpnSpec[] => (spec.kind === "cliprpn" ? [spec] : []));
  const groups = overridesByLabel(trained, input.presets, input.variedKeys);
  const num_labels = new Set(trained.map(({ label }) => label)).size;
  const lines = groups.slice(0, maxNames).map(({ preset, labels, changes }) => {
    const who = labels.length === num_labels ? "All trained configurations" : nameLabels(labels);
    const shown = changes
      .slice(0, maxChanges)
      .map(({ key, value, usual }) => `${key} ${value} (preset: ${usual})`);
    const more = changes.length > maxChanges ? `, and ${changes.length - maxChanges} more` : "";
    const verb = labels.length === 1 && num_labels > 1 ? "overrides" : "override";
    return `${who} ${verb} the ${preset} preset: ${shown.join(", ")}${more}.`;
  });
  const num_left = groups.length - lines.length;
  return num_left > 0 ? [...lines, `${count(num_left)} more sets of overridden values.`] : lines;
}

const maxChanges = 12;

/** Configurations with other seeds than the rest, or with seeds that did not finish. */
function seeds({ summary }: ReportInput): string[] {
  const trained = summary.settings.filter(({ kind }) => kind === "cliprpn");
  const groups = groupBy(trained, ({ seeds: all }) => joinWords(all.map(String)));
  const missing = trained
    .filter(({ seeds: all, num_planned_seeds }) => all.length < num_planned_seeds)
    .map(
      ({ label, seeds: all, num_planned_seeds }) =>
        `${all.length} of ${num_planned_seeds} of ${quoteLabel(label)}`,
    );
  return [
    ...(missing.length === 0 ? [] : [`Seeds without a result: only ${nameParts(missing)} finished.`]),
    ...(groups.size < 2
      ? []
      : [
          `Seeds differ. ${nameParts([...groups].map(([all, group]) => `${all}: ${nameLabels(group.map(({ label }) => label))}`))}.`,
        ]),
  ];
}

function stale(trials: ReportTrial[]): string[] {
  const marked = trials.filter(({ isStale }) => isStale);
  if (marked.length === 0) return [];
  return [
    `Stale results, made by other code or packages than the current ones: ${nameTrials(marked, trials)}.`,
  ];
}

function imported(trials: ReportTrial[]): string[] {
  const marked = trials.filter(({ origin }) => origin?.kind === "import");
  if (marked.length === 0) return [];
  const archives = [...new Set(marked.map(({ origin }) => origin?.from))].join(", ");
  return [`Imported results, which did not run here (from ${archives}): ${nameTrials(marked, trials)}.`];
}

/** `auto` depends on the device, so that trials with one setting may have computed with two precisions. */
function precisions(trials: ReturnType<typeof completedTrials>): string[] {
  const auto = trials.filter(
    ({ spec }) => spec.kind === "cliprpn" && spec.settings.training.precision === "auto",
  );
  const groups = groupBy(auto, ({ outcome }) => outcome.precision ?? "an unknown precision");
  if (groups.size < 2) return [];
  const parts = [...groups].map(([precision, group]) => `${precision} (${nameTrials(group, trials)})`);
  return [`Precisions of training differ, since training.precision is auto: ${nameParts(parts)}.`];
}

/** A line if the completed trials differ in this property; the most frequent value needs no names. */
function split<T extends Pick<ReportTrial, "spec">>(
  title: string,
  trials: T[],
  propertyOf: (trial: T) => string,
): string[] {
  const groups = [...groupBy(trials, propertyOf)].toSorted(([, a], [, b]) => b.length - a.length);
  if (groups.length < 2) return [];
  const parts = groups.map(([value, members], index) =>
    index === 0
      ? `${value} (${counted(members.length, "trial")})`
      : `${value} (${nameTrials(members, trials)})`,
  );
  return [`${title} differ, which changes the last bits of the results: ${nameParts(parts)}.`];
}
