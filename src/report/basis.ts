import type { RootContent } from "mdast";
import { count } from "../count.ts";
import { percent } from "./format.ts";
import { bullets } from "./markdown.ts";
import { completedTrials, type ReportInput } from "./report-input.ts";

/** What the answer rests on: trials, sentences, how intervals were made, how often test was looked at. */
export function basis({ summary, trials, name, testReads }: ReportInput): string {
  const seeds = new Set(trials.map(({ spec }) => spec.seed)).size;
  const looks =
    testReads === 0
      ? "The test split has not been looked at."
      : `The test split has been looked at ${testReads === 1 ? "once" : `${count(testReads)} times`} in this sweep.`;
  return [
    `Sweep ${name}: ${completedTrials(trials).length} of ${trials.length} trials complete, ${seeds} ${seeds === 1 ? "seed" : "seeds"};`,
    `${count(summary.num_sentences)} sentences on ${count(summary.num_images)} pictures of ${summary.split}.`,
    `In parentheses: ${percent(summary.confidence, 0)} intervals of the mean over seeds, by bootstrap over pictures (${count(summary.num_resamples)} resamples).`,
    "A hit is IoU >= 0.5; Acc@0.5 is the share of sentences whose best-scoring box is a hit.",
    looks,
  ].join(" ");
}

/** What a reader has to know to read the figures rightly. */
export function notes({ trials, summary, sourcesToday }: ReportInput): RootContent[] {
  const lines: string[] = [];
  if (summary.split === "val") {
    lines.push("Each trial's best epoch was chosen on val, so figures on val flatter all settings a little.");
  }
  if (trials.some(({ spec }) => spec.kind === "cliprpn" && spec.preset === "reference")) {
    lines.push(
      "The reference preset keeps the original's settings and bugs of modelling, but not its bugs of evaluation: it trains on all sentences, without augmentation, with CLIP's BatchNorm frozen.",
    );
  }
  if (trials.some(({ spec }) => spec.dataset.name === "demo")) {
    lines.push("Figures on the demo data set forecast nothing about RefCOCOg.");
  }
  if (summary.settings.some(({ trial_ids }) => trial_ids.length < 2)) {
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
    const rows = stale.map(({ spec }) => `${spec.label}, seed ${spec.seed}`).join("; ");
    lines.push(`Stale, made by other Python sources or another lock than today's: ${rows}.`);
  }
  return lines.length === 0 ? [] : [bullets(lines)];
}
