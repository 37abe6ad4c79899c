import { counted, formatDuration, joinWords } from "../../base/format.ts";
import type { EstimateBasis, SweepEstimate, Timing } from "../../contract/generated/types.ts";
import { sum } from "./timing.ts";

/** "about 42 min (38 min to 51 min)"; without the range if only one trial was seen. */
export function describeTiming({ ms, low_ms, high_ms }: Timing): string {
  const [about, low, high] = [ms, low_ms, high_ms].map(shortDuration);
  return low === about && high === about ? `about ${about}` : `about ${about} (${low} to ${high})`;
}

/** Of an estimate, no seconds beside minutes: "42 min", "1 h 5 min", "8.2 s". */
export function shortDuration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes >= 3 && minutes < 60 ? `${minutes} min` : formatDuration(ms);
}

/** Where the time of trials comes from: "from 12 earlier trials of these configurations". */
export function describeBasis(basis: readonly EstimateBasis[]): string {
  const texts = sources.flatMap((source) => {
    const found = basis.filter((each) => each.source === source);
    if (found.length === 0) return [];
    if (source === "preflight") return ["what `cliprpn preflight` measured here"];
    const num = sum(found.map(({ num_seen }) => num_seen));
    return [`${counted(num, "earlier trial")} ${sourceTexts[source]}`];
  });
  return texts.length === 0 ? "" : `from ${joinWords(texts)}`;
}

const sources = ["same_trials", "preflight", "other_data", "other_settings"] as const;

const sourceTexts = {
  same_trials: "of these configurations",
  other_data: "of these configurations on other data",
  other_settings: "with other settings",
} as const;

/** The lines about time. @param preflight the command that measures what is not known. */
export function timeLines(estimate: SweepEstimate, preflight: string): string[] {
  const { time, trials_time, unknown, basis, num_trials } = estimate;
  if (num_trials === 0 && (time === null || time.ms === 0))
    return unknown.length === 0 ? [] : notKnown(estimate, preflight);
  const hasSpread = trials_time !== null && trials_time.low_ms < trials_time.high_ms;
  const spread = trials_time === null || hasSpread ? "" : "; its spread is not known from so few";
  const trials =
    trials_time === null || num_trials === 0
      ? []
      : [`${describeTiming(trials_time)} for the trials, ${describeBasis(basis)}${spread}`];
  const all = time === null ? [] : [`${describeTiming(time)} for the whole command`];
  return [...trials, ...all, ...notKnown(estimate, preflight)];
}

function notKnown({ unknown, trials_time }: SweepEstimate, preflight: string): string[] {
  if (unknown.length === 0) return [];
  const what = `${trials_time === null ? "unknown" : "not counted"}: ${unknown.join("; ")}`;
  return [`${what}. ${preflight} measures what can be measured`];
}
