import type { RootContent } from "mdast";
import { counted, formatBytes, formatDuration } from "../../base/format.ts";
import type { SweepEstimate, SweepStart, Timing } from "../../contract/generated/types.ts";
import { heading, paragraph, table } from "../markdown.ts";
import { noValue } from "../points.ts";
import type { ReportInput } from "../report-input.ts";

/** What the starts of the sweep were expected to take, beside what they took. */
export function starts({ starts = [] }: Pick<ReportInput, "starts">): RootContent[] {
  const shown = starts.slice(-maxShown);
  if (shown.length === 0) return [];
  return [
    heading(2, "Estimated and measured"),
    table(
      ["start", "trials", "time, estimated", "time, measured", "disk, estimated", "disk, measured"],
      shown.map(rowOf),
      2,
    ),
    paragraph(explanation(starts.length, shown.length)),
  ];
}

const maxShown = 10;

function rowOf({ started_at, estimate, measured }: SweepStart): string[] {
  const planned = estimate?.num_trials ?? 0;
  const ended = measured === null ? `of ${planned}, not ended` : `${measured.num_ended} of ${planned}`;
  return [
    `${started_at.slice(0, 16).replace("T", " ")} UTC`,
    measured?.is_interrupted === true ? `${ended}, interrupted` : ended,
    timeText(estimate?.trials_time ?? null),
    measured === null ? noValue : formatDuration(measured.duration_ms),
    estimate === null ? noValue : keptText(estimate),
    measured === null ? noValue : formatBytes(measured.written_bytes),
  ];
}

/** "12 min 0 s (10 min 1 s to 14 min 2 s)". */
function timeText(time: Timing | null): string {
  if (time === null) return "not known";
  const [about, low, high] = [time.ms, time.low_ms, time.high_ms].map(formatDuration);
  return low === high ? `${about}` : `${about} (${low} to ${high})`;
}

/** Of the files that trials make and that are kept. */
function keptText({ disk }: SweepEstimate): string {
  const kept = disk.parts.filter(({ part }) => !notCompared.has(part));
  const bytes = formatBytes(kept.reduce((sum, part) => sum + (part.bytes ?? 0), 0));
  if (kept.every((part) => part.bytes !== null)) return bytes;
  return kept.some((part) => part.bytes !== null) ? `at least ${bytes}` : "not known";
}

/** Made before or after the trials, or removed with them. */
const notCompared: ReadonlySet<string> = new Set(["images", "answers", "checkpoints"]);

function explanation(num: number, numShown: number): string {
  const several =
    num === 1
      ? ""
      : ` The sweep was started ${num} times: each row compares one start with the estimate for what was left then${numShown < num ? `; the last ${counted(numShown, "start")} are shown` : ""}. A start that was killed was not measured.`;
  return `Time: of the features and the trials, to the end of the last trial; what was measured has the start of the workers, too. Disk: features, detections, embeddings, models and predictions that were new and are kept.${several}`;
}
