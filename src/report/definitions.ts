import type { RootContent } from "mdast";
import { joinWords } from "../base/format.ts";
import type { Summary } from "../contract/generated/types.ts";
import { ceilings } from "./figures.ts";
import { bullets, heading } from "./markdown.ts";

/** The words of the report, those of baselines where there are any. */
export function definitions(summary: Summary): RootContent[] {
  const kinds = new Set(summary.settings.map(({ kind }) => kind));
  const floors = summary.floors.map(({ name }) => floorWords[name]);
  return [
    heading(2, "What the figures mean"),
    bullets([
      "A hit is IoU >= 0.5 between the best-scoring box, clipped to the image, and the truth, in pixels of the original image.",
      "Acc@t is the share of sentences with IoU >= t; Acc@0.5 is the headline, and Recall@1 is the same. mAcc is the mean of Acc@t over t = 0.5, 0.55, ..., 0.95.",
      "mIoU is the mean IoU; oIoU the sum of intersections over the sum of unions.",
      "Recall@k is the share of sentences with a hit among the k best boxes; pointing the share whose box has its centre inside the truth.",
      "A minimal pair is two sentences on one image that differ in one word and have different answers; both must be right.",
      ...(kinds.has("baseline") ? baselineWords : []),
      ...(ceilings(summary).size > 0
        ? [
            "A ceiling ranks the annotated boxes of all objects of the image: what its ranking would reach with a detector that never errs.",
          ]
        : []),
      `Floors are computed on ${summary.split}: ${joinWords(floors)}.`,
      kinds.has("cliprpn") ? "Checkpoints and settings are chosen on val." : "Settings are chosen on val.",
    ]),
  ];
}

const baselineWords = [
  "A baseline is a detector that proposes boxes and CLIP that ranks them by the sentence; a box's score is its share of the image's softmax. Its Recall@k counts boxes as CLIP ranks them, but in the table of the boxes alone as the detector scores them.",
];

const floorWords = {
  constant_box: "the one constant box that fits train best",
  whole_picture: "the whole image",
  blank_sentence: "the best setting with its sentence blanked",
};
