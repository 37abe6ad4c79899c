import type { RootContent } from "mdast";
import { count, counted, joinWords, percent } from "../base/format.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import { groupBySameBoxes } from "./baseline-errors.ts";
import { bullets } from "./markdown.ts";
import {
  type CompletedTrial,
  completedTrials,
  quoteLabel,
  type ReportInput,
  type ReportTrial,
  trialName,
} from "./report-input.ts";

/** The basis of the result: trials, expressions, confidence intervals, and use of the test split. */
export function describeBasis({ summary, trials, name, numTestLooks }: ReportInput): string {
  const trained = trials.filter(({ spec }) => spec.kind === "cliprpn");
  const num_seeds = new Set(trained.map(({ spec }) => spec.seed)).size;
  const once = trained.length > 0 && trained.length < trials.length ? " (a baseline runs once)" : "";
  const complete = `${completedTrials(trials).length} of ${counted(trials.length, "trial")} complete`;
  const testUse =
    numTestLooks === 0
      ? "The test splits of this dataset have not been evaluated."
      : `The test splits of this dataset have been evaluated ${numTestLooks === 1 ? "once" : `${count(numTestLooks)} times`}, in all sweeps of this runs folder.`;
  return [
    `Sweep ${name}: ${complete}${num_seeds === 0 ? "" : `, ${counted(num_seeds, "seed")}${once}`}.`,
    `Evaluated on ${count(summary.num_sentences)} referring expressions in ${count(summary.num_images)} images of ${summary.split}.`,
    `Values in parentheses are ${percent(summary.confidence, 0)} confidence intervals${num_seeds === 0 ? "" : " of the mean over seeds"}, from a bootstrap over images (${count(summary.num_resamples)} resamples).`,
    "A hit has IoU >= 0.5; Acc@0.5 is the fraction of expressions whose highest-scoring box is a hit.",
    testUse,
  ].join(" ");
}

/** Limitations of the results. */
export function limitations(input: ReportInput): RootContent[] {
  const { trials, summary, notAsked } = input;
  const lines = [...trialNotes(trials), ...presetNotes(input)];
  const trained = summary.settings.filter(({ kind }) => kind === "cliprpn");
  if (summary.split === "val" && trained.length > 0) {
    const [kind, affected] =
      trained.length < summary.settings.length
        ? ["trained ", "trained configurations"]
        : ["", "all configurations"];
    lines.push(
      `The best epoch of each ${kind}trial was selected on val, so results of ${affected} on val are slightly optimistic.`,
    );
  }
  if (trials.some(({ spec }) => spec.dataset.name === "demo")) {
    lines.push("Results on the demo dataset do not predict results on RefCOCOg.");
  }
  if (trained.some(({ trial_ids }) => trial_ids.length < 2)) {
    lines.push("The variance between seeds is unknown for a configuration with one seed.");
  }
  if (trials.some(({ spec }) => spec.kind === "cliprpn" && spec.settings.limits.train !== null)) {
    lines.push("Training used only part of the train split (limits.train).");
  }
  const num_failed = trials.filter(({ outcome }) => outcome?.state === "failed").length;
  if (num_failed > 0) {
    lines.push(
      `${counted(num_failed, "trial")} failed and ${num_failed === 1 ? "is" : "are"} not included in any result; the errors are listed below.`,
    );
  }
  const namesOf = (marked: ReportTrial[]): string => marked.map(({ spec }) => trialName(spec)).join("; ");
  const stale = trials.filter(({ isStale }) => isStale);
  if (stale.length > 0)
    lines.push(`Stale results, made by other code or packages than the current ones: ${namesOf(stale)}.`);
  const imported = trials.filter(({ origin }) => origin?.kind === "import");
  if (imported.length > 0) {
    const archives = [...new Set(imported.map(({ origin }) => origin?.from))].join(", ");
    lines.push(`Imported results, which did not run here (from ${archives}): ${namesOf(imported)}.`);
  }
  if (notAsked.length > 0) {
    const names = notAsked.slice(0, maxNames).map(trialName);
    const more = notAsked.length > maxNames ? `; and ${count(notAsked.length - maxNames)} more` : "";
    lines.push(
      `Kept but not shown, since only earlier versions of the experiment asked for ${notAsked.length === 1 ? "it" : "them"}: ${names.join("; ")}${more}.`,
    );
  }
  return lines.length === 0 ? [] : [bullets(lines)];
}

const maxNames = 20;

/** Describes the reference preset, and lists every configuration with another number of epochs than its preset. */
function presetNotes({ trials, presets }: ReportInput): string[] {
  const trained = trials.flatMap(({ spec }) => (spec.kind === "cliprpn" ? [spec] : []));
  const reference = trained.some(({ preset }) => preset === "reference")
    ? [
        "The reference preset has the settings of ClipRPN (Trento), including its modeling bugs but not its evaluation bugs: it trains on all expressions, without augmentation, with CLIP's BatchNorm frozen.",
      ]
    : [];
  const changed = trained.flatMap(({ label, preset, settings }) => {
    const { num_epochs } = settings.training;
    const usual = presets[preset].training.num_epochs;
    if (num_epochs === usual) return [];
    return `${quoteLabel(label)} ran with the ${preset} preset, ${counted(num_epochs, "epoch")} (preset: ${usual}).`;
  });
  return [...reference, ...new Set(changed)];
}

/** Notes of the trials, each once, with the configurations that it is about. */
function trialNotes(trials: ReportInput["trials"]): string[] {
  const completed = completedTrials(trials);
  const labelsOf = new Map<string, Set<string>>();
  for (const { spec, outcome } of completed)
    for (const note of outcome.notes) labelsOf.set(note, (labelsOf.get(note) ?? new Set()).add(spec.label));
  const num_settings = new Set(completed.map(({ spec }) => spec.label)).size;
  const nameLabels = namesOfLabels(completed, num_settings);
  return [...labelsOf].map(([note, labels]) =>
    num_settings === 1 ? note : `${nameLabels(labels)}: ${note}`,
  );
}

/** Names labels: "All baselines", or the labels; baselines with the same boxes by their common name. */
function namesOfLabels(completed: CompletedTrial[], num_settings: number): (labels: Set<string>) => string {
  const baselines = completed.flatMap(({ spec }) => (spec.kind === "baseline" ? [{ spec }] : []));
  const groups = groupBySameBoxes(baselines);
  const groupOf = new Map(
    groups.flatMap((group) => group.members.map(({ spec }) => [spec.label, group] as const)),
  );
  return (labels) => {
    const included = ({ spec }: { spec: TrialSpec }): boolean => labels.has(spec.label);
    if (labels.size === num_settings) return "All configurations";
    if (labels.size === baselines.length && baselines.every(included)) return "All baselines";
    const complete = new Set([...labels].flatMap((label) => groupOf.get(label) ?? []));
    for (const group of complete) if (!group.members.every(included)) complete.delete(group);
    const others = [...labels].filter((label) => {
      const group = groupOf.get(label);
      return group === undefined || !complete.has(group);
    });
    return joinWords([...[...complete].map(({ name }) => name), ...others].map(quoteLabel));
  };
}
