import type { RootContent } from "mdast";
import { count, joinWords } from "../../base/format.ts";
import type { Summary } from "../../contract/generated/types.ts";
import { alphaOf, confidenceOf, floorDefinitions, floorsOf, upperBounds } from "../figures.ts";
import { bullets, heading } from "../markdown.ts";

/** The definitions that this report needs: metrics, then statistics. */
export function definitions(summary: Summary): RootContent[] {
  const kinds = new Set(summary.settings.map(({ kind }) => kind));
  const floors = floorsOf(summary).map(({ name }) => floorDefinitions[name]);
  return [
    heading(2, "Definitions"),
    bullets([
      "A hit is a prediction with IoU >= 0.5: the highest-scoring box, clipped to the image, compared with the ground truth in pixels of the original image.",
      "Acc@t is the fraction of expressions with IoU >= t. Acc@0.5 is the main metric and equals Recall@1. mAcc is the mean of Acc@t over t = 0.5, 0.55, ..., 0.95.",
      "mIoU is the mean IoU. oIoU is the sum of intersections divided by the sum of unions.",
      "Recall@k is the fraction of expressions with a hit among the k highest-scoring boxes. Center accuracy is the fraction of expressions whose highest-scoring box has its center inside the ground truth.",
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
      kinds.has("cliprpn")
        ? "Checkpoints and configurations are selected on val."
        : "Configurations are selected on val.",
    ]),
    heading(2, "Statistics"),
    bullets(statistics(summary, kinds.has("cliprpn"))),
  ];
}

function statistics(summary: Summary, trains: boolean): string[] {
  const confidence = confidenceOf(summary);
  const compares = summary.comparisons.length > 0;
  return [
    trains
      ? `Intervals are ${confidence} intervals of Student's t over images and seeds. The variance over images is linearized and clustered by image; each configuration with two or more seeds adds its own variance between seeds, less the part that images already contain. Degrees of freedom are by Welch and Satterthwaite. Nothing is assumed about equal seeds of different configurations.`
      : `Intervals are ${confidence} intervals of Student's t over images: the variance is linearized and clustered by image.`,
    "Where every answer is right, or every answer is wrong, the interval is exact for the number of images. With fewer than 30 images there is no interval.",
    ...(trains
      ? [
          "The training procedure is training again with other seeds, evaluated on new images. These checkpoints are the trained models themselves on new images: all that one seed can tell, and all there is of a model that is not trained here.",
          "Seed SD is the standard deviation of Acc@0.5 between the seeds of a configuration. It describes single runs; the interval is about their mean.",
        ]
      : []),
    ...(compares
      ? [
          `A difference is paired by image. It is significant if p is below ${alphaOf(summary)}. One configuration outperforms all others if each of these comparisons is significant by itself; all other statements use p values adjusted by Holm's procedure.`,
          `A rank interval has the ranks of a configuration over ${count(summary.num_resamples)} resamples of the images${trains ? ", with its variance between seeds" : ""}.`,
        ]
      : []),
    ...(summary.smallest_difference === null
      ? []
      : [
          `Two configurations are equivalent if the ${Number(((2 * summary.confidence - 1) * 100).toFixed(2))} % interval of their difference lies within the smallest difference that matters, which the experiment declares (two one-sided tests).`,
        ]),
  ];
}
