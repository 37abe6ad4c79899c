import { join } from "node:path";
import { shortLine } from "../../base/plain-text.ts";
import type { ErrorExample, Summary } from "../../contract/generated/types.ts";
import { type ErrorExamples, titleOf } from "../sections/errors.ts";
import { drawBoxes } from "./draw-boxes.ts";
import { explainUnreadable, maxShown, truthStyle } from "./draw-gallery.ts";

/**
 * Draws the examples of errors as PNG.
 *
 * @param place where they go, relative to the folder.
 */
export async function drawErrorExamples(
  { error_examples }: Summary,
  folder: string,
  place: string,
): Promise<ErrorExamples> {
  const drawn: ErrorExamples = { images: [], unreadable: [] };
  for (const example of error_examples) {
    const file = `${place}/error-${example.error_class.replaceAll("_", "-")}.png`;
    const problem = await drawExample(example, join(folder, file)).catch(explainUnreadable);
    if (problem === undefined) drawn.images.push({ file, alt: describe(example) });
    else drawn.unreadable.push(problem);
  }
  return drawn;
}

async function drawExample(shown: ErrorExample, file: string): Promise<undefined> {
  const answer = {
    box_xyxy: shown.pred_box_xyxy,
    color: "#0072b2",
    tag: "A",
    text: `answer, IoU ${shown.iou.toFixed(2)}`,
  };
  const truth = { ...truthStyle, box_xyxy: shown.gt_box_xyxy, text: "ground truth" };
  await drawBoxes(shown.image_file, [answer, truth], file, {
    fit: 480,
    upright: shown.upright,
    caption: { note: titleOf(shown.error_class), sentence: shown.sentence, legend: [answer, truth] },
  });
}

/** For readers who do not see the image. */
function describe({ error_class, sentence, iou }: ErrorExample): string {
  return `${titleOf(error_class)}: “${shortLine(sentence, maxShown)}”, IoU ${iou.toFixed(2)} with the ground truth`;
}
