import type { RootContent } from "mdast";
import { asSentence, count, counted, joinWords } from "../../base/format.ts";
import type { ClipRpnSpec, StoredComparison, TrialSpec } from "../../contract/generated/types.ts";
import { confidenceOf, hasIntervals } from "../figures.ts";
import { bullets, type Inline, strong } from "../markdown.ts";
import { nameLabels, nameTrials, quoteLabel } from "../names.ts";
import {
  type CompletedTrial,
  completedTrials,
  dataNames,
  epochsByLabel,
  type ReportInput,
  type ReportTrial,
} from "../report-input.ts";
import { rowNoun, runNoun, runsOf } from "../wording.ts";
import { answerLimitations } from "./answers.ts";
import { groupBySameBoxes } from "./baseline-errors.ts";
import { memoryNotes, resumedNote } from "./interruptions.ts";
import { overridesByLabel } from "./overrides.ts";

/** The basis of the result: trials, epochs, expressions, confidence intervals, and use of the test split. */
export function describeBasis(input: ReportInput): string {
  const { summary, numTestLooks, split_description } = input;
  const testUse =
    numTestLooks === 0
      ? "The test splits of this dataset have not been evaluated."
      : `The test splits of this dataset have been evaluated ${numTestLooks === 1 ? "once" : `${count(numTestLooks)} times`}, in all sweeps${input.comparison === undefined ? "" : " and comparisons"} of this runs folder.`;
  const runs = `${runNoun(summary.settings.map(runsOf))}s`;
  const covered = summary.settings.some(({ population }) => population === "procedure")
    ? `of the mean over ${runs}, for images and, with two ${runs} or more, ${runs}`
    : "over images";
  return [
    input.comparison === undefined ? describeSweep(input) : describeComparison(input, input.comparison),
    ...(input.training_set === undefined ? [] : [input.training_set]),
    `Evaluated on ${count(summary.num_sentences)} referring expressions in ${count(summary.num_images)} images of ${split_description}.`,
    ...(hasIntervals(summary)
      ? [
          `Values in parentheses are ${confidenceOf(summary)} confidence intervals ${covered} (see Statistics).`,
        ]
      : []),
    input.comparison === undefined
      ? "A hit has IoU >= 0.5; Acc@0.5 is the fraction of expressions whose highest-scoring box is a hit."
      : "A hit has IoU >= 0.5; Acc@0.5 is the fraction of expressions whose answer is a hit.",
    testUse,
  ].join(" ");
}

function describeSweep({ name, trials }: ReportInput): string {
  const trained = trials.filter(({ spec }) => spec.kind === "cliprpn");
  const once = trained.length > 0 && trained.length < trials.length ? " (a baseline runs once)" : "";
  const complete = `${completedTrials(trials).length} of ${counted(trials.length, "trial")} complete`;
  return `Sweep ${name}: ${complete}${trained.length === 0 ? "" : `, ${describeSeeds(trained)}${once}, ${describeEpochs(trials)}`}.`;
}

/** "Comparison vlms: 3 models, with 5 files of answers and 3 trials." */
function describeComparison({ name, trials, summary }: ReportInput, { models }: StoredComparison): string {
  const num_files = summary.settings
    .filter(({ kind }) => kind === "results")
    .reduce((sum, { seeds }) => sum + seeds.length, 0);
  const parts = [
    ...(num_files > 0 ? [`${counted(num_files, "file")} of answers`] : []),
    ...(trials.length > 0 ? [counted(trials.length, "trial")] : []),
  ];
  return `Comparison ${name}: ${counted(models.length, "model")}${parts.length === 0 ? "" : `, with ${joinWords(parts)}`}.`;
}

/** "3 seeds", "1 to 3 seeds": of a configuration. Others may have seeds of their own. */
function describeSeeds(trained: ReportTrial[]): string {
  const nums = new Map<string, number>();
  for (const { spec } of trained) nums.set(spec.label, (nums.get(spec.label) ?? 0) + 1);
  return countedRange([...nums.values()], "seed");
}

/** "2 epochs", "2 to 30 epochs". */
function describeEpochs(trials: ReportTrial[]): string {
  return countedRange([...epochsByLabel(trials).values()], "epoch");
}

function countedRange(nums: number[], unit: string): string {
  const [least, most] = [nums.reduce((a, b) => Math.min(a, b)), nums.reduce((a, b) => Math.max(a, b))];
  return least === most ? counted(least, unit) : `${least} to ${most} ${unit}s`;
}

