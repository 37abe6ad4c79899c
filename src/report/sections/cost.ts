import type { RootContent } from "mdast";
import { count, counted, formatBytes, formatDuration, joinWords } from "../../base/format.ts";
import { bullets, code, heading, type Inline, longTable, paragraph } from "../markdown.ts";
import { trialName } from "../names.ts";
import { noValue } from "../points.ts";
import { byId, type CompletedTrial, completedTrials, type ReportInput } from "../report-input.ts";
import { mean, msPerHour } from "../tables/cost-of.ts";
import { rowNoun } from "../wording.ts";
import { machines } from "./machines.ts";

/** Duration, memory and environment of the trials. */
export function cost({ trials, summary, num_slots }: ReportInput): RootContent[] {
  const completed = completedTrials(trials);
  if (completed.length === 0) return [];
  const trialWithId = byId(completed);
  const onDevice = completed.some(({ outcome }) => outcome.peak_memory_bytes.device !== null);
  // Outside models have no trials.
  const settings = summary.settings.filter(({ kind }) => kind !== "results");
  const kinds = new Set(settings.map(({ kind }) => kind));
  const rows = settings.map((setting) => {
    const trained = setting.kind === "cliprpn";
    const outcomes = setting.trial_ids.flatMap((trial_id) => trialWithId.get(trial_id)?.outcome ?? []);
    const meanDuration = (part: keyof (typeof outcomes)[number]["durations_ms"]): string =>
      formatDuration(mean(outcomes.map(({ durations_ms }) => durations_ms[part])));
    const peakMemory = (of: "process" | "device"): string =>
      formatBytes(Math.max(0, ...outcomes.map(({ peak_memory_bytes }) => peak_memory_bytes[of] ?? 0)));
    const num_parameters = mean(outcomes.map(({ num_trainable_parameters }) => num_trainable_parameters));
    return [
      setting.label,
      trained ? count(Math.round(num_parameters)) : noValue,
      meanDuration("features"),
      trained ? meanDuration("training") : noValue,
      meanDuration("evaluation"),
      meanDuration("total"),
      peakMemory("process"),
      ...(onDevice ? [peakMemory("device")] : []),
    ];
  });
  const total_ms = completed.reduce((sum, { outcome }) => sum + outcome.durations_ms.total, 0);
  return [
    heading(2, "Time and memory"),
    ...longTable(
      [
        rowNoun(summary.settings),
        "trainable parameters",
        kinds.has("baseline") ? "preparation" : "features",
        "training",
        "evaluation",
        "whole trial",
        "peak memory",
        ...(onDevice ? ["peak device memory"] : []),
      ],
      rows,
    ),
    paragraph(
      `${kinds.has("cliprpn") ? "Durations are means over seeds. " : ""}${describeShared(trials)} A worker runs several trials, so its peak memory is the maximum over the trials so far. All trials took ${formatDuration(total_ms)} in total${num_slots === undefined || num_slots === 1 ? "" : `; up to ${num_slots} ran at the same time`}.`,
    ),
    heading(2, "Environment"),
    ...machines(completed),
    bullets(environments(completed)),
  ];
}

/** Training hours of one run, the mean over seeds, by label; only of configurations that train something. */
export function trainingHours({
  trials,
  summary,
}: Pick<ReportInput, "trials" | "summary">): Map<string, number> {
  const trialWithId = byId(completedTrials(trials));
  return new Map(
    summary.settings
      .filter(({ kind }) => kind === "cliprpn")
      .map(({ label, trial_ids }) => {
        const outcomes = trial_ids.flatMap((trial_id) => trialWithId.get(trial_id)?.outcome ?? []);
        return [label, mean(outcomes.map(({ durations_ms }) => durations_ms.training)) / msPerHour] as const;
      }),
  );
}

/** Describes the work that several trials share, by the column that has its duration. */
function describeShared(trials: ReportInput["trials"]): string {
  const baselines = trials.flatMap(({ spec }) => (spec.kind === "baseline" ? [spec.baseline] : []));
  if (baselines.length === 0)
    return "Features are computed once and shared, so only the first trial waits for them.";
  const trainsYolo = baselines.some(({ detector }) => detector.kind === "trained_yolo");
  const steps = [
    ...(baselines.length < trials.length ? ["extracting the frozen features of a ClipRPN"] : []),
    ...(trainsYolo ? ["training the YOLO of a baseline"] : []),
    "detecting the boxes of a baseline",
    "encoding each box with CLIP",
  ];
  return `Preparation is ${joinWords(steps)}. The results are cached and shared, so only the first trial that needs them waits.`;
}

function environments(completed: CompletedTrial[]): string[] {
  return [
    ...new Set(
      completed.map(
        ({ outcome: { environment: e, precision } }) =>
          `${e.platform}; Python ${e.python}, torch ${e.torch}, torchvision ${e.torchvision}, open_clip ${e.open_clip}; ${e.device_name} (${e.device.split(":")[0]}), ${counted(e.num_threads, "thread")}${precision === "bf16" ? ", trained in bf16" : ""}`,
      ),
    ),
  ];
}

/** Trials without a result, with the reason. */
export function failures({ trials }: ReportInput): RootContent[] {
  const lines = trials.flatMap(({ spec, outcome }): Inline[] => {
    if (outcome?.state === "completed") return [];
    const name = `${trialName(spec)} (`;
    if (outcome === undefined) return [[name, code(spec.trial_id), "): not run yet"]];
    const { code: error_code, message } = outcome.error;
    return [[name, code(spec.trial_id), `): ${error_code}: ${message.replace(/\s+/g, " ")}`]];
  });
  return lines.length === 0 ? [] : [heading(2, "Trials without a result"), bullets(lines)];
}
