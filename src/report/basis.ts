import type { RootContent } from "mdast";
import { count, joinWords, percent } from "../base/format.ts";
import type { TrialSpec } from "../contract/generated/types.ts";
import { bullets } from "./markdown.ts";
import { quoted } from "./points.ts";
import { type CompletedTrial, completedTrials, type ReportInput, trialName } from "./report-input.ts";
import { sameBoxes } from "./same-boxes.ts";

/** What the answer rests on: trials, sentences, how intervals were made, how often test was looked at. */
export function basis({ summary, trials, name, testReads }: ReportInput): string {
  const trained = trials.filter(({ spec }) => spec.kind === "cliprpn");
  const seeds = new Set(trained.map(({ spec }) => spec.seed)).size;
  const once = trained.length > 0 && trained.length < trials.length ? " (a baseline runs once)" : "";
  const complete = `${completedTrials(trials).length} of ${trials.length} ${trials.length === 1 ? "trial" : "trials"} complete`;
  const looks =
    testReads === 0
      ? "The test split has not been looked at."
      : `The test split has been looked at ${testReads === 1 ? "once" : `${count(testReads)} times`} in this sweep.`;
  return [
    `Sweep ${name}: ${complete}${seeds === 0 ? "" : `, ${seeds} ${seeds === 1 ? "seed" : "seeds"}${once}`};`,
    `${count(summary.num_sentences)} sentences on ${count(summary.num_images)} images of ${summary.split}.`,
    `In parentheses: ${percent(summary.confidence, 0)} intervals${seeds === 0 ? "" : " of the mean over seeds"}, by bootstrap over images (${count(summary.num_resamples)} resamples).`,
    "A hit is IoU >= 0.5; Acc@0.5 is the share of sentences whose best-scoring box is a hit.",
    looks,
  ].join(" ");
}

/** What a reader has to know to read the figures rightly. */
export function notes({ trials, summary, sourcesToday }: ReportInput): RootContent[] {
  const lines = trialNotes(trials);
  const trained = summary.settings.filter(({ kind }) => kind === "cliprpn");
  if (summary.split === "val" && trained.length > 0) {
    const [whose, flattered] =
      trained.length < summary.settings.length ? ["trained ", "trained settings"] : ["", "all settings"];
    lines.push(
      `Each ${whose}trial's best epoch was chosen on val, so figures on val flatter ${flattered} a little.`,
    );
  }
  if (trials.some(({ spec }) => spec.kind === "cliprpn" && spec.preset === "reference")) {
    lines.push(
      "The reference preset keeps the original's settings and bugs of modelling, but not its bugs of evaluation: it trains on all sentences, without augmentation, with CLIP's BatchNorm frozen.",
    );
  }
  if (trials.some(({ spec }) => spec.dataset.name === "demo")) {
    lines.push("Figures on the demo data set forecast nothing about RefCOCOg.");
  }
  if (trained.some(({ trial_ids }) => trial_ids.length < 2)) {
    lines.push("A setting with one seed shows nothing of the spread between seeds.");
  }
  if (trials.some(({ spec }) => spec.kind === "cliprpn" && spec.settings.limits.train !== null)) {
    lines.push("Training was limited to part of the train split (limits.train).");
  }
  const failed = trials.filter(({ outcome }) => outcome?.state === "failed").length;
  if (failed > 0) {
    lines.push(
      `${failed} ${failed === 1 ? "trial" : "trials"} failed and ${failed === 1 ? "is" : "are"} not in any figure; the reasons are below.`,
    );
  }
  const stale = completedTrials(trials).filter(({ outcome }) => outcome.sources_sha256 !== sourcesToday);
  if (stale.length > 0) {
    const rows = stale.map(({ spec }) => trialName(spec)).join("; ");
    lines.push(`Stale, made by other Python sources or another lock than today's: ${rows}.`);
  }
  return lines.length === 0 ? [] : [bullets(lines)];
}

/** What the trials themselves say, each sentence once, with the settings that it is about. */
function trialNotes(trials: ReportInput["trials"]): string[] {
  const completed = completedTrials(trials);
  const about = new Map<string, Set<string>>();
  for (const { spec, outcome } of completed)
    for (const note of outcome.notes) about.set(note, (about.get(note) ?? new Set()).add(spec.label));
  const settings = new Set(completed.map(({ spec }) => spec.label));
  return [...about].map(([note, labels]) =>
    settings.size === 1 ? note : `${whose(labels, completed)}: ${note}`,
  );
}

function whose(labels: Set<string>, completed: CompletedTrial[]): string {
  const has = ({ spec }: { spec: TrialSpec }): boolean => labels.has(spec.label);
  const baselines = completed.flatMap(({ spec }) => (spec.kind === "baseline" ? [{ spec }] : []));
  if (completed.every(has)) return "All settings";
  if (labels.size === baselines.length && baselines.every(has)) return "All baselines";
  const whole = sameBoxes(baselines).filter(({ members }) => members.every(has));
  const named = new Set(whole.flatMap(({ members }) => members.map(({ spec }) => spec.label)));
  const others = [...labels].filter((label) => !named.has(label));
  return joinWords([...whole.map(({ name }) => name), ...others].map(quoted));
}
