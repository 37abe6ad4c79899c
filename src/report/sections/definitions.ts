import type { RootContent } from "mdast";
import { count, joinWords } from "../../base/format.ts";
import type { Summary } from "../../contract/generated/types.ts";
import {
  alphaOf,
  confidenceOf,
  figureOf,
  floorDefinitions,
  floorsOf,
  isSelectedOnVal,
  upperBounds,
} from "../figures.ts";
import { bullets, heading } from "../markdown.ts";
import { capitalized, hasRuns, type RowNoun, repeatedSteps, rowNoun, runNoun, runsOf } from "../wording.ts";

/** The definitions that this report needs: metrics, then statistics. */
export function definitions(summary: Summary): RootContent[] {
  const noun = rowNoun(summary.settings);
  const kinds = new Set(summary.settings.map(({ kind }) => kind));
  const floors = floorsOf(summary).map(({ name }) => floorDefinitions[name]);
  return [
    heading(2, "Definitions"),
    bullets([
      "A hit is a prediction with IoU >= 0.5: the highest-scoring box, clipped to the image, compared with the ground truth in pixels of the original image.",
      "Acc@t is the fraction of expressions with IoU >= t. Acc@0.5 is the main metric. mAcc is the mean of Acc@t over t = 0.5, 0.55, ..., 0.95.",
      "mIoU is the mean IoU. oIoU is the sum of intersections divided by the sum of unions.",
      ...(summary.settings.some((setting) => figureOf(setting, "recall_at_5") !== undefined)
        ? [
            "Recall@k is the fraction of expressions with a hit among the k highest-scoring boxes after non-maximum suppression; Recall@1 equals Acc@0.5.",
          ]
        : []),
      "Center accuracy is the fraction of expressions whose highest-scoring box has its center inside the ground truth.",
      "A minimal pair is two expressions for one image that differ in one word and have different ground truth. Pair accuracy is the fraction of pairs with a hit for both.",
      ...(kinds.has("baseline")
        ? [
            "A baseline is a detector that proposes boxes and CLIP, which ranks them by the expression. The score of a box is its softmax probability over the boxes of the image. Recall@k of a baseline counts boxes in the order of CLIP's scores; the table of boxes before ranking uses the detector's scores.",
          ]
        : []),
      ...(upperBounds(summary).size > 0
        ? [
            "An upper bound ranks the annotated boxes of all objects in the image: the result of its ranking with a perfect detector.",
          ]
        : []),
      `Baselines that ignore the expression, computed on ${summary.split}: ${joinWords(floors)}.`,
      ...(kinds.has("results")
        ? [
            "An outside model is evaluated by its files of answers: one box per expression, so it has no Recall@k. A missing answer, and one without a box that can be read, is a miss.",
          ]
        : []),
      selectionLine(summary, noun),
    ]),
    heading(2, "Statistics"),
    bullets(statistics(summary, noun)),
  ];
}

/** What the order, and so the best, was chosen by. */
function selectionLine(summary: Summary, noun: RowNoun): string {
  const trains = summary.settings.some(({ kind }) => kind === "cliprpn");
  if (isSelectedOnVal(summary))
    return trains
      ? `Checkpoints and ${noun}s are selected on val.`
      : `${capitalized(noun)}s are selected on val.`;
  const order = `The best ${noun} is the one with the highest Acc@0.5 on this split.`;
  return trains ? `${order} Checkpoints are selected on val.` : order;
}

function statistics(summary: Summary, noun: RowNoun): string[] {
  const rows = summary.settings.map(runsOf);
  const repeated = hasRuns(rows);
  const runs = runNoun(rows);
  const confidence = confidenceOf(summary);
  const compares = summary.comparisons.length > 0;
  return [
    repeated
      ? `Intervals are ${confidence} intervals of Student's t over images and ${runs}s. The variance over images is linearized and clustered by image; each ${noun} with two or more ${runs}s adds its own variance between ${runs}s, less the part that images already contain. Degrees of freedom are by Welch and Satterthwaite. Nothing is assumed about equal seeds of different ${noun}s.`
      : `Intervals are ${confidence} intervals of Student's t over images: the variance is linearized and clustered by image.`,
    "Where every answer is right, or every answer is wrong, the interval is exact for the number of images. With fewer than 30 images there is no interval.",
    ...(repeated
      ? [
          `The ${runs === "seed" ? "training procedure" : "procedure"} is ${repeatedSteps(rows)}, evaluated on new images. These checkpoints are the ${runs === "seed" ? "trained models" : "models"} themselves on new images: all that one ${runs} can tell, and all there is of a model that is not ${runs === "seed" ? "trained here" : "run again"}.`,
          `${capitalized(runs)} SD is the standard deviation of Acc@0.5 between the ${runs}s of a ${noun}. It describes single runs; the interval is about their mean.`,
        ]
      : []),
    ...(compares
      ? [
          `A difference is paired by image. It is significant if p is below ${alphaOf(summary)}. One ${noun} outperforms all others if each of these comparisons is significant by itself; all other statements use p values adjusted by Holm's procedure.`,
          `A rank interval has the ranks of a ${noun} over ${count(summary.num_resamples)} resamples of the images${repeated ? `, with its variance between ${runs}s` : ""}.`,
        ]
      : []),
    ...(summary.smallest_difference === null
      ? []
      : [
          `Two ${noun}s are equivalent if the ${Number(((2 * summary.confidence - 1) * 100).toFixed(2))} % interval of their difference lies within the smallest difference that matters, which ${noun === "model" ? "was declared" : "the experiment declares"} (two one-sided tests).`,
        ]),
  ];
}
