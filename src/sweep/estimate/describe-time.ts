import { counted, formatDuration, joinWords } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import type { SweepEstimate, Timing } from "../../contract/generated/types.ts";

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

/** Where the time of trials comes from: "from 12 earlier trials; for film from what `cliprpn preflight` measured". */
function describeBasis({ basis, num_slots }: Pick<SweepEstimate, "basis" | "num_slots">): string {
  const texts = sources.flatMap((source) => {
    const found = basis.filter((each) => each.source === source);
    return [...groupBy(found, ({ seen_at_once }) => shownNumber(seen_at_once)).values()].map((group) => {
      const whose = group.length === basis.length ? "" : `for ${namedSome(group.map(({ label }) => label))} `;
      const most = Math.max(...group.map(({ num_seen }) => num_seen));
      return `${whose}from ${sourceTexts[source](most, group.length)}${otherSlots(group[0].seen_at_once, num_slots)}`;
    });
  });
  return texts.join("; ");
}

/** Trials slow each other down. */
function otherSlots(at_once: number | null | undefined, num_slots: number): string {
  if (at_once === undefined) return "";
  if (at_once === null) return ", with an unknown number at the same time";
  const ran = `, which ran ${shownNumber(at_once)} at a time, not ${num_slots}`;
  return at_once > num_slots
    ? `${ran}: each may take less`
    : `${ran}: each may take up to ${shownNumber(num_slots / at_once)} times as long`;
}

function shownNumber(number: number | null | undefined): string {
  return number == null ? String(number) : String(Math.round(10 * number) / 10);
}

const sources = ["same_trials", "preflight", "other_data", "other_settings"] as const;

const sourceTexts: Record<(typeof sources)[number], (most: number, num: number) => string> = {
  same_trials: (most, num) =>
    num === 1 ? counted(most, "earlier trial") : `up to ${counted(most, "earlier trial")} of each`,
  preflight: () => "what `cliprpn preflight` measured here",
  other_data: (most) => `up to ${counted(most, "earlier trial")} on other data`,
  other_settings: (most) => `up to ${counted(most, "earlier trial")} with other settings`,
};

/** The first of some configurations by name. */
export function namedSome(labels: readonly string[]): string {
  if (labels.length <= maxNamed) return joinWords(labels);
  return joinWords([
    ...labels.slice(0, maxNamed - 1),
    `${labels.length - maxNamed + 1} other configurations`,
  ]);
}

const maxNamed = 3;

/** The lines about time. @param preflight the command that measures what is not known. */
export function timeLines(estimate: SweepEstimate, preflight: string): string[] {
  const { time, trials_time, unknown, num_trials } = estimate;
  const parts = unknown.join("; ");
  if (num_trials > 0 && trials_time === null)
    return [`unknown: ${parts}`, `no trials like these have run here; measure with ${preflight}`];
  const trials = trials_time === null || num_trials === 0 ? [] : [trialsLine(trials_time, estimate)];
  const all = time === null || time.ms === 0 ? [] : [`${describeTiming(time)} for the whole command`];
  return [...trials, ...all, ...(unknown.length > 0 ? [`not counted: ${parts}`] : [])];
}

function trialsLine(trials_time: Timing, estimate: SweepEstimate): string {
  const spread = trials_time.low_ms < trials_time.high_ms ? "" : "; one trial shows no spread";
  return `${describeTiming(trials_time)} for the trials, ${describeBasis(estimate)}${spread}`;
}
