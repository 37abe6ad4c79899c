import type { RootContent } from "mdast";
import type { Summary } from "../../contract/generated/types.ts";
import { type CalibratedSetting, calibratedSettings } from "../figures.ts";
import { heading, images, longTable, paragraph } from "../markdown.ts";
import { noValue, points } from "../points.ts";
import type { ReportImage } from "../report-input.ts";
import { rowNoun, runNoun, runsOf } from "../wording.ts";

/** How well each configuration's score tells hits from misses. */
export function calibration(
  summary: Summary,
  reliability: ReportImage | undefined,
  riskCoverage: ReportImage | undefined,
): RootContent[] {
  const shown = calibratedSettings(summary);
  if (reliability === undefined || riskCoverage === undefined || shown.length === 0) return [];
  const runs = runNoun(summary.settings.map(runsOf));
  return [
    heading(2, "Confidence of the answers"),
    paragraph(
      `The score of an answer is ${scoresOf(shown)}. Scores of different ${rowNoun(summary.settings)}s are not comparable: the same score may mean a hit in one and a miss in another. Withholding the answers with the lowest scores lowers the coverage, and with it the risk, the fraction of misses among the remaining answers. AURC is the area under the curve of risk over coverage, E-AURC its excess over the best order of the same answers; 0 means that all hits have higher scores than all misses. ECE is the expected calibration error, the mean distance of score and fraction of hits. All are in %, and lower is better: risks and areas are means over ${runs}s, ECE is computed on the answers of all ${runs}s.`,
    ),
    images([riskCoverage]),
    images([reliability]),
    ...longTable(
      [
        rowNoun(summary.settings),
        ...shownCoverages.map((coverage) => `risk at ${coverage * 100} % coverage`),
        "AURC",
        "E-AURC",
        "ECE",
      ],
      shown.map(calibrationRow),
    ),
  ];
}

/** What the scores of each kind are. */
function scoresOf(settings: CalibratedSetting[]): string {
  const kinds = new Set(settings.map(({ kind }) => kind));
  const own = kinds.has("cliprpn") || !kinds.has("results") ? ["the objectness of its box"] : [];
  const ofBaseline = "of a baseline, the probability by which CLIP ranks it first";
  return [
    ...own,
    ...(kinds.has("baseline") || !kinds.has("results") ? [ofBaseline] : []),
    ...(kinds.has("results")
      ? [kinds.size === 1 ? "that of its file" : "of an outside model, that of its file"]
      : []),
  ].join("; ");
}

const shownCoverages = [1, 0.75, 0.5, 0.25];

function calibrationRow({ label, calibration: figures }: CalibratedSetting): string[] {
  const risks = shownCoverages.map((wanted) => {
    const at = figures.risk_coverage.find(({ coverage }) => Math.abs(coverage - wanted) < 1e-6);
    return at === undefined ? noValue : points(at.risk);
  });
  const error = figures.expected_calibration_error;
  return [
    label,
    ...risks,
    points(figures.aurc),
    points(figures.e_aurc),
    error === null ? noValue : points(error),
  ];
}
