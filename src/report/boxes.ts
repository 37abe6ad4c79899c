import type { RootContent } from "mdast";
import { count, percent } from "../base/format.ts";
import type { BaselineSpec, Interval, ProposalSummary } from "../contract/generated/types.ts";
import { none, type Outcomes, outcomesOf } from "./figures.ts";
import { heading, images, paragraph, table } from "./markdown.ts";
import { interval, points, quoted } from "./points.ts";
import type { Picture, ReportInput } from "./report-input.ts";
import { sameBoxes } from "./same-boxes.ts";

/** Where baselines lose: by what their detector does not propose, or by what CLIP does not rank first. */
export function boxesAndRanking(input: ReportInput, chart: Picture | undefined): RootContent[] {
  const baselines = baselinesOf(input);
  const [best] = baselines;
  if (chart === undefined || best === undefined) return [];
  return [
    heading(2, "Boxes and ranking"),
    images([chart]),
    paragraph(
      `A baseline can go wrong twice: its detector proposes boxes, then CLIP ranks them by the sentence. A sentence is lost by the boxes where none of them is a hit, so that no ranking could find it, and lost by the ranking where one is, but another comes first. ${largestLoss(best)}`,
    ),
    ...whatBecomes(baselines),
    ...boxesAlone(baselines, input),
  ];
}

/** A baseline's setting, with what was asked of it. */
interface Baseline {
  label: string;
  spec: BaselineSpec;
  proposals: ProposalSummary;
  outcomes: Outcomes;
}

function baselinesOf({ summary, trials }: ReportInput): Baseline[] {
  return summary.settings.flatMap((setting) => {
    const spec = trials.find((trial) => setting.trial_ids.includes(trial.spec.trial_id))?.spec;
    const { label, proposals } = setting;
    const outcomes = outcomesOf(setting);
    if (spec?.kind !== "baseline" || proposals === null || outcomes === undefined) return [];
    return [{ label, spec, proposals, outcomes }];
  });
}

function largestLoss({ label, outcomes: { found, lostByRanking, lostByBoxes } }: Baseline): string {
  const shares = `With ${quoted(label)}, ${percent(found.mean)} of the sentences are found, ${percent(lostByRanking.mean)} are lost by the ranking and ${percent(lostByBoxes.mean)} by the boxes`;
  if (lostByRanking.low > lostByBoxes.high)
    return `${shares}: a better ranking has more to win than better boxes.`;
  if (lostByBoxes.low > lostByRanking.high)
    return `${shares}: better boxes have more to win than a better ranking.`;
  return `${shares}: neither is clearly the larger loss.`;
}

function whatBecomes(baselines: Baseline[]): RootContent[] {
  const annotated = baselines.filter(({ spec }) => spec.baseline.detector.kind === "gt_boxes");
  const withAnnotated = (own: Baseline): string => {
    const twin = annotated.find((other) => other !== own && ranking(other) === ranking(own));
    return twin === undefined ? none : interval(twin.outcomes.found);
  };
  const column = annotated.length > 0 && annotated.length < baselines.length;
  return [
    paragraph(
      `What becomes of the sentences, in %.${column ? " With gt boxes: Acc@0.5 of the same ranking where it is given the annotated boxes of all objects in the picture." : ""}`,
    ),
    table(
      [
        "setting",
        "found (Acc@0.5)",
        "lost by the ranking",
        "lost by the boxes",
        ...(column ? ["with gt boxes"] : []),
      ],
      baselines.map((own) => [
        own.label,
        ...shares(own).map(interval),
        ...(column ? [withAnnotated(own)] : []),
      ]),
    ),
  ];
}

function shares({ outcomes: { found, lostByRanking, lostByBoxes } }: Baseline): Interval[] {
  return [found, lostByRanking, lostByBoxes];
}

/** What two baselines must share to rank the same boxes in the same order. */
function ranking({ spec: { backbone, baseline } }: Baseline): string {
  return JSON.stringify([
    backbone.weights_id,
    baseline.ranking,
    baseline.templates.toSorted(),
    baseline.category_prior,
  ]);
}

function boxesAlone(baselines: Baseline[], { summary }: ReportInput): RootContent[] {
  const recalls = baselines[0]?.proposals.recall_at ?? [];
  const depends = baselines.some(({ spec }) => spec.baseline.detector.kind === "rpn");
  return [
    paragraph(
      `The boxes before they are ranked: the share of sentences with a hit among the detector's k best-scoring boxes (Recall@k), and among all (best box), in %. The detector does not know the sentence${depends ? "; an RPN does" : ""}. An image in which nothing is detected is answered by the whole image.`,
    ),
    table(
      [
        "detector",
        "boxes an image",
        ...recalls.map(({ k }) => `Recall@${k}`),
        "best box",
        `images without boxes (of ${count(summary.num_images)})`,
      ],
      sameBoxes(baselines).map(({ name, members: [{ proposals }] }) => [
        name,
        proposals.mean_num_boxes.toFixed(1),
        ...proposals.recall_at.map((recall) => points(recall.interval.mean)),
        points(proposals.best_proposal.mean),
        count(proposals.num_images_without),
      ]),
    ),
  ];
}
