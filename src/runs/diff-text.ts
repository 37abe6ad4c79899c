import { metricTitles } from "../report/figures.ts";
import { points, signedPoints } from "../report/points.ts";
import type { CodeDiff, ComparedTrial, TrialDiff } from "./diff-trials.ts";
import { filled, indented, textTable, valueText } from "./text.ts";

/** The differences for a terminal of 80 columns. */
export function diffText({ a, b, settings, code, environment, metrics }: TrialDiff): string {
  const blocks = [
    [...filled(`a: ${nameOf(a)}`), ...filled(`b: ${nameOf(b)}`)],
    differenceLines("Settings", settings),
    codeLines(code),
    ...(metrics.length === 0 ? [] : [differenceLines("Environment", environment)]),
    metrics.length === 0
      ? ["Metrics: not compared, since not both attempts are complete"]
      : [
          "Metrics on val (%):",
          ...textTable(
            [
              ["", "a", "b", "b - a"],
              ...metrics.map(({ metric, a, b, difference }) => [
                metricTitles[metric],
                points(a),
                points(b),
                signedPoints(difference),
              ]),
            ],
            1,
          ),
          ...(a.num_sentences === b.num_sentences
            ? []
            : filled(
                `The metrics are of different expressions: ${a.num_sentences} (a) and ${b.num_sentences} (b).`,
              )),
        ],
  ];
  return blocks.map((lines) => lines.join("\n")).join("\n\n");
}

function nameOf({ trial_id, label, attempt, state }: ComparedTrial): string {
  const name = label === null ? trial_id : `${trial_id} (${label})`;
  return attempt === null ? `${name}, no attempt` : `${name}, attempt ${attempt}, ${state}`;
}

function differenceLines(title: string, rows: TrialDiff["settings"]): string[] {
  if (rows.length === 0) return [`${title}: the same`];
  const cells = rows.map(({ key, a, b }) => [key, valueText(a), valueText(b)]);
  const table = textTable([["", "a", "b"], ...cells], 3);
  if (Math.max(...table.map((line) => line.length)) <= 80) return [`${title}:`, ...table];
  return [`${title}:`, ...cells.flatMap(([key, a, b]) => indented(`${key}: ${a} (a), ${b} (b)`))];
}

function codeLines(code: CodeDiff): string[] {
  switch (code.state) {
    case "same":
      return ["Code: the same"];
    case "different":
      return filled(`Code: changed from a to b: ${code.changed.join(", ")}`);
    case "other kind":
      return ["Code: not compared, since the trials are of different kinds"];
    case "unknown":
      return ["Code: not compared, since the files of an attempt are unknown"];
  }
}
