import type { RootContent } from "mdast";
import { count } from "../count.ts";
import { bytes, duration } from "./format.ts";
import { bullets, code, heading, type Inline, paragraph, table } from "./markdown.ts";
import { type CompletedTrial, completedTrials, type ReportInput } from "./report-input.ts";

/** Time, memory and where the trials ran. */
export function cost({ trials, summary }: ReportInput): RootContent[] {
  const completed = completedTrials(trials);
  const onDevice = completed.some(({ outcome }) => outcome.peak_memory_bytes.device !== null);
  const rows = summary.settings.map((setting) => {
    const own = completed.filter(({ spec }) => setting.trial_ids.includes(spec.trial_id));
    const { mean, largest } = over(own.map(({ outcome }) => outcome));
    return [
      setting.label,
      count(Math.round(mean((outcome) => outcome.num_trainable_parameters))),
      duration(mean((outcome) => outcome.durations_ms.features)),
      duration(mean((outcome) => outcome.durations_ms.training)),
      duration(mean((outcome) => outcome.durations_ms.evaluation)),
      duration(mean((outcome) => outcome.durations_ms.total)),
      bytes(largest((outcome) => outcome.peak_memory_bytes.process)),
      ...(onDevice ? [bytes(largest((outcome) => outcome.peak_memory_bytes.device ?? 0))] : []),
    ];
  });
  const total = completed.reduce((sum, { outcome }) => sum + outcome.durations_ms.total, 0);
  return [
    heading(2, "Time and cost"),
    table(
      [
        "setting",
        "parameters",
        "features",
        "training",
        "evaluation",
        "whole trial",
        "peak memory",
        ...(onDevice ? ["peak on the device"] : []),
      ],
      rows,
    ),
    paragraph(
      `Durations are means over seeds; features are computed once and shared, so only the first trial waits for them. A worker runs several trials: its peak memory is that of the largest so far. All trials together: ${duration(total)}.`,
    ),
    heading(2, "Environment"),
    bullets(environments(completed)),
  ];
}

/** Why a trial is in no figure. */
export function failures({ trials }: ReportInput): RootContent[] {
  const lines = trials.flatMap(({ spec, outcome }): Inline[] => {
    if (outcome?.state === "completed") return [];
    const what = `${spec.label}, seed ${spec.seed} (`;
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
