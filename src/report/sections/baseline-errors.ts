import type { RootContent } from "mdast";
import { count, percent } from "../../base/format.ts";
import { groupBy } from "../../base/group-by.ts";
import type { BaselineSpec, Interval, ProposalSummary } from "../../contract/generated/types.ts";
import { type ErrorFractions, errorFractions } from "../figures.ts";
import { heading, images, longTable, paragraph } from "../markdown.ts";
import { quoteLabel } from "../names.ts";
import { interval, noValue, points } from "../points.ts";
import { byId, type ReportImage, type ReportInput } from "../report-input.ts";
import { type RowNoun, rowNoun } from "../wording.ts";

/** The errors of baselines: the detector proposes no hit, or CLIP ranks another box first. */
export function baselineErrors(input: ReportInput, chart: ReportImage | undefined): RootContent[] {
  const baselines = baselinesOf(input);
  const [best] = baselines;
  if (chart === undefined || best === undefined) return [];
  return [
    heading(2, "Detection and ranking errors"),
    images([chart]),
    paragraph(
      `A baseline's detector proposes boxes, then CLIP ranks them by the expression. In a detection error, no box is a hit, so no ranking can be correct. In a ranking error, one of the boxes is a hit, but another box is ranked first. ${largestError(best)}`,
    ),
    ...errorTable(baselines, rowNoun(input.summary.settings)),
    ...proposalTable(baselines, input),
  ];
}

/** A baseline's configuration with its spec. */
interface Baseline {
  label: string;
  spec: BaselineSpec;
  proposals: ProposalSummary;
  errors: ErrorFractions;
}

function baselinesOf({ summary, trials }: ReportInput): Baseline[] {
  const trialWithId = byId(trials);
  return summary.settings.flatMap((setting) => {
    const spec = trialWithId.get(setting.trial_ids[0] ?? "")?.spec;
    const { label, proposals } = setting;
    const errors = errorFractions(setting);
    if (spec?.kind !== "baseline" || proposals === null || errors === undefined) return [];
    return [{ label, spec, proposals, errors }];
  });
}

function largestError({ label, errors: { correct, rankingErrors, detectionErrors } }: Baseline): string {
  const fractions = `With ${quoteLabel(label)}, ${percent(correct.mean)} of the expressions are correct, ${percent(rankingErrors.mean)} are ranking errors and ${percent(detectionErrors.mean)} detection errors`;
  if (isAbove(rankingErrors, detectionErrors))
    return `${fractions}: the ranking has more room for improvement than the boxes.`;
  if (isAbove(detectionErrors, rankingErrors))
    return `${fractions}: the boxes have more room for improvement than the ranking.`;
  return `${fractions}: neither kind of error is clearly more frequent.`;
}

/** False if one of them has no interval. */
function isAbove({ low }: Interval, { high }: Interval): boolean {
  return low !== null && high !== null && low > high;
}

function errorTable(baselines: Baseline[], noun: RowNoun): RootContent[] {
  const annotated = baselines.filter(({ spec }) => spec.baseline.detector.kind === "gt_boxes");
  const annotatedByRanking = groupBy(annotated, rankingKey);
  const withAnnotatedBoxes = (baseline: Baseline): string => {
    const twins = annotatedByRanking.get(rankingKey(baseline)) ?? [];
    const twin = twins.find((other) => other !== baseline);
    return twin === undefined ? noValue : interval(twin.errors.correct);
  };
  const hasColumn = annotated.length > 0 && annotated.length < baselines.length;
  const columnNote =
    " The last column is Acc@0.5 of the same ranking with the annotated boxes of all objects in the image.";
  return [
    paragraph(`Correct predictions and errors, in % of the expressions.${hasColumn ? columnNote : ""}`),
    ...longTable(
      [
        noun,
        "correct (Acc@0.5)",
        "ranking errors",
        "detection errors",
        ...(hasColumn ? ["with ground-truth boxes"] : []),
      ],
      baselines.map((baseline) => [
        baseline.label,
        interval(baseline.errors.correct),
        interval(baseline.errors.rankingErrors),
        interval(baseline.errors.detectionErrors),
        ...(hasColumn ? [withAnnotatedBoxes(baseline)] : []),
      ]),
    ),
  ];
}

/** Two baselines with this key rank the same boxes in the same order. */
function rankingKey({ spec: { backbone, baseline } }: Baseline): string {
  return JSON.stringify([
    backbone.weights_id,
    baseline.ranking,
    baseline.templates.toSorted(),
    baseline.category_prior,
  ]);
}

function proposalTable(baselines: Baseline[], { summary }: ReportInput): RootContent[] {
  const recalls = baselines[0]?.proposals.recall_at ?? [];
  const hasRpn = baselines.some(({ spec }) => spec.baseline.detector.kind === "rpn");
  return [
    paragraph(
      `Boxes before ranking. Recall@k is the percentage of expressions with a hit among the detector's k highest-scoring boxes; the last recall is over all its boxes. The detector does not use the expression${hasRpn ? ", except an RPN" : ""}. For an image without detections, the prediction is the whole image.`,
    ),
    ...longTable(
      [
        "detector",
        "boxes per image",
        ...recalls.map(({ k }) => `Recall@${k}`),
        "recall of all boxes",
        `images without boxes (of ${count(summary.num_images)})`,
      ],
      groupBySameBoxes(baselines).map(({ name, members: [{ proposals }] }) => [
        name,
        proposals.mean_num_boxes.toFixed(1),
        ...proposals.recall_at.map((recall) => points(recall.interval.mean)),
        points(proposals.best_proposal.mean),
        count(proposals.num_images_without),
      ]),
    ),
  ];
}

/** Baselines that rank the same boxes. */
export interface SameBoxes<T> {
  /** The common part of their labels, without the ranking: "YOLO yolov8n" for "YOLO yolov8n, crop" and "YOLO yolov8n, blur". */
  name: string;
  members: [T, ...T[]];
}

/** Baselines grouped by their boxes, in the order of each group's first. */
export function groupBySameBoxes<T extends { spec: BaselineSpec }>(baselines: T[]): SameBoxes<T>[] {
  const groups = groupBy(baselines, ({ spec }) => {
    const { detector, score_thresh, nms_thresh, max_boxes } = spec.baseline;
    return JSON.stringify([detector, score_thresh, nms_thresh, max_boxes]);
  });
  const named = [...groups.values()].map((members) => ({ name: commonLabel(members), members }));
  const withName = groupBy(named, ({ name }) => name);
  return named.map(({ name, members }) =>
    name === "" || withName.get(name)?.length !== 1
      ? { name: members.map(({ spec }) => spec.label).join("; "), members }
      : { name, members },
  );
}

function commonLabel(baselines: { spec: BaselineSpec }[]): string {
  const [first = [], ...others] = baselines.map(({ spec }) =>
    spec.label.split(", ").filter((part) => part !== spec.baseline.ranking),
  );
  return first.filter((part) => others.every((parts) => parts.includes(part))).join(", ");
}
