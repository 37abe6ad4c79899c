import type { RootContent } from "mdast";
import { count, formatBytes, formatDuration, joinWords } from "../base/format.ts";
import { none } from "./figures.ts";
import { bullets, code, heading, type Inline, paragraph, table } from "./markdown.ts";
import { type CompletedTrial, completedTrials, type ReportInput, trialName } from "./report-input.ts";

/** Time, memory and where the trials ran. */
export function cost({ trials, summary }: ReportInput): RootContent[] {
  const completed = completedTrials(trials);
  const onDevice = completed.some(({ outcome }) => outcome.peak_memory_bytes.device !== null);
  const kinds = new Set(summary.settings.map(({ kind }) => kind));
  const rows = summary.settings.map((setting) => {
    const trained = setting.kind === "cliprpn";
    const own = completed.filter(({ spec }) => setting.trial_ids.includes(spec.trial_id));
    const { mean, largest } = over(own.map(({ outcome }) => outcome));
    return [
      setting.label,
      trained ? count(Math.round(mean((outcome) => outcome.num_trainable_parameters))) : none,
      formatDuration(mean((outcome) => outcome.durations_ms.features)),
      trained ? formatDuration(mean((outcome) => outcome.durations_ms.training)) : none,
      formatDuration(mean((outcome) => outcome.durations_ms.evaluation)),
      formatDuration(mean((outcome) => outcome.durations_ms.total)),
      formatBytes(largest((outcome) => outcome.peak_memory_bytes.process)),
      ...(onDevice ? [formatBytes(largest((outcome) => outcome.peak_memory_bytes.device ?? 0))] : []),
    ];
  });
  const total = completed.reduce((sum, { outcome }) => sum + outcome.durations_ms.total, 0);
  return [
    heading(2, "Time and cost"),
    table(
      [
        "setting",
        "parameters",
        kinds.has("baseline") ? "preparation" : "features",
        "training",
        "evaluation",
        "whole trial",
        "peak memory",
        ...(onDevice ? ["peak on the device"] : []),
      ],
      rows,
    ),
    paragraph(
      `${kinds.has("cliprpn") ? "Durations are means over seeds. " : ""}${whatIsShared(trials)} A worker runs several trials: its peak memory is that of the largest so far. All trials together: ${formatDuration(total)}.`,
    ),
    heading(2, "Environment"),
    bullets(environments(completed)),
  ];
}

/** What is made once for several trials, in the words of the column that its time stands in. */
function whatIsShared(trials: ReportInput["trials"]): string {
  const baselines = trials.flatMap(({ spec }) => (spec.kind === "baseline" ? [spec.baseline] : []));
  if (baselines.length === 0)
    return "Features are computed once and shared, so only the first trial waits for them.";
  const trains = baselines.some(({ detector }) => detector.kind === "trained_yolo");
  const parts = [
    ...(baselines.length < trials.length ? ["extracts a ClipRPN's frozen features"] : []),
    ...(trains ? ["trains the YOLO of a baseline"] : []),
    "detects a baseline's boxes",
    "lets CLIP see each",
  ];
  return `Preparation ${joinWords(parts)}; what it makes is kept and shared, so only the first trial that needs it waits.`;
}

/** Why a trial is in no figure. */
export function failures({ trials }: ReportInput): RootContent[] {
  const lines = trials.flatMap(({ spec, outcome }): Inline[] => {
    if (outcome?.state === "completed") return [];
    const what = `${trialName(spec)} (`;
    if (outcome === undefined) return [[what, code(spec.trial_id), "): has not run yet"]];
    const { code: kind, message } = outcome.error;
    return [[what, code(spec.trial_id), `): ${kind}: ${message.replace(/\s+/g, " ")}`]];
  });
  return lines.length === 0 ? [] : [heading(2, "Trials without a result"), bullets(lines)];
}

function over<T>(items: T[]): {
  mean: (of: (item: T) => number) => number;
  largest: (of: (item: T) => number) => number;
} {
  return {
    mean: (of) => items.reduce((sum, item) => sum + of(item), 0) / Math.max(1, items.length),
    largest: (of) => Math.max(0, ...items.map(of)),
  };
}

function environments(completed: CompletedTrial[]): string[] {
  return [
    ...new Set(
      completed.map(
        ({ outcome: { environment: e } }) =>
          `${e.platform}; Python ${e.python}, torch ${e.torch}, torchvision ${e.torchvision}, open_clip ${e.open_clip}; ${e.device_name} (${e.device}), ${e.num_threads} ${e.num_threads === 1 ? "thread" : "threads"}`,
      ),
    ),
  ];
}
