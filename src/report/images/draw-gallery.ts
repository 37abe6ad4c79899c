import { rm } from "node:fs/promises";
import { join } from "node:path";
import { shortLine } from "../../base/plain-text.ts";
import { CliprpnError } from "../../contract/errors.ts";
import type { Case, GalleryExample, GalleryGroup, Summary } from "../../contract/generated/types.ts";
import type { ReportImage } from "../report-input.ts";
import { type Gallery, gallerySections, subsetTitle } from "../sections/gallery.ts";
import type { DrawnBox } from "./boxes-svg.ts";
import { drawBoxes, joinSideBySide } from "./draw-boxes.ts";

/**
 * Draws the examples of the gallery as PNG.
 *
 * @param place where they go, relative to the folder.
 */
export async function drawGallery(summary: Summary, folder: string, place: string): Promise<Gallery> {
  const unreadable = new Set<string>();
  const drawnGroups: Gallery["groups"] = [];
  for (const { title, text, groups } of gallerySections(summary)) {
    const drawn: ReportImage[] = [];
    for (const [index, { group, example }] of groups.flatMap(examplesOf).entries()) {
      const file = `${place}/${group.kind.replaceAll("_", "-")}-${index + 1}.png`;
      const problem = await drawExample(example, join(folder, file), noteOf(group)).catch(explainUnreadable);
      if (problem === undefined) drawn.push({ file, alt: describeExample(example) });
      else unreadable.add(problem);
    }
    drawnGroups.push({ title, text, images: drawn });
  }
  return { groups: drawnGroups, unreadable: [...unreadable] };
}

function examplesOf(group: GalleryGroup): { group: GalleryGroup; example: GalleryExample }[] {
  return group.examples.map((example) => ({ group, example }));
}

function noteOf({ kind, subset }: GalleryGroup): string | undefined {
  const notes: Partial<Record<GalleryGroup["kind"], string>> = {
    pair_wins: "Only A answers both right",
    pair_losses: "Only B answers both right",
    pair_failures: "Neither answers both right",
    random_failures: subsetTitle(subset),
  };
  return notes[kind];
}

/**
 * Draws an example: the two expressions of a minimal pair side by side.
 *
 * @param note written below each image.
 * @throws CliprpnError not_found, or data_invalid if an image cannot be read.
 */
async function drawExample({ cases }: GalleryExample, file: string, note?: string): Promise<undefined> {
  if (cases.length === 1) return drawCase(cases[0], file, note);
  const halves = cases.map((shown, index) => ({ shown, file: `${file}.half-${index + 1}.png` }));
  try {
    for (const half of halves) await drawCase(half.shown, half.file, note);
    await joinSideBySide(
      halves.map((half) => half.file),
      file,
    );
  } finally {
    await Promise.all(halves.map((half) => rm(half.file, { force: true })));
  }
}

/** A missing or broken image costs only its examples, not the report. */
export function explainUnreadable(error: unknown): string {
  if (error instanceof CliprpnError && ["not_found", "data_invalid"].includes(error.code))
    return error.message;
  throw error;
}

/** The predictions, the best configuration's above the other's, and the ground truth above all. */
async function drawCase(shown: Case, file: string, note: string | undefined): Promise<undefined> {
  const predictions = shown.predictions.map((prediction, index) => ({
    ...predictionStyle(index),
    box_xyxy: prediction.pred_box_xyxy,
    text: `${verdictOf(prediction)}: ${prediction.label}`,
  }));
  const truth = { ...truthStyle, box_xyxy: shown.gt_box_xyxy, text: "ground truth" };
  await drawBoxes(shown.image_file, [...predictions.toReversed(), truth], file, {
    fit: 480,
    upright: shown.upright,
    caption: { note, sentence: shown.sentence, legend: [...predictions, truth] },
  });
}

type BoxStyle = Required<Pick<DrawnBox, "color" | "line" | "tag">>;

/** Characters of an expression in an alt text. */
export const maxShown = 200;

export const truthStyle: BoxStyle = { color: "#111111", line: "dashed", tag: "GT" };

function predictionStyle(index: number): BoxStyle {
  return index === 0
    ? { color: "#0072b2", line: "solid", tag: "A" }
    : { color: "#d55e00", line: "double", tag: "B" };
}

/** "right, IoU 0.83". */
function verdictOf({ iou }: Case["predictions"][number]): string {
  return `${iou >= 0.5 ? "right" : "wrong"}, IoU ${iou.toFixed(2)}`;
}

/** For readers who do not see the image. */
function describeExample({ cases }: GalleryExample): string {
  const [first, second] = cases.map(describeCase);
  return second === undefined ? (first ?? "") : `Left: ${first}. Right: ${second}`;
}

/** "“the red cup”: film (A) is right, IoU 0.83; token (B) is wrong, IoU 0.12". */
function describeCase({ sentence, predictions }: Case): string {
  const answers = predictions.map(
    (prediction, index) =>
      `${shortLine(prediction.label, maxShown)} (${predictionStyle(index).tag}) is ${verdictOf(prediction)}`,
  );
  return `“${shortLine(sentence, maxShown)}”: ${answers.join("; ")}`;
}