/** Limitations of the results. */
export function limitations(input: ReportInput): RootContent[] {
  const { trials, summary, notAsked, dataset_warnings } = input;
  const lines = [...trialNotes(trials, dataset_warnings), ...referenceNote(input)];
  const trained = summary.settings.filter(({ kind }) => kind === "cliprpn");
  const noun = rowNoun(summary.settings);
  if (summary.split === "val" && trained.length > 0) {
    const [kind, affected] =
      trained.length < summary.settings.length ? ["trained ", `trained ${noun}s`] : ["", `all ${noun}s`];
    lines.push(
      `The best epoch of each ${kind}trial was selected on val, so results of ${affected} on val are slightly optimistic.`,
    );
  }
  if (input.dataset.name === "demo") {
    lines.push("Results on the demo dataset do not predict results on RefCOCOg.");
  }
  if (trials.some(({ spec }) => spec.kind === "cliprpn" && spec.settings.limits.train !== null)) {
    lines.push("Training used only part of the train split (limits.train).");
  }
  lines.push(...resumedNote(trials), ...memoryNotes(trials));
  const num_failed = trials.filter(({ outcome }) => outcome?.state === "failed").length;
  if (num_failed > 0) {
    lines.push(
      `${counted(num_failed, "trial")} failed and ${num_failed === 1 ? "is" : "are"} not included in any result; the errors are listed below.`,
    );
  }
  if (notAsked.length > 0) {
    const it = notAsked.length === 1 ? "it" : "them";
    lines.push(
      `Kept but not shown, since only earlier versions of the experiment asked for ${it}: ${nameTrials(notAsked.map((spec) => ({ spec })))}.`,
    );
  }
  const warnings = dataset_warnings.map(
    (line): Inline => [strong("Warning about the data:"), ` ${asSentence(line)}`],
  );
  const ofAnswers = answerLimitations(input.comparison, dataNames(input));
  const all = [...warnings, ...ofAnswers, ...lines];
  return all.length === 0 ? [] : [bullets(all)];
}

const maxKeys = 3;

/** Says what the reference preset is, or that values of it are overridden. */
function referenceNote({ trials, presets, variedKeys }: ReportInput): string[] {
  const specs = trials.flatMap(({ spec }): ClipRpnSpec[] =>
    spec.kind === "cliprpn" && spec.preset === "reference" ? [spec] : [],
  );
  const [first] = specs;
  if (first === undefined) return [];
  const has =
    "its modeling bugs but not its evaluation bugs: it trains on all expressions, without augmentation, with CLIP's BatchNorm frozen";
  const overridden = overridesByLabel(specs, presets, variedKeys);
  const small = first.backbone.name === "cliprpn-tiny" ? ", here with the backbone cliprpn-tiny" : "";
  if (overridden.length === 0)
    return [`The reference preset has the settings of ClipRPN (Trento)${small}. It has ${has}.`];
  const labels = overridden.flatMap((group) => group.labels);
  const keys = [...new Set(overridden.flatMap(({ changes }) => changes.map(({ key }) => key)))];
  const more = keys.length > maxKeys ? ` and ${keys.length - maxKeys} more settings` : "";
  return [
    `${nameLabels(labels)} ${labels.length === 1 ? "does" : "do"} not have the settings of ClipRPN (Trento): the reference preset is overridden in ${joinWords(keys.slice(0, maxKeys))}${more} (see What differs)${small}. It keeps ${has}.`,
  ];
}

/** Notes of the trials, each once, with the configurations that it is about; without those that the dataset itself has. */
function trialNotes(trials: ReportInput["trials"], dataset_warnings: readonly string[]): string[] {
  const completed = completedTrials(trials);
  const labelsOf = new Map<string, Set<string>>();
  for (const { spec, outcome } of completed)
    for (const note of outcome.notes.filter((note) => !dataset_warnings.includes(note)))
      labelsOf.set(note, (labelsOf.get(note) ?? new Set()).add(spec.label));
  const num_settings = new Set(completed.map(({ spec }) => spec.label)).size;
  const nameLabels = namesOfLabels(completed, num_settings);
  return [...labelsOf].map(([note, labels]) =>
    asSentence(num_settings === 1 ? note : `${nameLabels(labels)}: ${note}`),
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
